#include "dataplane/classify.h"

#include <endian.h>
#include <string.h>

#include "contract/drop.h"
#include "tests/unit/contract/suite.h"

static struct dp_local local;

/* RTP, 12 + 4 bytes, from 198.18.0.10:4000 to 198.18.0.2:20022. */
static const uint8_t good[] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0, 0x45, 0, 0, 44, 0, 1, 0x40, 0, 64,
	17, 0, 0, 198, 18, 0, 10, 198, 18, 0, 2, 15, 160, 78, 54, 0, 24, 0, 0, 0x80, 0x80, 0x12, 0x34, 0, 0,
	0, 160, 0xa, 0xb, 0xc, 0xd, 1, 2, 3, 4};

static uint8_t frame[2048];
static uint32_t bytes;
static struct dp_packet p;

static void setup(void)
{
	struct tg_capacity cap = {.workers = 1, .addresses = 2, .port_min = 20000, .ports = 100};
	cap.address[0] = tg_addr_ipv4(htobe32(0xc6120001));
	cap.address[1] = tg_addr_ipv4(htobe32(0xc6120002));
	dp_local_init(&local, &cap, 0);
	memcpy(frame, good, sizeof(good));
	bytes = sizeof(good);
}

/* The frame lies at the end of memory that was allocated for it, so that a sanitizer sees a byte too many. */
static void classify(uint16_t vlan)
{
	uint8_t *tight = malloc(bytes ? bytes : 1);
	memcpy(tight, frame, bytes);
	dp_classify(&local, tight, bytes, vlan, &p);
	free(tight);
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

START_TEST(all_fields_of_a_good_packet)
{
	setup();
	classify(0);
	ck_assert_int_eq(p.verdict, DP_RTP);
	ck_assert_uint_eq(p.leg, 50 + 11);
	ck_assert_uint_eq(p.src_ip_be, htobe32(0xc612000a));
	ck_assert_uint_eq(p.src_port_be, htobe16(4000));
	ck_assert_uint_eq(p.rtp_at, 42);
	ck_assert_ptr_null(p.src_ip6);
	ck_assert_uint_eq(p.rtp_bytes, 16);
	ck_assert_uint_eq(p.header_bytes, 12);
	ck_assert_uint_eq(p.payload_bytes, 4);
	ck_assert_uint_eq(p.payload_type, 0);
	ck_assert_uint_eq(p.marker, 1);
	ck_assert_uint_eq(p.seq, 0x1234);
	ck_assert_uint_eq(p.ts, 160);
	ck_assert_uint_eq(p.ssrc, 0x0a0b0c0d);
}
END_TEST

START_TEST(padding_of_the_ethernet_frame_is_no_part_of_it)
{
	setup();
	bytes = 64;
	classify(0);
	ck_assert_int_eq(p.verdict, DP_RTP);
	ck_assert_uint_eq(p.rtp_bytes, 16);
}
END_TEST

START_TEST(no_length_reads_behind_the_frame_or_passes_as_rtp)
{
	for (uint32_t n = 0; n < sizeof(good); n++) {
		setup();
		bytes = n;
		classify(0);
		ck_assert_int_eq(p.verdict, DP_DROP);
		ck_assert_int_eq(p.drop, TG_DROP_runt);
	}
}
END_TEST

static void tag(uint16_t id)
{
	memmove(frame + 16, frame + 12, bytes - 12);
	frame[12] = 0x81;
	frame[13] = 0;
	frame[14] = (uint8_t)(id >> 8);
	frame[15] = (uint8_t)id;
	bytes += 4;
}

START_TEST(only_the_ports_own_vlan_is_ours)
{
	setup();
	tag(0xe000 | 100); /* priority bits don't matter */
	classify(100);
	ck_assert_int_eq(p.verdict, DP_RTP);
	ck_assert_uint_eq(p.rtp_at, 46);
	classify(101);
	ck_assert_int_eq(p.verdict, DP_KERNEL);
	classify(0);
	ck_assert_int_eq(p.verdict, DP_KERNEL);
	setup();
	classify(100);
	ck_assert_int_eq(p.verdict, DP_KERNEL);
	setup();
	tag(0);
	classify(0);
	ck_assert_int_eq(p.verdict, DP_RTP);
	setup();
	tag(5);
	tag(5); /* two tags */
	classify(5);
	ck_assert_int_eq(p.verdict, DP_KERNEL);
	bytes = 17;
	expect_drop(TG_DROP_runt);
}
END_TEST

START_TEST(what_is_not_for_a_media_port_is_the_kernels)
{
	setup();
	frame[13] = 6; /* ARP */
	expect_kernel();
	setup();
	frame[33] = 3; /* another address */
	expect_kernel();
	setup();
	frame[23] = 6; /* TCP */
	expect_kernel();
	setup();
	frame[36] = 5060 >> 8;
	frame[37] = 5060 & 0xff;
	expect_kernel();
	setup();
	frame[36] = 20100 >> 8; /* the first port behind the range */
	frame[37] = 20100 & 0xff;
	expect_kernel();
	setup();
	frame[21] = 1; /* a later fragment has no port */
	expect_kernel();
}
END_TEST

START_TEST(ip_headers_that_are_not_plain)
{
	setup();
	frame[14] = 0x65;
	expect_drop(TG_DROP_ip_header);
	setup();
	frame[14] = 0x44;
	expect_drop(TG_DROP_ip_header);
	setup();
	frame[17] = 19; /* total length below the header's */
	expect_drop(TG_DROP_ip_header);
	setup();
	frame[20] = 0x20; /* more fragments */
	expect_drop(TG_DROP_fragment);
	setup(); /* options: UDP lies four bytes further on */
	memmove(frame + 38, frame + 34, bytes - 34);
	frame[14] = 0x46;
	frame[17] = 48;
	bytes += 4;
	expect_drop(TG_DROP_ip_header);
	ck_assert_uint_eq(p.leg, 61);
	setup();
	frame[14] = 0x4f; /* options that reach behind the frame */
	frame[17] = 100;
	expect_drop(TG_DROP_runt);
}
END_TEST

START_TEST(lengths_that_disagree)
{
	setup();
	frame[39] = 23;
	expect_drop(TG_DROP_bad_length);
	setup();
	frame[39] = 7;
	expect_drop(TG_DROP_bad_length);
	setup();
	frame[38] = 0xff;
	expect_drop(TG_DROP_bad_length);
	setup();
	frame[17] = 45; /* more than the frame has */
	expect_drop(TG_DROP_runt);
	setup();
	frame[16] = 0xff;
	expect_drop(TG_DROP_runt);
}
END_TEST

START_TEST(an_impossible_source_matches_nobody)
{
	setup();
	memset(frame + 26, 0, 4);
	expect_drop(TG_DROP_wrong_source);
	setup();
	memset(frame + 34, 0, 2);
	expect_drop(TG_DROP_wrong_source);
}
END_TEST

START_TEST(odd_ports_are_rtcp)
{
	setup();
	frame[37]++;
	classify(0);
	ck_assert_int_eq(p.verdict, DP_RTCP);
	ck_assert_uint_eq(p.leg, 61);
	ck_assert_uint_eq(p.on_media_port, 0);
	ck_assert_uint_eq(p.rtp_bytes, 16);
}
END_TEST

/* RFC 5761 section 4: 192 to 223 in the second byte. */
START_TEST(rtcp_on_the_media_port)
{
	for (uint32_t second = 0; second < 256; second++) {
		setup();
		frame[43] = (uint8_t)second;
		classify(0);
		bool rtcp = second >= 192 && second <= 223;
		ck_assert_int_eq(p.verdict, rtcp ? DP_RTCP : DP_RTP);
		ck_assert_uint_eq(p.on_media_port, rtcp);
		ck_assert_uint_eq(p.rtp_bytes, 16);
	}
}
END_TEST

START_TEST(rtp_headers_that_do_not_fit)
{
	setup();
	frame[42] = 0x40; /* version 1 */
	expect_drop(TG_DROP_bad_rtp);
	ck_assert_uint_eq(p.leg, 61);
	setup();
	frame[42] = 0x82; /* two CSRCs in four bytes */
	expect_drop(TG_DROP_bad_rtp);
	setup();
	frame[42] = 0x81; /* one fits exactly */
	classify(0);
	ck_assert_int_eq(p.verdict, DP_RTP);
	ck_assert_uint_eq(p.payload_bytes, 0);
	setup();
	frame[42] = 0x90; /* an extension of 0x0304 words */
	expect_drop(TG_DROP_bad_rtp);
	setup();
	frame[42] = 0x90;
	frame[56] = frame[57] = 0;
	classify(0);
	ck_assert_int_eq(p.verdict, DP_RTP);
	ck_assert_uint_eq(p.header_bytes, 16);
	setup();
	frame[42] = 0x91; /* a CSRC leaves no room for the extension */
	expect_drop(TG_DROP_bad_rtp);
	setup();
	frame[42] = 0xa0; /* four bytes of padding in four */
	classify(0);
	ck_assert_int_eq(p.verdict, DP_RTP);
	ck_assert_uint_eq(p.payload_bytes, 0);
	ck_assert_uint_eq(p.rtp_bytes, 16);
	frame[57] = 5;
	expect_drop(TG_DROP_bad_rtp);
	frame[57] = 0; /* padding counts itself */
	expect_drop(TG_DROP_bad_rtp);
}
END_TEST

START_TEST(an_rtp_packet_that_is_too_short)
{
	for (uint8_t n = 0; n < 12; n++) {
		setup();
		frame[17] = (uint8_t)(28 + n);
		frame[39] = (uint8_t)(8 + n);
		expect_drop(TG_DROP_bad_rtp);
	}
}
END_TEST

START_TEST(random_damage_is_never_believed)
{
	unsigned accepted = 0;
	srand(1);
	for (int i = 0; i < 300000; i++) {
		setup();
		for (int k = rand() % 4; k >= 0; k--)
			frame[rand() % (int)sizeof(good)] = (uint8_t)rand();
		bytes = (uint32_t)rand() % 80;
		classify(0);
		if (p.verdict != DP_RTP)
			continue;
		accepted++;
		ck_assert_uint_lt(p.leg, 100);
		ck_assert_uint_le(p.rtp_at + p.rtp_bytes, bytes);
		ck_assert_uint_le(p.header_bytes + p.payload_bytes, p.rtp_bytes);
	}
	ck_assert_uint_gt(accepted, 1000);
}
END_TEST

TESTS("classify", all_fields_of_a_good_packet, padding_of_the_ethernet_frame_is_no_part_of_it,
	no_length_reads_behind_the_frame_or_passes_as_rtp, only_the_ports_own_vlan_is_ours,
	what_is_not_for_a_media_port_is_the_kernels, ip_headers_that_are_not_plain, lengths_that_disagree,
	an_impossible_source_matches_nobody, odd_ports_are_rtcp, rtcp_on_the_media_port,
	rtp_headers_that_do_not_fit, an_rtp_packet_that_is_too_short, random_damage_is_never_believed)
