#include "dataplane/rewrite.h"

#include <endian.h>
#include <string.h>

#include "tests/unit/contract/suite.h"

/* RFC 1071, byte by byte. */
static uint16_t reference(const uint8_t *p, uint32_t n, uint32_t sum)
{
	for (uint32_t i = 0; i < n; i++)
		sum += i % 2 ? p[i] : (uint32_t)p[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

START_TEST(sums_agree_with_the_definition_at_any_length)
{
	uint8_t data[300];
	srand(2);
	for (uint32_t n = 0; n < sizeof(data); n++) {
		for (uint32_t i = 0; i < n; i++)
			data[i] = (uint8_t)(n % 3 ? rand() : 0xff);
		ck_assert_uint_eq(be16toh(dp_sum(data, n, 0)), reference(data, n, 0));
	}
}
END_TEST

static const struct dp_flow flow = {.src_ip_be = 0x020012c6,
	.dst_ip_be = 0x0a0012c6,
	.src_port_be = 0x364e,
	.dst_port_be = 0xa00f,
	.dscp = 46};

static uint32_t pseudo(uint32_t udp_bytes)
{
	uint8_t ips[8];
	memcpy(ips, &flow.src_ip_be, 4);
	memcpy(ips + 4, &flow.dst_ip_be, 4);
	return reference(ips, 8, 17 + udp_bytes);
}

START_TEST(a_receiver_finds_every_field_and_both_checksums_right)
{
	for (uint16_t rtp = 12; rtp < 300; rtp++) {
		uint8_t at[400];
		for (uint32_t i = 0; i < sizeof(at); i++)
			at[i] = (uint8_t)rand();
		dp_write_flow(at, &flow, rtp);
		ck_assert_uint_eq(reference(at, 20, 0), 0xffff);
		ck_assert_uint_eq(at[0], 0x45);
		ck_assert_uint_eq(at[1], 46 << 2);
		ck_assert_uint_eq(at[2] << 8 | at[3], 28 + rtp);
		ck_assert_uint_eq(at[6], 0x40);
		ck_assert_uint_eq(at[9], 17);
		ck_assert_mem_eq(at + 12, &flow.src_ip_be, 4);
		ck_assert_mem_eq(at + 16, &flow.dst_ip_be, 4);
		ck_assert_mem_eq(at + 20, &flow.src_port_be, 2);
		ck_assert_mem_eq(at + 22, &flow.dst_port_be, 2);
		ck_assert_uint_eq(at[24] << 8 | at[25], 8 + rtp);
		ck_assert_uint_ne(at[26] << 8 | at[27], 0);
		ck_assert_uint_eq(reference(at + 20, 8u + rtp, pseudo(8u + rtp)), 0xffff);
	}
}
END_TEST

START_TEST(a_checksum_that_comes_out_as_none_is_written_as_minus_none)
{
	uint8_t at[42] = {0};
	dp_write_flow(at, &flow, 14);
	/* Raise the last word so that everything sums to 0xffff, whose complement is 0. */
	uint16_t was = (uint16_t)(at[26] << 8 | at[27]);
	at[40] = (uint8_t)(was >> 8);
	at[41] = (uint8_t)was;
	dp_write_flow(at, &flow, 14);
	ck_assert_uint_eq(at[26] << 8 | at[27], 0xffff);
	ck_assert_uint_eq(reference(at + 20, 22, pseudo(22)), 0xffff);
}
END_TEST

static const uint8_t src6[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = 2};
static const uint8_t dst6[16] = {0x20, 0x01, 0x0d, 0xb8, 0xff, 0xff, [14] = 1, [15] = 10};
static const struct dp_flow flow6 = {
	.src_ip6 = src6, .dst_ip6 = dst6, .src_port_be = 0x364e, .dst_port_be = 0xa00f, .dscp = 46};

/* RFC 8200 8.1. */
static uint32_t pseudo6(uint32_t udp_bytes)
{
	uint8_t ips[32];
	memcpy(ips, src6, 16);
	memcpy(ips + 16, dst6, 16);
	return reference(ips, 32, 17 + udp_bytes);
}

START_TEST(ipv6_headers_and_their_checksum)
{
	ck_assert_uint_eq(dp_flow_bytes(&flow), 28);
	ck_assert_uint_eq(dp_flow_bytes(&flow6), 48);
	for (uint16_t rtp = 12; rtp < 300; rtp++) {
		uint8_t at[400];
		for (uint32_t i = 0; i < sizeof(at); i++)
			at[i] = (uint8_t)rand();
		uint8_t behind = at[48 + rtp];
		dp_write_flow(at, &flow6, rtp);
		ck_assert_uint_eq(at[0] >> 4, 6);
		ck_assert_uint_eq((at[0] & 0x0f) << 4 | at[1] >> 4, 46 << 2);
		ck_assert_uint_eq(at[4] << 8 | at[5], 8 + rtp);
		ck_assert_uint_eq(at[6], 17);
		ck_assert_uint_eq(at[7], 64);
		ck_assert_mem_eq(at + 8, src6, 16);
		ck_assert_mem_eq(at + 24, dst6, 16);
		ck_assert_mem_eq(at + 40, &flow6.src_port_be, 2);
		ck_assert_mem_eq(at + 42, &flow6.dst_port_be, 2);
		ck_assert_uint_eq(at[44] << 8 | at[45], 8 + rtp);
		ck_assert_uint_ne(at[46] << 8 | at[47], 0);
		ck_assert_uint_eq(reference(at + 40, 8u + rtp, pseudo6(8u + rtp)), 0xffff);
		ck_assert_uint_eq(at[48 + rtp], behind);
	}
}
END_TEST

START_TEST(ipv6_checksums_are_never_none)
{
	uint8_t at[62] = {0};
	dp_write_flow(at, &flow6, 14);
	uint16_t was = (uint16_t)(at[46] << 8 | at[47]);
	at[60] = (uint8_t)(was >> 8);
	at[61] = (uint8_t)was;
	dp_write_flow(at, &flow6, 14);
	ck_assert_uint_eq(at[46] << 8 | at[47], 0xffff);
	ck_assert_uint_eq(reference(at + 40, 22, pseudo6(22)), 0xffff);
}
END_TEST

/* RFC 6437: the same for all packets of a flow, and different ones for many flows. */
START_TEST(flow_labels_are_of_the_flow)
{
	uint8_t a[80] = {0}, b[80] = {0};
	uint32_t seen = 0;
	dp_write_flow(a, &flow6, 12);
	memset(b + 48, 7, 20);
	dp_write_flow(b, &flow6, 20);
	ck_assert_mem_eq(a, b, 4);
	for (uint16_t port = 0; port < 1000; port++) {
		struct dp_flow other = flow6;
		other.dst_port_be = htobe16((uint16_t)(4000 + 2 * port));
		dp_write_flow(b, &other, 12);
		seen += memcmp(a, b, 4) != 0;
	}
	ck_assert_uint_ge(seen, 998);
}
END_TEST

START_TEST(links_with_and_without_a_tag)
{
	struct dp_link link = {.to = {1, 2, 3, 4, 5, 6}, .from = {7, 8, 9, 10, 11, 12}};
	uint8_t at[20] = {0};
	static const uint8_t plain[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 8, 0};
	static const uint8_t tagged[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 0x81, 0, 0x0f, 0xa1, 8, 0};
	ck_assert_uint_eq(dp_link_bytes(&link), sizeof(plain));
	dp_write_link(at, &link);
	ck_assert_mem_eq(at, plain, sizeof(plain));
	link.vlan = 4001;
	ck_assert_uint_eq(dp_link_bytes(&link), sizeof(tagged));
	dp_write_link(at, &link);
	ck_assert_mem_eq(at, tagged, sizeof(tagged));
	link.ipv6 = 1;
	dp_write_link(at, &link);
	ck_assert_uint_eq(at[16] << 8 | at[17], 0x86dd);
}
END_TEST

START_TEST(an_rtp_header_keeps_what_is_not_ours)
{
	uint8_t at[12] = {0xb3, 0xff};
	struct dp_rtp rtp = {
		.ssrc_be = htobe32(0x01020304), .ts = 0x05060708, .seq = 0x090a, .payload_type = 8};
	static const uint8_t changed[] = {0xb3, 8, 9, 10, 5, 6, 7, 8, 1, 2, 3, 4};
	dp_change_rtp(at, &rtp);
	ck_assert_mem_eq(at, changed, sizeof(changed));
	rtp.marker = 1;
	dp_write_rtp(at, &rtp);
	ck_assert_uint_eq(at[0], 0x80);
	ck_assert_uint_eq(at[1], 0x88);
}
END_TEST

TESTS("rewrite", sums_agree_with_the_definition_at_any_length,
	a_receiver_finds_every_field_and_both_checksums_right,
	a_checksum_that_comes_out_as_none_is_written_as_minus_none, links_with_and_without_a_tag,
	ipv6_headers_and_their_checksum, ipv6_checksums_are_never_none, flow_labels_are_of_the_flow,
	an_rtp_header_keeps_what_is_not_ours)
