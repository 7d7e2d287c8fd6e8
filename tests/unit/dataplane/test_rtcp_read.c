#include "dataplane/rtcp_read.h"

#include <errno.h>
#include <string.h>

#include "dataplane/rtcp_write.h"
#include "dataplane/wire.h"
#include "tests/unit/contract/suite.h"

#define OURS   0x01020304u
#define THEIRS 0x0a0b0c0du

static uint8_t bytes[512];
static uint32_t n;
static struct dp_rtcp_seen seen;

static void add(const uint8_t *packet, uint32_t len)
{
	memcpy(bytes + n, packet, len);
	n += len;
}

static int read_it(void)
{
	/* A copy of the exact size: what is read behind it is found out. */
	uint8_t *exact = malloc(n ? n : 1);
	ck_assert_ptr_nonnull(exact);
	memcpy(exact, bytes, n);
	memset(&seen, 0, sizeof(seen));
	int e = dp_rtcp_read(exact, n, OURS, &seen);
	free(exact);
	return e;
}

/* SR of THEIRS with a block about another stream and one about ours. */
static void sender_report(void)
{
	static const uint8_t sr[] = {0x82, 200, 0, 18, 10, 11, 12, 13,                  /* header, SSRC */
		1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 160,                                   /* NTP, RTP */
		0, 0, 0, 50, 0, 0, 0x1f, 0x40,                                          /* packets, octets */
		9, 9, 9, 9, 1, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, /* another's */
		1, 2, 3, 4, 64, 0xff, 0xff, 0xfd, 0, 1, 0, 9, 0, 0, 0, 33, 3, 4, 5, 6, 0, 1, 0x80, 0};
	n = 0;
	add(sr, sizeof(sr));
}

START_TEST(reads_a_sender_report)
{
	sender_report();
	ck_assert_int_eq(read_it(), 0);
	ck_assert_uint_eq(seen.ssrc, THEIRS);
	ck_assert(seen.has_sent && seen.has_block && !seen.bye && !seen.has_rrtr && !seen.has_voip);
	ck_assert_uint_eq(seen.sent.ntp, 0x0102030405060708ull);
	ck_assert_uint_eq(seen.sent.rtp_ts, 160);
	ck_assert_uint_eq(seen.sent.packets, 50);
	ck_assert_uint_eq(seen.sent.octets, 8000);
	ck_assert_uint_eq(seen.block.fraction, 64);
	ck_assert_int_eq(seen.block.lost, -3);
	ck_assert_uint_eq(seen.block.ext_seq, 0x10009);
	ck_assert_uint_eq(seen.block.jitter, 33);
	ck_assert_uint_eq(seen.block.lsr, 0x03040506);
	ck_assert_uint_eq(seen.block.dlsr, 0x18000);
}
END_TEST

START_TEST(reads_what_we_write)
{
	struct dp_rtcp_report r = {.ssrc = THEIRS,
		.has_sent = true,
		.has_block = true,
		.has_rrtr = true,
		.has_dlrr = true,
		.has_voip = true,
		.bye = true,
		.sent = {.ntp = 5, .rtp_ts = 6, .packets = 7, .octets = 8},
		.block = {.ssrc = OURS, .lost = 0x7fffff, .jitter = 3},
		.rrtr_ntp = 0x123456789aull,
		.dlrr = {OURS, 11, 12},
		.voip = {.ssrc = OURS,
			.loss_rate = 13,
			.r_factor = 80,
			.jb_absolute_ms = 400,
			.noise_dbm = -5}};
	n = dp_rtcp_write(bytes, &r);
	ck_assert_int_eq(read_it(), 0);
	ck_assert(seen.bye && seen.has_rrtr && seen.has_dlrr && seen.has_voip);
	ck_assert_int_eq(seen.block.lost, 0x7fffff);
	ck_assert_uint_eq(seen.rrtr_ntp, r.rrtr_ntp);
	ck_assert_uint_eq(seen.dlrr.lrr, 11);
	ck_assert_uint_eq(seen.dlrr.dlrr, 12);
	ck_assert_uint_eq(seen.voip.loss_rate, 13);
	ck_assert_uint_eq(seen.voip.r_factor, 80);
	ck_assert_uint_eq(seen.voip.jb_absolute_ms, 400);
	ck_assert_int_eq(seen.voip.noise_dbm, -5);
	/* Another's stream: nothing about us. */
	ck_assert_int_eq(dp_rtcp_read(bytes, n, OURS + 1, &seen), 0);
	ck_assert(!seen.has_block && !seen.has_dlrr && !seen.has_voip && seen.has_sent);
}
END_TEST

/* A.2. */
START_TEST(refuses_what_is_not_a_compound_packet)
{
	sender_report();
	for (uint32_t cut = 0; cut < n; cut++)
		ck_assert_int_eq(dp_rtcp_read(bytes, cut, OURS, &seen), -EINVAL);
	n++;
	ck_assert_int_eq(read_it(), -EINVAL); /* longer than its lengths */
	sender_report();
	bytes[0] = 0x42; /* version */
	ck_assert_int_eq(read_it(), -EINVAL);
	sender_report();
	bytes[0] = 0x83; /* one block more than there is room for */
	ck_assert_int_eq(read_it(), -EINVAL);
	sender_report();
	bytes[1] = DP_RTCP_SDES; /* first is neither SR nor RR */
	ck_assert_int_eq(read_it(), -EINVAL);
	sender_report();
	bytes[0] |= 0x20; /* first is padded */
	bytes[n - 1] = 4;
	ck_assert_int_eq(read_it(), -EINVAL);
}
END_TEST

static int with(const uint8_t *packet, uint32_t len)
{
	sender_report();
	add(packet, len);
	return read_it();
}
#define WITH(...) with((const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

START_TEST(padding)
{
	ck_assert_int_eq(WITH(0xa0, 204, 0, 3, 'n', 'a', 'm', 'e', 0, 0, 0, 0, 0, 0, 0, 4), 0);
	ck_assert_int_eq(WITH(0xa0, 204, 0, 3, 'n', 'a', 'm', 'e', 0, 0, 0, 0, 0, 0, 0, 12), 0);
	ck_assert_int_eq(WITH(0xa0, 204, 0, 3, 'n', 'a', 'm', 'e', 0, 0, 0, 0, 0, 0, 0, 16), -EINVAL);
	ck_assert_int_eq(WITH(0xa0, 204, 0, 3, 'n', 'a', 'm', 'e', 0, 0, 0, 0, 0, 0, 0, 3), -EINVAL);
	ck_assert_int_eq(WITH(0xa0, 204, 0, 3, 'n', 'a', 'm', 'e', 0, 0, 0, 0, 0, 0, 0, 0), -EINVAL);
	ck_assert_int_eq(WITH(0xa0, 204, 0, 1, 0, 0, 0, 4, 0x80, 204, 0, 0), -EINVAL); /* not the last */
	ck_assert_int_eq(WITH(0xa0, 204, 0, 0), -EINVAL);
}
END_TEST

START_TEST(descriptions)
{
	ck_assert_int_eq(WITH(0x81, 202, 0, 2, 1, 2, 3, 4, 1, 1, 'x', 0), 0);
	ck_assert_int_eq(WITH(0x81, 202, 0, 3, 1, 2, 3, 4, 1, 1, 'x', 0, 0, 0, 0, 0), 0); /* words behind */
	ck_assert_int_eq(WITH(0x80, 202, 0, 0), 0);
	ck_assert_int_eq(WITH(0x82, 202, 0, 4, 1, 2, 3, 4, 1, 1, 'x', 0, 5, 6, 7, 8, 0, 0, 0, 0), 0);
	ck_assert_int_eq(WITH(0x81, 202, 0, 2, 1, 2, 3, 4, 1, 2, 'x', 'y'), -EINVAL); /* no end */
	ck_assert_int_eq(WITH(0x81, 202, 0, 2, 1, 2, 3, 4, 1, 200, 'x', 'y'), -EINVAL);
	ck_assert_int_eq(WITH(0x81, 202, 0, 1, 1, 2, 3, 4), -EINVAL);
	ck_assert_int_eq(WITH(0x82, 202, 0, 2, 1, 2, 3, 4, 1, 1, 'x', 0), -EINVAL);
}
END_TEST

START_TEST(goodbyes)
{
	ck_assert_int_eq(WITH(0x81, 203, 0, 1, 10, 11, 12, 13), 0);
	ck_assert(seen.bye);
	ck_assert_int_eq(WITH(0x81, 203, 0, 3, 1, 1, 1, 1, 4, 'a', 'w', 'a', 'y', 0, 0, 0), 0);
	ck_assert(!seen.bye); /* another's */
	ck_assert_int_eq(WITH(0x82, 203, 0, 1, 10, 11, 12, 13), -EINVAL);
	ck_assert_int_eq(WITH(0x81, 203, 0, 2, 10, 11, 12, 13, 4, 'a', 'w', 'a'), -EINVAL);
	ck_assert_int_eq(WITH(0x80, 203, 0, 0), 0);
}
END_TEST

START_TEST(extended_reports)
{
	/* An unknown block, one of a wrong length, then RRTR. */
	ck_assert_int_eq(WITH(0x80, 207, 0, 7, 10, 11, 12, 13, 99, 0, 0, 1, 0, 0, 0, 0, 4, 0, 0, 0, 4, 0, 0,
				 2, 0, 0, 0, 1, 0, 0, 0, 2),
		0);
	ck_assert(seen.has_rrtr);
	ck_assert_uint_eq(seen.rrtr_ntp, 0x100000002ull);
	ck_assert_int_eq(WITH(0x80, 207, 0, 2, 10, 11, 12, 13, 4, 0, 0, 2), -EINVAL); /* block too long */
	ck_assert_int_eq(WITH(0x80, 207, 0, 0), -EINVAL);
	/* Feedback and types to come are passed over. */
	ck_assert_int_eq(WITH(0x81, 206, 0, 2, 1, 2, 3, 4, 5, 6, 7, 8, 0x80, 222, 0, 0), 0);
}
END_TEST

TESTS("rtcp_read", reads_a_sender_report, reads_what_we_write, refuses_what_is_not_a_compound_packet, padding,
	descriptions, goodbyes, extended_reports)
