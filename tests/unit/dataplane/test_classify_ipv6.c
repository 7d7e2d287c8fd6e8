#include <endian.h>
#include <string.h>

#include "contract/drop.h"
#include "dataplane/classify.h"
#include "tests/unit/contract/suite.h"

#define IP      14
#define UDP     (IP + 40)
#define RTP     (UDP + 8)
#define PAYLOAD 16

static struct dp_local local;
static uint8_t frame[2048];
static uint32_t bytes;
static struct dp_packet p;
static uint8_t *tight;

static void put16(uint32_t at, uint32_t v)
{
	frame[at] = (uint8_t)(v >> 8);
	frame[at + 1] = (uint8_t)v;
}

/* RTP, 12 + 4 bytes, from [2001:db8::a]:4000 to [2001:db8::2]:20022. */
static void setup(void)
{
	static const uint8_t rtp[] = {0x80, 0x80, 0x12, 0x34, 0, 0, 0, 160, 0xa, 0xb, 0xc, 0xd, 1, 2, 3, 4};
	static const uint8_t prefix[] = {0x20, 0x01, 0x0d, 0xb8};
	struct tg_capacity cap = {
		.workers = 1, .addresses = 2, .ipv6_addresses = 1, .port_min = 20000, .ports = 100};
	cap.address[0] = tg_addr_ipv4(htobe32(0xc6120001));
	cap.address[1] = (struct tg_addr){.b = {0x20, 0x01, 0x0d, 0xb8, [15] = 2}, .family = TG_FAMILY_IPV6};
	dp_local_init(&local, &cap, 0);
	memset(frame, 0, sizeof(frame));
	put16(12, 0x86dd);
	frame[IP] = 0x6b;
	frame[IP + 1] = 0x80;
	put16(IP + 4, 8 + PAYLOAD);
	frame[IP + 6] = 17;
	frame[IP + 7] = 64;
	memcpy(frame + IP + 8, prefix, 4);
	frame[IP + 23] = 10;
	memcpy(frame + IP + 24, prefix, 4);
	frame[IP + 39] = 2;
	put16(UDP, 4000);
	put16(UDP + 2, 20022);
	put16(UDP + 4, 8 + PAYLOAD);
	put16(UDP + 6, 0xbeef);
	memcpy(frame + RTP, rtp, sizeof(rtp));
	bytes = RTP + PAYLOAD;
}

/* The frame lies at the end of memory that was allocated for it, so that a sanitizer sees a byte too many. */
static void classify(uint16_t vlan)
{
	free(tight);
	tight = malloc(bytes ? bytes : 1);
	memcpy(tight, frame, bytes);
	dp_classify(&local, tight, bytes, vlan, &p);
}

static void expect_drop(enum tg_drop why)
{
	classify(0);
	ck_assert_int_eq(p.verdict, DP_DROP);
	ck_assert_str_eq(tg_drop_info[p.drop].name, tg_drop_info[why].name);
}

static void expect_kernel(void)
{
	classify(0);
	ck_assert_int_eq(p.verdict, DP_KERNEL);
}

/* Puts a header of n bytes between IPv6 and what follows; its first byte says what follows. */
static void extend(uint8_t kind, uint32_t n)
{
	memmove(frame + UDP + n, frame + UDP, bytes - UDP);
	memset(frame + UDP, 0, n);
	frame[UDP] = frame[IP + 6];
	frame[UDP + 1] = kind == 51 ? (uint8_t)(n / 4 - 2) : kind == 44 ? 0 : (uint8_t)(n / 8 - 1);
	frame[IP + 6] = kind;
	bytes += n;
	put16(IP + 4, bytes - UDP);
}

START_TEST(all_fields_of_a_good_packet)
{
	setup();
	classify(0);
	ck_assert_int_eq(p.verdict, DP_RTP);
	ck_assert_uint_eq(p.leg, 50 + 11);
	ck_assert_ptr_eq(p.src_ip6, tight + IP + 8);
	ck_assert_uint_eq(p.src_ip_be, 0);
	ck_assert_uint_eq(p.src_port_be, htobe16(4000));
	ck_assert_uint_eq(p.rtp_at, RTP);
	ck_assert_uint_eq(p.rtp_bytes, PAYLOAD);
	ck_assert_uint_eq(p.payload_bytes, 4);
	ck_assert_uint_eq(p.seq, 0x1234);
	ck_assert_uint_eq(p.ts, 160);
	ck_assert_uint_eq(p.ssrc, 0x0a0b0c0d);
	ck_assert_uint_eq(p.marker, 1);
}
END_TEST

START_TEST(only_the_ports_own_vlan_is_ours)
{
	setup();
	memmove(frame + 18, frame + 14, bytes - 14);
	put16(12, 0x8100);
	put16(14, 100);
	put16(16, 0x86dd);
	bytes += 4;
	classify(100);
	ck_assert_int_eq(p.verdict, DP_RTP);
	ck_assert_uint_eq(p.rtp_at, RTP + 4);
	expect_kernel();
}
END_TEST

START_TEST(odd_ports_are_rtcp)
{
	setup();
	put16(UDP + 2, 20023);
	classify(0);
	ck_assert_int_eq(p.verdict, DP_RTCP);
	ck_assert_uint_eq(p.leg, 50 + 11);
	ck_assert(!p.on_media_port);
	ck_assert_uint_eq(p.rtp_bytes, PAYLOAD);
	ck_assert_uint_eq(p.rtp_at, RTP);
}
END_TEST

START_TEST(rtcp_on_the_rtps_port_is_told_by_its_type)
{
	static const struct {
		uint8_t type;
		bool rtcp;
	} of[] = {{191, false}, {192, true}, {200, true}, {223, true}, {224, false}};
	for (size_t i = 0; i < sizeof(of) / sizeof(*of); i++) {
		setup();
		frame[RTP + 1] = of[i].type;
		classify(0);
		ck_assert_int_eq(p.verdict, of[i].rtcp ? DP_RTCP : DP_RTP);
		ck_assert_int_eq(p.on_media_port, of[i].rtcp);
		ck_assert_uint_eq(p.leg, 50 + 11);
		ck_assert_ptr_eq(p.src_ip6, tight + IP + 8);
		ck_assert_uint_eq(p.rtp_bytes, PAYLOAD);
	}
}
END_TEST

START_TEST(what_is_not_for_a_media_port_is_the_kernels)
{
	setup();
	frame[IP + 39] = 3; /* another address */
	expect_kernel();
	setup();
	put16(UDP + 2, 5060);
	expect_kernel();
	static const uint8_t protocols[] = {58, 6, 1, 4, 41, 47, 50, 59, 132, 253, 255};
	for (size_t i = 0; i < sizeof(protocols); i++) { /* ICMPv6 (ND, MLD), TCP, ... */
		setup();
		frame[IP + 6] = protocols[i];
		expect_kernel();
		extend(0, 8); /* router alert in front */
		expect_kernel();
	}
	/* Neighbour solicitation to the solicited-node group. */
	setup();
	frame[IP + 6] = 58;
	memset(frame + IP + 24, 0, 16);
	frame[IP + 24] = 0xff;
	frame[IP + 25] = 2;
	frame[IP + 39] = 1;
	expect_kernel();
	/* A short ICMPv6 message is no runt. */
	setup();
	frame[IP + 6] = 58;
	bytes = UDP + 4;
	expect_kernel();
}
END_TEST

START_TEST(extension_headers_are_dropped_by_name)
{
	static const uint8_t kinds[] = {0, 43, 60, 51};
	for (size_t i = 0; i < sizeof(kinds); i++)
		for (uint32_t n = 8; n <= 64; n += 8) {
			setup();
			extend(kinds[i], n);
			expect_drop(TG_DROP_ip_extension);
			ck_assert_uint_eq(p.leg, 50 + 11);
			ck_assert_ptr_eq(p.src_ip6, tight + IP + 8);
		}
	setup();
	extend(60, 8);
	extend(43, 24);
	extend(0, 8);
	expect_drop(TG_DROP_ip_extension);
	/* More than anybody sends are not followed. */
	setup();
	for (int i = 0; i < 9; i++)
		extend(60, 8);
	expect_kernel();
	/* A header that says it goes on behind the frame. */
	setup();
	extend(60, 8);
	frame[UDP + 1] = 200;
	classify(0);
	ck_assert_int_ne(p.verdict, DP_RTP);
}
END_TEST

START_TEST(fragments_are_dropped_by_name_and_later_ones_are_the_kernels)
{
	setup();
	extend(44, 8); /* an atomic one, RFC 6946 */
	expect_drop(TG_DROP_fragment);
	put16(UDP + 2, 1); /* the first of several */
	expect_drop(TG_DROP_fragment);
	put16(UDP + 2, 185 << 3);
	expect_kernel();
	setup();
	extend(44, 8);
	extend(0, 8);
	expect_drop(TG_DROP_fragment);
}
END_TEST

START_TEST(lengths_that_disagree)
{
	setup();
	put16(UDP + 4, 8 + PAYLOAD - 1);
	expect_drop(TG_DROP_bad_length);
	setup();
	put16(UDP + 4, 7);
	expect_drop(TG_DROP_bad_length);
	setup();
	put16(IP + 4, 0); /* a jumbogram's */
	expect_drop(TG_DROP_bad_length);
	setup();
	put16(IP + 4, 8 + PAYLOAD + 1);
	put16(UDP + 4, 8 + PAYLOAD + 1);
	expect_drop(TG_DROP_runt);
	setup();
	frame[IP] = 0x4b;
	expect_drop(TG_DROP_ip_header);
	for (bytes = 14; bytes < RTP + PAYLOAD; bytes++) {
		uint32_t cut = bytes;
		setup();
		bytes = cut;
		classify(0);
		ck_assert_int_ne(p.verdict, DP_RTP);
	}
	/* Ethernet padding is no part of it. */
	setup();
	bytes += 20;
	classify(0);
	ck_assert_uint_eq(p.rtp_bytes, PAYLOAD);
}
END_TEST

START_TEST(a_checksum_is_a_must)
{
	setup();
	put16(UDP + 6, 0);
	expect_drop(TG_DROP_udp_checksum);
}
END_TEST

START_TEST(an_impossible_source_matches_nobody)
{
	static const uint8_t sources[][16] = {{0}, {0xff, 0x02, [15] = 1}, {0xfe, 0x80, [15] = 1},
		{0xfe, 0xbf, [15] = 1}, {[10] = 0xff, [11] = 0xff, [12] = 198, [13] = 18, [15] = 10}};
	for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++) {
		setup();
		memcpy(frame + IP + 8, sources[i], 16);
		expect_drop(TG_DROP_wrong_source);
	}
	setup();
	put16(UDP, 0);
	expect_drop(TG_DROP_wrong_source);
}
END_TEST

START_TEST(random_damage_is_never_believed)
{
	uint32_t accepted = 0;
	srand(6);
	for (int i = 0; i < 300000; i++) {
		setup();
		if (rand() % 3 == 0)
			extend((uint8_t)(rand() % 64), 8u * (1u + (uint32_t)rand() % 4));
		for (int k = rand() % 4; k >= 0; k--)
			frame[rand() % (RTP + PAYLOAD)] = (uint8_t)rand();
		bytes -= (uint32_t)rand() % 8;
		classify(0);
		if (p.verdict != DP_RTP)
			continue;
		accepted++;
		ck_assert(p.leg >= 50 && p.leg < 100 && p.src_ip6);
		ck_assert_uint_le(p.rtp_at + p.rtp_bytes, bytes);
		ck_assert_uint_le(p.header_bytes + p.payload_bytes, p.rtp_bytes);
	}
	ck_assert_uint_gt(accepted, 1000);
}
END_TEST

TESTS("classify_ipv6", all_fields_of_a_good_packet, only_the_ports_own_vlan_is_ours, odd_ports_are_rtcp,
	rtcp_on_the_rtps_port_is_told_by_its_type, what_is_not_for_a_media_port_is_the_kernels,
	extension_headers_are_dropped_by_name, fragments_are_dropped_by_name_and_later_ones_are_the_kernels,
	lengths_that_disagree, a_checksum_is_a_must, an_impossible_source_matches_nobody,
	random_damage_is_never_believed)
