/* The IPv6 half of dp_classify(), and what both halves share: pure. */
#ifndef TG_DATAPLANE_CLASSIFY_IPV6_H
#define TG_DATAPLANE_CLASSIFY_IPV6_H

#include <stdint.h>

#include "contract/drop.h"
#include "dataplane/classify.h"

static inline void dp_classify_drop(struct dp_packet *p, enum tg_drop why)
{
	p->verdict = DP_DROP;
	p->drop = (uint8_t)why;
}

/* A UDP payload that came to a media port: sets the verdict and what it makes valid. bytes: that it has. */
void dp_classify_media(const uint8_t *payload, uint32_t bytes, uint16_t port, struct dp_packet *packet);

/* A frame from its IPv6 header on; room: bytes of it. What is not UDP to a media port (ICMPv6, and with it ND
 * and MLD) stays DP_KERNEL. Media behind extension headers is dropped: nobody sends it so, and each such
 * header is a way around what the UDP ports say (RFC 8200 section 4, RFC 7045). */
void dp_classify_ipv6(
	const struct dp_local *local, const uint8_t *ip, uint32_t room, struct dp_packet *packet);

#endif
