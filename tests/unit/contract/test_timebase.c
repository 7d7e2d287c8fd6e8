#include "contract/timebase.h"

#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "tests/unit/contract/suite.h"

#define GHZ 2000000000ull

/* 2 GHz from tick 1000 at 1 s UTC. */
static struct tg_timebase made_up(void)
{
	struct tg_timebase tb;
	memset(&tb, 0, sizeof(tb));
	tb.base_tsc = 1000;
	tb.base_utc_ns = CLOCK_NS_PER_S;
	tb.ticks_per_s = GHZ;
	tb.ns_per_tick_q32 = 1ull << 31;
	return tb;
}

START_TEST(ticks_become_time)
{
	struct tg_timebase tb = made_up();
	ck_assert_uint_eq(tg_timebase_utc_ns(&tb, 1000), CLOCK_NS_PER_S);
	ck_assert_uint_eq(tg_timebase_utc_ns(&tb, 1000 + GHZ), 2 * CLOCK_NS_PER_S);
	/* Hours without a refresh, and a reading from before the last one. */
	ck_assert_uint_eq(tg_timebase_utc_ns(&tb, 1000 + GHZ * 36000), 36001 * CLOCK_NS_PER_S);
	ck_assert_uint_eq(tg_timebase_utc_ns(&tb, 998), CLOCK_NS_PER_S - 1);
}
END_TEST

START_TEST(time_never_goes_back_whatever_the_wall_clock_does)
{
	struct tg_timebase tb = made_up();
	uint64_t tsc = 1000, wall = CLOCK_NS_PER_S, before = 0;
	static const int64_t step[] = {0, 3600, -7200, 1, -1, 0, 86400, -86400};
	for (size_t i = 0; i < 4000; i++) {
		tsc += GHZ / 100 * (1 + i % 200);
		wall += CLOCK_NS_PER_S / 100 * (1 + i % 200);
		wall += (uint64_t)(step[i % 8] * (int64_t)CLOCK_NS_PER_S);
		uint64_t last = tg_timebase_utc_ns(&tb, tsc - 1);
		ck_assert_uint_ge(last, before);
		tg_timebase_refresh(&tb, tsc, wall);
		uint64_t here = tg_timebase_utc_ns(&tb, tsc);
		ck_assert_uint_ge(here, last);
		before = here;
	}
}
END_TEST

START_TEST(a_small_error_is_gone_after_some_seconds_and_a_large_one_slews)
{
	struct tg_timebase tb = made_up();
	uint64_t tsc = 1000, wall = CLOCK_NS_PER_S + 400000; /* 400 us ahead */
	int64_t off = tg_timebase_refresh(&tb, tsc, wall);
	ck_assert_int_eq(off, 400000);
	tsc += GHZ;
	wall += CLOCK_NS_PER_S;
	off = tg_timebase_refresh(&tb, tsc, wall);
	ck_assert_int_lt(off < 0 ? -off : off, 1000);
	/* Almost a second ahead: 500 ppm and no more. */
	wall += CLOCK_NS_PER_S - CLOCK_NS_PER_MS;
	tg_timebase_refresh(&tb, tsc, wall);
	uint64_t a = tg_timebase_utc_ns(&tb, tsc), b = tg_timebase_utc_ns(&tb, tsc + GHZ);
	ck_assert_uint_ge(b - a, 1000499000);
	ck_assert_uint_le(b - a, 1000501000);
}
END_TEST

/* Refreshes `seconds` times, once per second. Returns what the last one found. */
static int64_t run(struct tg_timebase *tb, uint64_t *tsc, uint64_t *wall, int seconds)
{
	int64_t off = 0;
	while (seconds--) {
		*tsc += GHZ;
		*wall += CLOCK_NS_PER_S;
		off = tg_timebase_refresh(tb, *tsc, *wall);
	}
	return off;
}

START_TEST(a_step_is_kept_beside_the_mapping_which_goes_on)
{
	struct tg_timebase tb = made_up();
	uint64_t tsc = 1000, wall = CLOCK_NS_PER_S, hour = 3600 * CLOCK_NS_PER_S;
	ck_assert_int_eq(run(&tb, &tsc, &wall, 5), 0);
	static const int hours[] = {1, -2, 5};
	int64_t stepped = 0;
	for (int i = 0; i < 3; i++) {
		uint64_t here = tg_timebase_utc_ns(&tb, tsc), begun = tsc;
		int64_t by = hours[i] * (int64_t)hour;
		wall += (uint64_t)by;
		ck_assert_int_eq(run(&tb, &tsc, &wall, 1), by);
		stepped += by;
		ck_assert_int_eq(tg_timebase_step_ns(&tb), stepped);
		ck_assert_int_eq(run(&tb, &tsc, &wall, 10), 0);
		ck_assert_uint_eq(tg_timebase_utc_ns(&tb, tsc) - here, (tsc - begun) / 2);
		ck_assert_uint_eq(tg_timebase_utc_ns(&tb, tsc) + (uint64_t)stepped, wall);
	}
	/* Back to where it was, but for half a second: no step any more, and that is slewed away. */
	wall -= (uint64_t)stepped - CLOCK_NS_PER_S / 2;
	run(&tb, &tsc, &wall, 1);
	ck_assert_int_eq(tg_timebase_step_ns(&tb), 0);
	int64_t off = run(&tb, &tsc, &wall, 100);
	ck_assert_int_lt(off, (int64_t)CLOCK_NS_PER_S / 2 - 49 * (int64_t)CLOCK_NS_PER_MS);
	ck_assert_int_gt(off, (int64_t)CLOCK_NS_PER_S / 2 - 51 * (int64_t)CLOCK_NS_PER_MS);
	off = run(&tb, &tsc, &wall, 1000);
	ck_assert_int_lt(off < 0 ? -off : off, 1000);
}
END_TEST

START_TEST(a_writer_that_was_killed_stops_no_reader)
{
	struct tg_timebase tb = made_up();
	tb.version = 7;
	ck_assert_uint_eq(tg_timebase_utc_ns(&tb, 1000 + GHZ), 2 * CLOCK_NS_PER_S);
	tg_timebase_refresh(&tb, 1000 + GHZ, 2 * CLOCK_NS_PER_S);
	ck_assert_uint_eq(tb.version % 2, 0);
}
END_TEST

START_TEST(the_real_counter_agrees_with_the_real_clock)
{
	struct tg_timebase tb;
	memset(&tb, 0, sizeof(tb));
	tg_timebase_start(&tb);
	uint64_t here = tg_timebase_now(&tb), wall = clock_utc_ns();
	ck_assert_uint_le(wall - here + 5000000, 10000000);
	struct timespec wait = {.tv_nsec = 300000000};
	nanosleep(&wait, NULL);
	int64_t off = tg_timebase_refresh(&tb, tg_tsc(), clock_utc_ns());
	/* The rate of a calibration that was interrupted would be wrong by percents: 9 ms here. */
	ck_assert_int_lt(off < 0 ? -off : off, 1000000);
	ck_assert_int_eq(tg_timebase_keep(&tb), 0);
	ck_assert_int_eq(tg_timebase_step_ns(&tb), 0);
}
END_TEST

TESTS("timebase", ticks_become_time, time_never_goes_back_whatever_the_wall_clock_does,
	a_small_error_is_gone_after_some_seconds_and_a_large_one_slews,
	a_step_is_kept_beside_the_mapping_which_goes_on, a_writer_that_was_killed_stops_no_reader,
	the_real_counter_agrees_with_the_real_clock)
