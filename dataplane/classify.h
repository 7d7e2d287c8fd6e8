/* What a received frame is: pure, from bytes to a verdict. Nothing is believed that was not checked to lie
 * inside the frame. Checksums are not looked at: virtual devices pass frames with partial ones. */
#ifndef TG_DATAPLANE_CLASSIFY_H
#define TG_DATAPLANE_CLASSIFY_H

#include <stdint.h>

#include "dataplane/local.h"

enum dp_verdict {
	DP_RTP,    /* all fields are valid */
	DP_RTCP,   /* RTCP, or what came to its port; leg, source, rtp_bytes, on_media_port are valid */
	DP_KERNEL, /* not for us: the kernel's, if it doesn't have it already */
	DP_DROP,   /* `drop` says why; leg, source are valid if leg isn't TG_NONE */
};

struct dp_packet {
	uint8_t verdict; /* enum dp_verdict */
	uint8_t drop;    /* enum tg_drop */
	uint8_t payload_type;
	uint8_t marker;
	uint8_t on_media_port; /* RTCP on the RTP's port: by its type alone (RFC 5761 section 4) */
	uint32_t leg;          /* TG_NONE: unknown */
	uint32_t src_ip_be;    /* of IPv4 */
	uint16_t src_port_be;
	uint16_t rtp_at;        /* offset of the RTP header in the frame */
	const uint8_t *src_ip6; /* of IPv6: 16 bytes inside the frame; NULL: IPv4 */
	uint16_t rtp_bytes;     /* header and payload: what the meter calls octets */
	uint16_t header_bytes;  /* of RTP, CSRCs and extension included */
	uint16_t payload_bytes; /* without padding */
	uint16_t seq;
	uint32_t ts, ssrc;
};

#define DP_ETHER_BYTES 14 /* without a tag */
#define DP_IP_BYTES    20
#define DP_IP6_BYTES   40
#define DP_UDP_BYTES   8
#define DP_RTP_BYTES   12

/* vlan: the id that frames of this port carry in their header; 0: none (priority tags, id 0, are accepted).
 * Frames of another VLAN are the kernel's. */
void dp_classify(const struct dp_local *local, const uint8_t *frame, uint32_t bytes, uint16_t vlan,
	struct dp_packet *packet);

#endif
