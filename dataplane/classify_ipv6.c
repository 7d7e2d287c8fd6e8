#include "dataplane/classify_ipv6.h"

#include "dataplane/wire.h"

#define PROTO_HOP_BY_HOP  0
#define PROTO_UDP         17
#define PROTO_ROUTING     43
#define PROTO_FRAGMENT    44
#define PROTO_AH          51
#define PROTO_DESTINATION 60
/* As many as RFC 8200 4.1 recommends, each once, and one to spare. More are the kernel's to judge. */
#define EXTENSIONS_MAX 8

/* What stands behind the extension headers. */
struct upper {
	uint32_t at; /* offset from the IPv6 header */
	uint8_t protocol;
	bool extended, fragment;
	bool later; /* a fragment without the first bytes */
};

/* Length of an extension header, or 0 for anything else. p: at least 8 bytes. */
static uint32_t extension_bytes(uint8_t protocol, const uint8_t *p)
{
	switch (protocol) {
	case PROTO_HOP_BY_HOP:
	case PROTO_ROUTING:
	case PROTO_DESTINATION:
		return 8u * (p[1] + 1u);
	case PROTO_FRAGMENT:
		return 8;
	case PROTO_AH: /* RFC 4302 2.2 */
		return 4u * (p[1] + 2u);
	}
	return 0;
}

/* False: it ends before a UDP header can. */
static bool find_upper(const uint8_t *ip, uint32_t room, struct upper *u)
{
	*u = (struct upper){.at = DP_IP6_BYTES, .protocol = ip[6]};
	for (int i = 0; i < EXTENSIONS_MAX; i++) {
		if (u->at + DP_UDP_BYTES > room)
			return false;
		const uint8_t *p = ip + u->at;
		uint32_t bytes = extension_bytes(u->protocol, p);
		if (!bytes)
			return true;
		if (u->protocol == PROTO_FRAGMENT) {
			u->fragment = true;
			u->later |= dp_get16(p + 2) >> 3 != 0;
		}
		u->extended = true;
		u->protocol = p[0];
		u->at += bytes;
	}
	return u->at + DP_UDP_BYTES <= room;
}

/* No far end has an address like that; one that has none is all 0 in its row. */
static bool is_no_host(const uint8_t ip[16])
{
	static const uint8_t zero[16], mapped[12] = {[10] = 0xff, [11] = 0xff};
	return ip[0] == 0xff || (ip[0] == 0xfe && (ip[1] & 0xc0) == 0x80) ||
	       !memcmp(ip, zero, sizeof(zero)) || !memcmp(ip, mapped, sizeof(mapped));
}

/* A UDP datagram to a media port. */
static void parse_media(const uint8_t *ip, uint32_t room, const struct upper *u, struct dp_packet *p)
{
	uint32_t total = DP_IP6_BYTES + (uint32_t)dp_get16(ip + 4);
	const uint8_t *udp = ip + u->at;
	uint32_t udp_bytes = dp_get16(udp + 4);
	p->src_ip6 = ip + 8;
	p->src_port_be = dp_get16_be(udp);
	if (u->fragment)
		dp_classify_drop(p, TG_DROP_fragment);
	else if (u->extended)
		dp_classify_drop(p, TG_DROP_ip_extension);
	else if (total > room)
		dp_classify_drop(p, TG_DROP_runt);
	else if (udp_bytes < DP_UDP_BYTES || udp_bytes + DP_IP6_BYTES != total)
		dp_classify_drop(p, TG_DROP_bad_length);
	else if (!dp_get16_be(udp + 6))
		dp_classify_drop(p, TG_DROP_udp_checksum);
	else if (is_no_host(p->src_ip6) || !p->src_port_be)
		dp_classify_drop(p, TG_DROP_wrong_source);
	else
		dp_classify_media(udp + DP_UDP_BYTES, udp_bytes - DP_UDP_BYTES, dp_get16(udp + 2), p);
}

void dp_classify_ipv6(const struct dp_local *l, const uint8_t *ip, uint32_t room, struct dp_packet *p)
{
	struct upper u;
	if (room < DP_IP6_BYTES) {
		dp_classify_drop(p, TG_DROP_runt);
		return;
	}
	if (ip[0] >> 4 != 6) {
		dp_classify_drop(p, TG_DROP_ip_header);
		return;
	}
	uint32_t address = dp_local_address6(l, ip + 24);
	if (address == TG_NONE)
		return;
	bool whole = find_upper(ip, room, &u);
	if (u.protocol != PROTO_UDP || u.later)
		return;
	if (!whole) {
		dp_classify_drop(p, TG_DROP_runt);
		return;
	}
	p->leg = dp_local_leg(l, address, dp_get16(ip + u.at + 2));
	if (p->leg != TG_NONE)
		parse_media(ip, room, &u, p);
}
