#include "dataplane/wheel.h"

#include <string.h>

#include "tests/unit/contract/suite.h"

#define HZ    2599999937ull /* no round number */
#define US(n) ((uint64_t)(n)*HZ / 1000000)
#define START (HZ * 7)

static struct dp_wheel w;

static void setup(uint32_t legs)
{
	ck_assert_int_eq(dp_wheel_open(&w, legs, HZ, START), 0);
}

/* Everything that is due by now. Returns how many came up. */
static uint32_t run(uint64_t now, uint32_t *times)
{
	uint32_t leg, n = 0;
	uint64_t due;
	dp_wheel_advance(&w, now);
	for (; dp_wheel_due(&w, now, &leg, &due); n++) {
		ck_assert_uint_le(due, now);
		if (times)
			times[leg]++;
	}
	return n;
}

START_TEST(a_leg_comes_up_once_per_frame_time_without_drift)
{
	uint32_t leg;
	uint64_t due, last = 0, n = 0;
	setup(100);
	dp_wheel_add(&w, 42, START + US(5000));
	for (uint64_t t = START; t < START + HZ * 20; t += US(130)) {
		dp_wheel_advance(&w, t);
		while (dp_wheel_due(&w, t, &leg, &due)) {
			ck_assert_uint_eq(leg, 42);
			if (last)
				ck_assert_uint_le(due - last - US(20000) + 2, 4);
			last = due;
			n++;
		}
	}
	ck_assert_uint_eq(n, 1000);
	dp_wheel_close(&w);
}
END_TEST

START_TEST(the_first_time_is_prompt_and_never_early)
{
	setup(100);
	run(START + US(777), NULL);
	dp_wheel_add(&w, 1, START + US(790));
	ck_assert_uint_eq(run(START + US(789), NULL), 0);
	ck_assert_uint_eq(run(START + US(811), NULL), 1);
	/* A moment that has passed means now. */
	dp_wheel_add(&w, 2, START);
	ck_assert_uint_eq(run(START + US(840), NULL), 1);
	dp_wheel_close(&w);
}
END_TEST

START_TEST(many_legs_that_start_together_are_spread)
{
	enum { N = 20000 };
	static uint32_t times[N];
	setup(N);
	for (uint32_t i = 0; i < N; i++)
		ck_assert_uint_lt(dp_wheel_add(&w, i, START), DP_WHEEL_SLOTS);
	for (uint32_t s = 0; s < DP_WHEEL_SLOTS; s++)
		ck_assert_uint_le(w.count[s], 2 * (N / DP_WHEEL_SLOTS + 1));
	memset(times, 0, sizeof(times));
	run(START + US(19999), times);
	for (uint32_t i = 0; i < N; i++)
		ck_assert_uint_eq(times[i], 1);
	dp_wheel_close(&w);
}
END_TEST

START_TEST(legs_can_be_taken_out_at_any_moment)
{
	uint32_t leg, slot[10], times[10] = {0};
	uint64_t due;
	setup(10);
	for (uint32_t i = 0; i < 8; i++)
		slot[i] = dp_wheel_add(&w, i, START);
	/* In the middle of the slot: 0, 1, 2 have come up. */
	dp_wheel_advance(&w, START);
	for (int i = 0; i < 3; i++) {
		ck_assert(dp_wheel_due(&w, START, &leg, &due));
		times[leg]++;
	}
	ck_assert(dp_wheel_remove(&w, slot[0], 0)); /* had its turn */
	ck_assert(dp_wheel_remove(&w, slot[7], 7)); /* has not */
	ck_assert(dp_wheel_remove(&w, slot[2], 2)); /* has just had it */
	ck_assert(!dp_wheel_remove(&w, slot[0], 0));
	ck_assert(!dp_wheel_remove(&w, DP_WHEEL_SLOTS, 1));
	run(START, times);
	static const uint32_t once[10] = {1, 1, 1, 1, 1, 1, 1, 0, 0, 0};
	ck_assert_mem_eq(times, once, sizeof(once));
	run(START + US(20000), times);
	static const uint32_t twice[10] = {1, 2, 1, 2, 2, 2, 2, 0, 0, 0};
	ck_assert_mem_eq(times, twice, sizeof(twice));
	ck_assert_uint_eq(w.active, 5);
	dp_wheel_close(&w);
}
END_TEST

START_TEST(a_stall_is_caught_up_within_the_limit)
{
	uint32_t times[2] = {0};
	setup(10);
	dp_wheel_add(&w, 1, START);
	run(START, times);
	run(START + US(60000), times); /* three frames late */
	ck_assert_uint_eq(times[1], 4);
	run(START + US(60000 + 1000000), times); /* a second: fifty frames */
	ck_assert_uint_ge(times[1], 4 + DP_WHEEL_CATCH_UP_FRAMES);
	ck_assert_uint_le(times[1], 4 + DP_WHEEL_CATCH_UP_FRAMES + 1);
	/* And in step again. */
	uint32_t before = times[1];
	run(START + US(60000 + 1000000 + 20000), times);
	ck_assert_uint_eq(times[1], before + 1);
	dp_wheel_close(&w);
}
END_TEST

START_TEST(it_says_how_long_nothing_is_due)
{
	setup(10);
	ck_assert_uint_eq(dp_wheel_quiet_until(&w, START + US(200)), START + US(200));
	dp_wheel_add(&w, 1, START + US(100));
	uint64_t until = dp_wheel_quiet_until(&w, START + US(200));
	ck_assert_uint_ge(until, START + US(100));
	ck_assert_uint_lt(until, START + US(121));
	ck_assert_uint_eq(dp_wheel_quiet_until(&w, START + US(50)), START + US(50));
	run(START + US(150), NULL);
	ck_assert_uint_eq(dp_wheel_quiet_until(&w, START + US(350)), START + US(350));
	dp_wheel_close(&w);
}
END_TEST

START_TEST(a_wheel_that_is_full_says_so)
{
	setup(1);
	for (uint32_t i = 0; i < DP_WHEEL_SLOTS * 8; i++)
		ck_assert_uint_lt(dp_wheel_add(&w, i, START), DP_WHEEL_SLOTS);
	ck_assert_uint_eq(dp_wheel_add(&w, 1, START), DP_WHEEL_SLOTS);
	dp_wheel_close(&w);
}
END_TEST

TESTS("wheel", a_leg_comes_up_once_per_frame_time_without_drift, the_first_time_is_prompt_and_never_early,
	many_legs_that_start_together_are_spread, legs_can_be_taken_out_at_any_moment,
	a_stall_is_caught_up_within_the_limit, it_says_how_long_nothing_is_due, a_wheel_that_is_full_says_so)
