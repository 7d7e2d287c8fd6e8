#include "dataplane/stream.h"

#include <string.h>

#include "dataplane/row.h"
#include "tests/unit/contract/suite.h"

#define HZ    2600000000ull
#define MS    (HZ / 1000)
#define START (HZ * 1000)

static struct tg_ingress from;
static struct tg_egress to;
static struct dp_clock clk;

static void setup(uint16_t next_seq, uint32_t next_ts)
{
	memset((void *)&from, 0, sizeof(from));
	memset((void *)&to, 0, sizeof(to));
	dp_clock_init(&clk, HZ);
	to.next_seq = next_seq;
	to.next_ts = next_ts;
}

static struct dp_mapping map(uint16_t seq, uint32_t ts, bool newest, uint64_t now)
{
	struct dp_mapping m = {.seq = seq, .ts = ts, .span = 160, .newest = newest};
	ck_assert(dp_stream_map(&from, &to, &m));
	atomic_store(&from.last_rx_tsc, now);
	return m;
}

START_TEST(a_source_continues_what_the_last_one_left)
{
	setup(65534, 0xffffff00);
	to.last_tx_tsc = START;
	/* 100 ms later: 80 ms more than the frame that would have followed. */
	dp_stream_join(&from, &to, &(struct dp_mapping){.seq = 7, .ts = 1000}, START + 100 * MS, &clk);
	struct dp_mapping m = map(7, 1000, true, START + 100 * MS);
	ck_assert_uint_eq(m.out_seq, 65534);
	ck_assert_uint_eq(m.out_ts, (uint32_t)(0xffffff00 + 80 * 8));
	/* Over both wraps, with a gap of one. */
	m = map(8, 1160, true, START + 120 * MS);
	ck_assert_uint_eq(m.out_seq, 65535);
	m = map(10, 1480, true, START + 160 * MS);
	ck_assert_uint_eq(m.out_seq, 1);
	ck_assert_uint_eq(m.out_ts, (uint32_t)(0xffffff00 + 80 * 8 + 480));
	dp_stream_leave(&from, &to);
	ck_assert_uint_eq(to.next_seq, 2);
	ck_assert_uint_eq(to.next_ts, m.out_ts + 160);
	ck_assert_uint_eq(to.last_tx_tsc, START + 160 * MS);
	/* Once only. */
	to.next_seq = 99;
	dp_stream_leave(&from, &to);
	ck_assert_uint_eq(to.next_seq, 99);
}
END_TEST

START_TEST(time_stamps_follow_real_time_over_a_change)
{
	setup(0, 5000);
	ck_assert_uint_eq(dp_stream_resume_ts(&to, START, &clk), 5000); /* nothing was sent yet */
	to.last_tx_tsc = START;
	ck_assert_uint_eq(dp_stream_resume_ts(&to, START + 5 * MS, &clk), 5000);
	ck_assert_uint_eq(dp_stream_resume_ts(&to, START + 20 * MS, &clk), 5000);
	ck_assert_uint_eq(dp_stream_resume_ts(&to, START + 1020 * MS, &clk), 5000 + 7999 + 1);
	/* A day of silence, and a clock reading from before the last packet. */
	ck_assert_uint_eq(
		dp_stream_resume_ts(&to, START + HZ * 86400 + 20 * MS, &clk), (uint32_t)(5000 + 691200000u));
	ck_assert_uint_eq(dp_stream_resume_ts(&to, START - 5 * MS, &clk), 5000);
}
END_TEST

START_TEST(late_packets_keep_their_place_unless_it_belongs_to_another_source)
{
	setup(500, 0);
	dp_stream_join(&from, &to, &(struct dp_mapping){.seq = 10, .ts = 0}, START, &clk);
	map(10, 0, true, START);
	map(13, 480, true, START);
	struct dp_mapping m = map(12, 320, false, START);
	ck_assert_uint_eq(m.out_seq, 502);
	ck_assert_uint_eq(from.last_out_seq, 503);
	/* 9 was overtaken before this leg was heard: 499 was the last source's. */
	struct dp_mapping old = {.seq = 9, .span = 160};
	ck_assert(!dp_stream_map(&from, &to, &old));
	/* Long after the join there is no such doubt. */
	for (uint32_t i = 14; i < 40014; i++)
		map((uint16_t)i, i * 160, true, START);
	m = map((uint16_t)40010, 40010 * 160, false, START);
	ck_assert_uint_eq(m.out_seq, (uint16_t)(500 + 40000));
}
END_TEST

START_TEST(withheld_packets_leave_no_gap_but_their_time)
{
	setup(100, 0);
	dp_stream_join(&from, &to, &(struct dp_mapping){.seq = 1, .ts = 1000}, START, &clk);
	map(1, 1000, true, START);
	for (uint16_t i = 2; i < 6; i++)
		dp_stream_withhold(&from, &to, true);
	dp_stream_withhold(&from, &to, false); /* a repeat takes no number */
	ck_assert_uint_eq(to.next_seq, 101);
	struct dp_mapping m = map(6, 1000 + 5 * 160, true, START + 100 * MS);
	ck_assert_uint_eq(m.out_seq, 101);
	ck_assert_uint_eq(m.out_ts, 5 * 160);
}
END_TEST

START_TEST(an_event_stands_for_its_whole_duration)
{
	setup(0, 0);
	dp_stream_join(&from, &to, &(struct dp_mapping){.seq = 0, .ts = 0}, START, &clk);
	map(0, 0, true, START);
	struct dp_mapping m = {.seq = 1, .ts = 160, .span = 800, .newest = true};
	ck_assert(dp_stream_map(&from, &to, &m));
	ck_assert_uint_eq(m.out_ts, 160);
	dp_stream_leave(&from, &to);
	ck_assert_uint_eq(to.next_ts, 160 + 800);
}
END_TEST

START_TEST(played_frames_step_evenly_and_pauses_show)
{
	struct dp_rtp rtp = {0};
	setup(65535, 0xffffffff);
	to.marker = 1;
	dp_stream_play(&to, START, &clk, &rtp);
	ck_assert_uint_eq(rtp.seq, 65535);
	ck_assert_uint_eq(rtp.ts, 0xffffffff);
	ck_assert_uint_eq(rtp.marker, 1);
	/* Due moments that are cut to ticks don't make the timestamps uneven. */
	dp_stream_play(&to, START + 20 * MS + 17, &clk, &rtp);
	ck_assert_uint_eq(rtp.seq, 0);
	ck_assert_uint_eq(rtp.ts, 159);
	ck_assert_uint_eq(rtp.marker, 0);
	/* Three frames weren't there: no gap in numbers, one in time, and a marker. */
	dp_stream_play(&to, START + 100 * MS + 17, &clk, &rtp);
	ck_assert_uint_eq(rtp.seq, 1);
	ck_assert_uint_eq(rtp.ts, 159 + 640);
	ck_assert_uint_eq(rtp.marker, 1);
}
END_TEST

START_TEST(begins_differ)
{
	struct tg_egress a, b;
	dp_stream_begin(&a, 1);
	dp_stream_begin(&b, 2);
	ck_assert(a.next_seq != b.next_seq && a.next_ts != b.next_ts);
	ck_assert_uint_eq(a.marker, 1);
}
END_TEST

TESTS("stream", a_source_continues_what_the_last_one_left, time_stamps_follow_real_time_over_a_change,
	late_packets_keep_their_place_unless_it_belongs_to_another_source,
	withheld_packets_leave_no_gap_but_their_time, an_event_stands_for_its_whole_duration,
	played_frames_step_evenly_and_pauses_show, begins_differ)
