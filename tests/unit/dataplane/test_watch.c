#include "dataplane/watch.h"

#include "tests/unit/dataplane/fixture.h"

#define MS 1000000ull

static struct dp_watch watch;
static uint64_t now_ns;

static void open_watch(void)
{
	open_fixture_of(2);
	now_ns = 77000 * MS;
	dp_watch_begin(&watch, f.region, now_ns);
}

static void loop(uint32_t worker)
{
	tg_counter_add(&tg_region_stats(f.region, worker)->loops, 1);
}

/* After so many ms: expects this and nothing else. */
static void expect(uint64_t after_ms, enum dp_watch_kind kind, uint32_t worker, uint64_t for_ms)
{
	now_ns += after_ms * MS;
	struct dp_watch_news n = dp_watch_look(&watch, f.region, now_ns);
	ck_assert_int_eq(n.kind, kind);
	ck_assert_uint_eq(n.worker, worker);
	ck_assert_uint_eq(n.ns, for_ms * MS);
	if (kind != DP_WATCH_NOTHING)
		ck_assert_int_eq(dp_watch_look(&watch, f.region, now_ns).kind, DP_WATCH_NOTHING);
}

START_TEST(a_worker_that_does_not_loop_is_stuck_after_a_second_and_that_is_said_once)
{
	open_watch();
	for (int i = 0; i < 30; i++) {
		loop(0);
		loop(1);
		expect(100, DP_WATCH_NOTHING, 0, 0);
	}
	for (int i = 0; i < 9; i++) {
		loop(0);
		expect(100, DP_WATCH_NOTHING, 0, 0);
	}
	ck_assert_uint_eq(watch.stuck, 0);
	loop(0);
	ck_assert_uint_eq(dp_watch_behind(&watch), 900 * MS);
	expect(100, DP_WATCH_STUCK, 1, 1000);
	ck_assert_uint_eq(watch.stuck, 1);
	ck_assert_uint_eq(dp_watch_behind(&watch), 1000 * MS);
	for (int i = 0; i < 100; i++) {
		loop(0);
		expect(100, DP_WATCH_NOTHING, 0, 0);
	}
	loop(0);
	loop(1);
	expect(100, DP_WATCH_ALIVE, 1, 11100);
	ck_assert_uint_eq(watch.stuck, 0);
	ck_assert_uint_eq(dp_watch_behind(&watch), 0);
	close_fixture();
}
END_TEST

START_TEST(two_at_a_time_are_said_one_by_one)
{
	open_watch();
	for (int i = 0; i < 9; i++)
		expect(100, DP_WATCH_NOTHING, 0, 0);
	now_ns += 100 * MS;
	ck_assert_int_eq(dp_watch_look(&watch, f.region, now_ns).worker, 0);
	ck_assert_int_eq(dp_watch_look(&watch, f.region, now_ns).worker, 1);
	ck_assert_int_eq(dp_watch_look(&watch, f.region, now_ns).kind, DP_WATCH_NOTHING);
	ck_assert_uint_eq(watch.stuck, 2);
	close_fixture();
}
END_TEST

START_TEST(a_process_that_stood_still_has_no_stuck_workers)
{
	open_watch();
	loop(0);
	loop(1);
	expect(500, DP_WATCH_NOTHING, 0, 0);
	expect(5000, DP_WATCH_STOOD_STILL, 0, 5000);
	expect(900, DP_WATCH_NOTHING, 0, 0);
	/* It has the second that is left of its second. */
	loop(0);
	expect(100, DP_WATCH_STUCK, 1, 1000);
	close_fixture();
}
END_TEST

TESTS("watch", a_worker_that_does_not_loop_is_stuck_after_a_second_and_that_is_said_once,
	two_at_a_time_are_said_one_by_one, a_process_that_stood_still_has_no_stuck_workers)
