#include "dataplane/classify.h"

#include <stdbool.h>

#include "contract/drop.h"
#include "dataplane/classify_ipv6.h"
#include "dataplane/wire.h"

#define TAG_BYTES      4
#define TYPE_IPV4      0x0800
#define TYPE_IPV6      0x86dd
#define TYPE_VLAN      0x8100
#define PROTO_UDP      17
#define MORE_FRAGMENTS 0x2000
#define FRAGMENT_AT    0x1fff

/* RFC 3550 section 5.1 and 5.3.1. */
static void parse_rtp(const uint8_t *rtp, uint32_t bytes, struct dp_packet *p)
{
	if (bytes < DP_RTP_BYTES || rtp[0] >> 6 != 2) {
		dp_classify_drop(p, TG_DROP_bad_rtp);
		return;
	}
	uint32_t header = DP_RTP_BYTES + 4u * (rtp[0] & 0x0f), padding = 0;
	if (rtp[0] & 0x10) {
		if (header + 4 > bytes) {
			dp_classify_drop(p, TG_DROP_bad_rtp);
			return;
		}
		header += 4 + 4u * dp_get16(rtp + header + 2);
	}
	if (rtp[0] & 0x20) {
		padding = rtp[bytes - 1];
		if (!padding)
			header = UINT32_MAX / 2;
	}
	if (header + padding > bytes) {
		dp_classify_drop(p, TG_DROP_bad_rtp);
		return;
	}
	p->verdict = DP_RTP;
	p->marker = rtp[1] >> 7;
	p->payload_type = rtp[1] & 0x7f;
	p->seq = dp_get16(rtp + 2);
	p->ts = dp_get32(rtp + 4);
	p->ssrc = dp_get32(rtp + 8);
	p->rtp_bytes = (uint16_t)bytes;
	p->header_bytes = (uint16_t)header;
	p->payload_bytes = (uint16_t)(bytes - header - padding);
}

/* RFC 5761 section 4: RTP has a payload type of 64 to 95 here, and those are nobody's. */
static bool is_rtcp(const uint8_t *payload, uint32_t bytes)
{
	return bytes >= 8 && payload[0] >> 6 == 2 && payload[1] >= 192 && payload[1] <= 223;
}

void dp_classify_media(const uint8_t *payload, uint32_t bytes, uint16_t port, struct dp_packet *p)
{
	if (port & 1 || is_rtcp(payload, bytes)) {
		p->verdict = DP_RTCP;
		p->on_media_port = !(port & 1);
		p->rtp_bytes = (uint16_t)bytes;
	} else {
		parse_rtp(payload, bytes, p);
	}
}

/* A UDP datagram to a media port. room: bytes of the frame from the IPv4 header on. */
static void parse_media(const uint8_t *ip, uint32_t room, uint16_t port, struct dp_packet *p)
{
	uint32_t header = 4u * (ip[0] & 0x0f), total = dp_get16(ip + 2);
	const uint8_t *udp = ip + header;
	uint32_t udp_bytes = dp_get16(udp + 4);
	p->src_ip_be = dp_get32_be(ip + 12);
	p->src_port_be = dp_get16_be(udp);
	if (dp_get16(ip + 6) & MORE_FRAGMENTS)
		dp_classify_drop(p, TG_DROP_fragment);
	else if (header != DP_IP_BYTES)
		dp_classify_drop(p, TG_DROP_ip_header);
	else if (total > room)
		dp_classify_drop(p, TG_DROP_runt);
	else if (udp_bytes < DP_UDP_BYTES || udp_bytes + header != total)
		dp_classify_drop(p, TG_DROP_bad_length);
	else if (!p->src_ip_be || !p->src_port_be) /* nobody can be there; a leg without a far end has 0 */
		dp_classify_drop(p, TG_DROP_wrong_source);
	else
		dp_classify_media(udp + DP_UDP_BYTES, udp_bytes - DP_UDP_BYTES, port, p);
}

static void parse_ipv4(const struct dp_local *l, const uint8_t *ip, uint32_t room, struct dp_packet *p)
{
	if (room < DP_IP_BYTES) {
		dp_classify_drop(p, TG_DROP_runt);
		return;
	}
	uint32_t header = 4u * (ip[0] & 0x0f);
	if (ip[0] >> 4 != 4 || header < DP_IP_BYTES || dp_get16(ip + 2) < header) {
		dp_classify_drop(p, TG_DROP_ip_header);
		return;
	}
	/* A later fragment has no port: it may be a part of SIP as well, so the kernel gets it. */
	uint32_t address = dp_local_address(l, dp_get32_be(ip + 16));
	if (address == TG_NONE || ip[9] != PROTO_UDP || dp_get16(ip + 6) & FRAGMENT_AT)
		return;
	if (header + DP_UDP_BYTES > room) {
		dp_classify_drop(p, TG_DROP_runt);
		return;
	}
	uint16_t port = dp_get16(ip + header + 2);
	p->leg = dp_local_leg(l, address, port);
	if (p->leg != TG_NONE)
		parse_media(ip, room, port, p);
}

void dp_classify(
	const struct dp_local *l, const uint8_t *frame, uint32_t bytes, uint16_t vlan, struct dp_packet *p)
{
	*p = (struct dp_packet){.verdict = DP_KERNEL, .leg = TG_NONE};
	if (bytes < DP_ETHER_BYTES) {
		dp_classify_drop(p, TG_DROP_runt);
		return;
	}
	uint16_t type = dp_get16(frame + 12), id = 0;
	uint32_t at = DP_ETHER_BYTES;
	if (type == TYPE_VLAN) {
		if (bytes < DP_ETHER_BYTES + TAG_BYTES) {
			dp_classify_drop(p, TG_DROP_runt);
			return;
		}
		id = dp_get16(frame + 14) & 0x0fff;
		type = dp_get16(frame + 16);
		at += TAG_BYTES;
	}
	if (id != vlan)
		return;
	if (type == TYPE_IPV4) {
		p->rtp_at = (uint16_t)(at + DP_IP_BYTES + DP_UDP_BYTES);
		parse_ipv4(l, frame + at, bytes - at, p);
	} else if (type == TYPE_IPV6) {
		p->rtp_at = (uint16_t)(at + DP_IP6_BYTES + DP_UDP_BYTES);
		dp_classify_ipv6(l, frame + at, bytes - at, p);
	}
}
