#include "dataplane/rtcp_write.h"

#include <string.h>

#include "tests/unit/contract/suite.h"

static uint8_t out[DP_RTCP_BYTES_MAX];

static struct dp_rtcp_report report(void)
{
	struct dp_rtcp_report r = {.ssrc = 0x11223344,
		.has_sent = true,
		.has_block = true,
		.sent = {.ntp = 0xb44db70520000000ull,
			.rtp_ts = 0xa0a1a2a3,
			.packets = 258,
			.octets = 0x10203},
		.block = {.ssrc = 7,
			.fraction = 64,
			.lost = -2,
			.ext_seq = 0x10005,
			.jitter = 16,
			.lsr = 0xb7052000,
			.dlsr = 0x54000}};
	memcpy(r.cname, "abcdefghijklmnop", DP_CNAME_LETTERS);
	return r;
}

/* Bit for bit as section 6.4.1 draws it. */
START_TEST(sender_report)
{
	static const uint8_t expected[] = {0x81, 200, 0, 12, 0x11, 0x22, 0x33, 0x44, /* header, SSRC */
		0xb4, 0x4d, 0xb7, 0x05, 0x20, 0, 0, 0, 0xa0, 0xa1, 0xa2, 0xa3,       /* NTP, RTP */
		0, 0, 1, 2, 0, 1, 2, 3,                                              /* packets, octets */
		0, 0, 0, 7, 64, 0xff, 0xff, 0xfe, 0, 1, 0, 5,                        /* block */
		0, 0, 0, 16, 0xb7, 5, 0x20, 0, 0, 5, 0x40, 0,                        /* jitter, LSR, DLSR */
		0x81, 202, 0, 6, 0x11, 0x22, 0x33, 0x44, 1, 16, 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i',
		'j', 'k', 'l', 'm', 'n', 'o', 'p', 0, 0};
	struct dp_rtcp_report r = report();
	ck_assert_uint_eq(dp_rtcp_write(out, &r), sizeof(expected));
	ck_assert_mem_eq(out, expected, sizeof(expected));
}
END_TEST

START_TEST(receiver_report_and_bye)
{
	struct dp_rtcp_report r = report();
	r.has_sent = false;
	r.has_block = false;
	r.bye = true;
	ck_assert_uint_eq(dp_rtcp_write(out, &r), 8 + 28 + 8);
	static const uint8_t rr[] = {0x80, 201, 0, 1, 0x11, 0x22, 0x33, 0x44};
	static const uint8_t bye[] = {0x81, 203, 0, 1, 0x11, 0x22, 0x33, 0x44};
	ck_assert_mem_eq(out, rr, sizeof(rr));
	ck_assert_mem_eq(out + 36, bye, sizeof(bye));
}
END_TEST

/* RFC 3611 sections 4.4, 4.5, 4.7. */
START_TEST(extended_report)
{
	struct dp_rtcp_report r = report();
	r.has_sent = r.has_block = false;
	r.has_rrtr = r.has_dlrr = r.has_voip = true;
	r.rrtr_ntp = 0x0102030405060708ull;
	r.dlrr = (struct dp_rtcp_dlrr){7, 0xb7052000, 0x54000};
	r.voip = (struct dp_rtcp_voip){.ssrc = 7,
		.loss_rate = 1,
		.gap_ms = 0x0304,
		.round_trip_ms = 0x0506,
		.signal_dbm = DP_VOIP_UNKNOWN,
		.noise_dbm = -60,
		.gap_min = 16,
		.r_factor = 93,
		.mos_lq_x10 = 44,
		.rx_config = 0xc0,
		.jb_absolute_ms = 200};
	static const uint8_t expected[] = {0x80, 207, 0, 17, 0x11, 0x22, 0x33, 0x44, /* header, SSRC */
		4, 0, 0, 2, 1, 2, 3, 4, 5, 6, 7, 8,                                  /* RRTR */
		5, 0, 0, 3, 0, 0, 0, 7, 0xb7, 5, 0x20, 0, 0, 5, 0x40, 0,             /* DLRR */
		7, 0, 0, 8, 0, 0, 0, 7, 1, 0, 0, 0, 0, 0, 3, 4, 5, 6, 0, 0, 127, 0xc4, 0, 16, 93, 0, 44, 0,
		0xc0, 0, 0, 0, 0, 0, 0, 200};
	ck_assert_uint_eq(dp_rtcp_write(out, &r), 36 + sizeof(expected));
	ck_assert_mem_eq(out + 36, expected, sizeof(expected));
}
END_TEST

START_TEST(names)
{
	char a[DP_CNAME_LETTERS], b[DP_CNAME_LETTERS];
	dp_rtcp_cname(a, 1, 2);
	dp_rtcp_cname(b, 1, 2);
	ck_assert_mem_eq(a, b, sizeof(a));
	dp_rtcp_cname(b, 1, 3);
	ck_assert_mem_ne(a, b, sizeof(a));
	dp_rtcp_cname(b, 2, 2);
	ck_assert_mem_ne(a, b, sizeof(a));
	for (size_t i = 0; i < sizeof(a); i++)
		ck_assert(strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", a[i]));
}
END_TEST

TESTS("rtcp_write", sender_report, receiver_report_and_bye, extended_report, names)
