#include "controlplane/metering/usage.h"

#include <errno.h>

#include "controlplane/journal/fact_value.h"
#include "tests/unit/journal/scratch.h"

#define REGION 0xf000000000000001ull

static struct usage *u;

static void setup(void)
{
	ck_assert_int_eq(usage_create(&u), 0);
}

static void teardown(void)
{
	usage_destroy(u);
}

static int feed(enum fact fact, json_t *payload)
{
	ck_assert_ptr_nonnull(payload);
	int e = usage_feed(u, fact, payload);
	json_decref(payload);
	return e;
}

static int start(uint64_t region)
{
	return feed(FACT_node_start, json_pack("{s:o}", "region", fact_string_of_region(region)));
}

static int media(const char *session, int leg, int row, int64_t generation)
{
	return feed(FACT_leg_media,
		json_pack("{s:s,s:i,s:i,s:I,s:o}", "session", session, "leg", leg, "row", row, "generation",
			(json_int_t)generation, "region", fact_string_of_region(REGION)));
}

static json_t *meter_of(int worker, int row, int64_t generation, int stint, int part, int base, bool final)
{
	json_t *f = json_pack("{s:o,s:i,s:i,s:I,s:i,s:i,s:I,s:I,s:b,s:i,s:i,s:i,s:i,s:i}", "region",
		fact_string_of_region(REGION), "worker", worker, "row", row, "generation",
		(json_int_t)generation, "stint", stint, "part", part, "start_ns",
		(json_int_t)(1000 + 100 * part), "end_ns", (json_int_t)(1100 + 100 * part), "final",
		(int) final, "lost", 2, "jitter_us", 300 - part, "outages", 1, "outage_ms", 100 + part,
		"uncertain_packets", 3 + part);
	for (int i = 0; i < TG_METERS; i++)
		json_object_set_new(f, tg_meter_name[i], json_integer(base + i));
	return f;
}

static int meter(int row, int64_t generation, int stint, int part, int base, bool final)
{
	return feed(FACT_meter, meter_of(0, row, generation, stint, part, base, final));
}

static int close_session(const char *session)
{
	return feed(FACT_session_close, json_pack("{s:s}", "session", session));
}

static uint64_t sum(int worker, int field)
{
	struct tg_meter sums[TG_WORKERS_MAX];
	metering_sums(u, REGION, sums);
	return sums[worker].v[field];
}

START_TEST(two_legs_two_stints)
{
	start(REGION);
	ck_assert_int_eq(media("A", 0, 7, 1), 0);
	ck_assert_int_eq(media("A", 1, 8, 1), 0);
	ck_assert_uint_eq(usage_open_legs(u, "A"), 2);
	meter(8, 1, 0, 0, 100, false);
	meter(7, 1, 0, 0, 10, false);
	meter(7, 1, 1, 0, 1000, true);
	meter(7, 1, 0, 1, 20, false);
	ck_assert_uint_eq(usage_open_legs(u, "A"), 1);
	meter(8, 1, 1, 0, 5, true);
	ck_assert_uint_eq(usage_open_legs(u, "A"), 0);
	size_t n;
	const struct usage_entry *e = usage_of(u, "A", &n);
	ck_assert_uint_eq(n, 4);
	ck_assert(e[0].leg == 0 && e[0].stint == 0 && e[1].leg == 0 && e[1].stint == 1);
	ck_assert(e[2].leg == 1 && e[2].stint == 0 && e[3].leg == 1 && e[3].stint == 1);
	ck_assert_uint_eq(e[0].parts, 2);
	for (int i = 0; i < TG_METERS; i++)
		ck_assert_uint_eq(e[0].counts.v[i], (uint64_t)(30 + 2 * i));
	ck_assert_uint_eq(e[0].start_ns, 1000);
	ck_assert_uint_eq(e[0].end_ns, 1200);
	ck_assert_uint_eq(e[0].lost, 4);
	ck_assert_uint_eq(e[0].jitter_us, 300);
	ck_assert_uint_eq(e[0].outages, 2);
	ck_assert_uint_eq(e[0].outage_ms, 201);
	ck_assert_uint_eq(e[0].uncertain_packets, 7);
	ck_assert_uint_eq(e[1].outages, 1);
	ck_assert_uint_eq(sum(0, 0), 10 + 20 + 1000 + 100 + 5);
	ck_assert_uint_eq(usage_unclaimed(u), 0);
}
END_TEST

START_TEST(offered_twice_counts_once)
{
	media("A", 0, 7, 1);
	for (int i = 0; i < 3; i++) {
		meter(7, 1, 0, 0, 10, false);
		meter(7, 1, 1, 0, 20, true);
	}
	size_t n;
	const struct usage_entry *e = usage_of(u, "A", &n);
	ck_assert_uint_eq(n, 2);
	ck_assert_uint_eq(e[0].counts.v[0], 10);
	ck_assert_uint_eq(sum(0, 0), 30);
	ck_assert_uint_eq(usage_open_legs(u, "A"), 0);
	struct usage_part p = {REGION, 7, 1, 1, 0};
	ck_assert(usage_has(u, &p));
	p.part = 1;
	ck_assert(!usage_has(u, &p));
	p = (struct usage_part){REGION, 9, 1, 1, 0};
	ck_assert(!usage_has(u, &p));
}
END_TEST

/* After a crash the ring offers again what belongs to a session that is closed meanwhile. */
START_TEST(offered_again_after_close)
{
	media("A", 0, 7, 1);
	meter(7, 1, 0, 0, 10, true);
	close_session("A");
	meter(7, 1, 0, 0, 10, true);
	ck_assert_uint_eq(sum(0, 0), 10);
	media("B", 0, 7, 2);
	meter(7, 2, 0, 0, 1, true);
	/* Of a generation before the row's latest. */
	meter(7, 1, 0, 0, 10, true);
	ck_assert_uint_eq(sum(0, 0), 11);
	size_t n;
	ck_assert_uint_eq(usage_of(u, "B", &n)->counts.v[0], 1);
	ck_assert_ptr_null(usage_of(u, "A", &n));
	ck_assert_uint_eq(usage_unclaimed(u), 0);
}
END_TEST

START_TEST(meter_before_leg_media)
{
	meter(7, 1, 0, 0, 10, false);
	meter(7, 1, 0, 1, 20, true);
	ck_assert_uint_eq(usage_unclaimed(u), 2);
	media("A", 3, 7, 1);
	size_t n;
	const struct usage_entry *e = usage_of(u, "A", &n);
	ck_assert_uint_eq(n, 1);
	ck_assert_uint_eq(e->leg, 3);
	ck_assert_uint_eq(e->counts.v[0], 30);
	ck_assert_uint_eq(usage_unclaimed(u), 0);
	ck_assert_uint_eq(usage_open_legs(u, "A"), 0);
	ck_assert_uint_eq(sum(0, 0), 30);
	/* The same leg announced again changes nothing. */
	media("A", 3, 7, 1);
	ck_assert_uint_eq(usage_of(u, "A", &n)->counts.v[0], 30);
	ck_assert_uint_eq(usage_open_legs(u, "A"), 0);
}
END_TEST

START_TEST(row_taken_before_its_final_record)
{
	media("A", 0, 7, 1);
	media("B", 0, 7, 2);
	meter(7, 2, 0, 0, 5, true);
	ck_assert_uint_eq(usage_open_legs(u, "A"), 1);
	ck_assert_uint_eq(usage_open_legs(u, "B"), 0);
	close_session("A");
	close_session("B");
	ck_assert_uint_eq(sum(0, 0), 5);
	meter(7, 2, 1, 0, 6, true); /* counted, but nobody's */
	ck_assert_uint_eq(sum(0, 0), 11);
	ck_assert_uint_eq(usage_unclaimed(u), 1);
}
END_TEST

START_TEST(generation_wraps)
{
	media("A", 0, 7, UINT32_MAX);
	meter(7, UINT32_MAX, 0, 0, 10, true);
	close_session("A");
	media("B", 0, 7, 1);
	meter(7, 1, 0, 0, 3, true);
	meter(7, UINT32_MAX, 0, 0, 10, true);
	ck_assert_uint_eq(sum(0, 0), 13);
}
END_TEST

START_TEST(workers_and_regions_apart)
{
	feed(FACT_meter, meter_of(0, 1, 1, 0, 0, 10, true));
	feed(FACT_meter, meter_of(15, 2, 1, 0, 0, 20, true));
	ck_assert_uint_eq(sum(0, 0), 10);
	ck_assert_uint_eq(sum(15, 0), 20);
	json_t *other = meter_of(0, 1, 1, 0, 0, 50, true);
	json_object_set_new(other, "region", json_integer(5));
	feed(FACT_meter, other);
	ck_assert_uint_eq(sum(0, 0), 10);
	struct tg_meter sums[TG_WORKERS_MAX];
	metering_sums(u, 5, sums);
	ck_assert_uint_eq(sums[0].v[0], 50);
	metering_sums(u, 6, sums);
	ck_assert_uint_eq(sums[0].v[0], 0);
}
END_TEST

/* A record that names no region is of the last one that started. */
START_TEST(region_of_node_start)
{
	start(REGION);
	json_t *f = meter_of(0, 1, 1, 0, 0, 10, true);
	json_object_del(f, "region");
	ck_assert_int_eq(feed(FACT_meter, f), 0);
	ck_assert_uint_eq(sum(0, 0), 10);
	media("A", 0, 2, 1);
	start(77);
	meter(2, 1, 0, 0, 4, true); /* of an open session: still known */
	size_t n;
	ck_assert_uint_eq(usage_of(u, "A", &n)->counts.v[0], 4);
}
END_TEST

START_TEST(bad_payloads)
{
	static const char *const needed[] = {
		"worker", "row", "generation", "stint", "part", "start_ns", "rx_packets", "digits"};
	for (size_t i = 0; i < sizeof(needed) / sizeof(*needed); i++) {
		json_t *f = meter_of(0, 1, 1, 0, 0, 10, true);
		json_object_set_new(f, needed[i], json_integer(-1));
		ck_assert_int_eq(feed(FACT_meter, f), -EINVAL);
		f = meter_of(0, 1, 1, 0, 0, 10, true);
		json_object_set_new(f, needed[i], json_string("1"));
		ck_assert_int_eq(feed(FACT_meter, f), -EINVAL);
	}
	ck_assert_int_eq(feed(FACT_meter, meter_of(TG_WORKERS_MAX, 1, 1, 0, 0, 10, true)), -EINVAL);
	ck_assert_int_eq(feed(FACT_meter, json_array()), -EINVAL);
	ck_assert_int_eq(feed(FACT_leg_media, json_object()), -EINVAL);
	ck_assert_int_eq(feed(FACT_session_close, json_object()), -EINVAL);
	ck_assert_int_eq(feed(FACT_node_start, json_object()), -EINVAL);
	ck_assert_int_eq(close_session("nobody"), 0);
	ck_assert_int_eq(feed(FACT_digit, json_object()), 0);
	ck_assert_uint_eq(sum(0, 0), 0);
}
END_TEST

START_TEST(many_rows)
{
	for (int i = 0; i < 20000; i++) {
		char id[16];
		snprintf(id, sizeof(id), "S%d", i);
		media(id, 0, i % 1000, 1 + i / 1000);
		meter(i % 1000, 1 + i / 1000, 0, 0, 1, true);
		size_t n;
		ck_assert_uint_eq(usage_of(u, id, &n)->counts.v[0], 1);
		close_session(id);
	}
	ck_assert_uint_eq(sum(0, 0), 20000);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {two_legs_two_stints, offered_twice_counts_once,
		offered_again_after_close, meter_before_leg_media, row_taken_before_its_final_record,
		generation_wraps, workers_and_regions_apart, region_of_node_start, bad_payloads, many_rows};
	Suite *suite = suite_create("usage");
	TCase *tcase = tcase_create("usage");
	tcase_set_timeout(tcase, 30);
	tcase_add_checked_fixture(tcase, setup, teardown);
	for (size_t i = 0; i < sizeof(tests) / sizeof(*tests); i++)
		tcase_add_test(tcase, tests[i]);
	suite_add_tcase(suite, tcase);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
