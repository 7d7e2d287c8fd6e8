/* The headers of a frame that we send: pure. */
#ifndef TG_DATAPLANE_REWRITE_H
#define TG_DATAPLANE_REWRITE_H

#include <stdint.h>

#include "dataplane/checksum.h"

struct dp_link {
	uint8_t to[6], from[6];
	uint16_t vlan; /* 0: untagged */
	uint8_t ipv6;  /* 1: what follows is IPv6 */
};

struct dp_flow {
	uint32_t src_ip_be, dst_ip_be;
	const uint8_t *src_ip6, *dst_ip6; /* NULL: IPv4 */
	uint16_t src_port_be, dst_port_be;
	uint8_t dscp;
	uint8_t checksum; /* enum dp_checksum, and what it is carried on from: */
	uint16_t carried, gone;
};

struct dp_rtp {
	uint32_t ssrc_be;
	uint32_t ts;
	uint16_t seq;
	uint8_t payload_type;
	uint8_t marker; /* 1: set it */
};

/* Bytes of IP and UDP headers. */
static inline uint32_t dp_flow_bytes(const struct dp_flow *flow)
{
	return flow->src_ip6 ? 48 : 28;
}

/* Bytes in front of the IP header. */
static inline uint32_t dp_link_bytes(const struct dp_link *link)
{
	return link->vlan ? 18 : 14;
}

/* Writes the Ethernet header, with a tag where the link has one; at has room for dp_link_bytes(). */
void dp_write_link(uint8_t *at, const struct dp_link *link);
/* For DP_CHECKSUM_CARRY: takes from a received packet what its checksum said of what will change. at: its
 * IPv4 header without options. */
void dp_flow_carry(struct dp_flow *flow, const uint8_t *at);
/* Writes IP and UDP headers in front of rtp_bytes of RTP that are complete already (the UDP checksum covers
 * them; over IPv6 always in full). at: dp_flow_bytes() and the RTP after them. */
void dp_write_flow(uint8_t *at, const struct dp_flow *flow, uint16_t rtp_bytes);
/* Changes an RTP header in place: version, padding, extension and CSRC count stay. */
void dp_change_rtp(uint8_t *at, const struct dp_rtp *rtp);
/* Writes a new RTP header of 12 bytes. */
void dp_write_rtp(uint8_t *at, const struct dp_rtp *rtp);

/* Sum of 16-bit words as RFC 1071 wants it, folded, not inverted. */
uint16_t dp_sum(const uint8_t *at, uint32_t bytes, uint32_t start);

#endif
