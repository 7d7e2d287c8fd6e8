#include "dataplane/rewrite.h"

#include <string.h>

#include "dataplane/checksum.h"
#include "dataplane/wire.h"

#define TTL 64

uint16_t dp_sum(const uint8_t *at, uint32_t bytes, uint32_t start)
{
	return dp_fold(dp_sum_long(at, bytes) + start);
}

void dp_write_link(uint8_t *at, const struct dp_link *link)
{
	memcpy(at, link->to, 6);
	memcpy(at + 6, link->from, 6);
	at += 12;
	if (link->vlan) {
		dp_put16(at, 0x8100);
		dp_put16(at + 2, link->vlan);
		at += 4;
	}
	dp_put16(at, link->ipv6 ? 0x86dd : 0x0800);
}

/* One value per flow, evenly spread, so that who balances by it need not look at ports: RFC 6437 section 3.
 */
static uint32_t flow_label(const struct dp_flow *f)
{
	uint32_t x = dp_get32(f->dst_ip6 + 12) ^ ((uint32_t)f->src_port_be << 16 | f->dst_port_be);
	return x * 0x9e3779b1u >> 12;
}

static void write_flow6(uint8_t *at, const struct dp_flow *f, uint16_t rtp_bytes)
{
	uint16_t udp_bytes = (uint16_t)(rtp_bytes + 8);
	dp_put32(at, 6u << 28 | (uint32_t)f->dscp << 22 | flow_label(f));
	dp_put16(at + 4, udp_bytes);
	at[6] = 17;
	at[7] = TTL;
	memcpy(at + 8, f->src_ip6, 16);
	memcpy(at + 24, f->dst_ip6, 16);
	dp_put16_be(at + 40, f->src_port_be);
	dp_put16_be(at + 42, f->dst_port_be);
	dp_put16(at + 44, udp_bytes);
	dp_put16(at + 46, 0);
	/* Never left out: RFC 8200 8.1. */
	dp_put16_be(at + 46, dp_checksum_of(dp_sum_long(at + 8, 32) + htobe16(17) + htobe16(udp_bytes) +
					    dp_sum_long(at + 40, udp_bytes)));
}

/* Sum of what a relayed packet changes: addresses, ports, RTP header. */
static uint64_t sum_of_changes(const uint8_t *at)
{
	return dp_sum_long(at + 12, 12) + dp_sum_long(at + 28, 12);
}

void dp_flow_carry(struct dp_flow *f, const uint8_t *at)
{
	f->carried = dp_get16_be(at + 26);
	f->gone = dp_fold(sum_of_changes(at));
	f->checksum = f->carried ? DP_CHECKSUM_CARRY : DP_CHECKSUM_ZERO;
}

static uint16_t udp_checksum(const uint8_t *at, const struct dp_flow *f, uint16_t udp_bytes)
{
	if (f->checksum == DP_CHECKSUM_ZERO)
		return 0;
	if (f->checksum == DP_CHECKSUM_CARRY)
		return dp_checksum_carry(f->carried, sum_of_changes(at), f->gone);
	return dp_checksum_of(
		dp_sum_long(at + 12, 8) + htobe16(17) + htobe16(udp_bytes) + dp_sum_long(at + 20, udp_bytes));
}

void dp_write_flow(uint8_t *at, const struct dp_flow *f, uint16_t rtp_bytes)
{
	if (f->src_ip6) {
		write_flow6(at, f, rtp_bytes);
		return;
	}
	uint16_t udp_bytes = (uint16_t)(rtp_bytes + 8);
	at[0] = 0x45;
	at[1] = (uint8_t)(f->dscp << 2);
	dp_put16(at + 2, (uint16_t)(udp_bytes + 20));
	dp_put16(at + 4, 0);
	dp_put16(at + 6, 0x4000); /* never fragmented on the way, so the id may be 0: RFC 6864 section 4.1 */
	at[8] = TTL;
	at[9] = 17;
	dp_put16(at + 10, 0);
	dp_put32_be(at + 12, f->src_ip_be);
	dp_put32_be(at + 16, f->dst_ip_be);
	dp_put16_be(at + 10, (uint16_t)~dp_sum(at, 20, 0));
	dp_put16_be(at + 20, f->src_port_be);
	dp_put16_be(at + 22, f->dst_port_be);
	dp_put16(at + 24, udp_bytes);
	dp_put16(at + 26, 0);
	dp_put16_be(at + 26, udp_checksum(at, f, udp_bytes));
}

void dp_change_rtp(uint8_t *at, const struct dp_rtp *r)
{
	at[1] = (uint8_t)(r->marker << 7 | r->payload_type);
	dp_put16(at + 2, r->seq);
	dp_put32(at + 4, r->ts);
	dp_put32_be(at + 8, r->ssrc_be);
}

void dp_write_rtp(uint8_t *at, const struct dp_rtp *r)
{
	at[0] = 0x80;
	dp_change_rtp(at, r);
}
