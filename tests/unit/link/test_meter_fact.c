#include "controlplane/link/meter_fact.h"

#include <check.h>
#include <stdlib.h>

static struct tg_meter_record snapshot(uint64_t open, uint64_t closed, uint64_t total)
{
	struct tg_meter_record r = {.kind = TG_METER_SNAPSHOT, .stint = 9, .end_ns = 5};
	for (int i = 0; i < TG_METERS; i++) {
		r.counts.v[i] = open;
		r.closed.v[i] = closed;
		r.total.v[i] = total;
	}
	return r;
}

static bool is_ok(struct tg_meter_record r, uint64_t journalled)
{
	struct tg_meter m;
	for (int i = 0; i < TG_METERS; i++)
		m.v[i] = journalled;
	bool ok;
	json_t *f = snapshot_fact(1, 0, &r, &m, &ok);
	ck_assert_ptr_nonnull(f);
	ck_assert_int_eq(json_is_true(json_object_get(f, "ok")), ok);
	json_decref(f);
	return ok;
}

START_TEST(a_snapshot_holds_only_if_every_sum_does)
{
	ck_assert(is_ok(snapshot(2, 3, 5), 3));
	ck_assert(!is_ok(snapshot(2, 3, 6), 3));
	ck_assert(!is_ok(snapshot(2, 3, 5), 4));
	struct tg_meter_record last = snapshot(2, 3, 5);
	last.total.v[TG_METERS - 1]++;
	ck_assert(!is_ok(last, 3));
}
END_TEST

START_TEST(a_part_has_every_counter)
{
	struct tg_meter_record r = {.kind = TG_METER_PART,
		.worker = 1,
		.leg = 7,
		.generation = 4000000000u,
		.stint = 2,
		.part = 3,
		.final = 1,
		.outages = 2,
		.outage_ms = 250,
		.uncertain_packets = 3,
		.start_ns = 1700000000000000000ull,
		.end_ns = 1700000001000000000ull};
	for (int i = 0; i < TG_METERS; i++)
		r.counts.v[i] = 100 + (uint64_t)i;
	json_t *f = meter_fact(0x7fffffffffffffffull, &r);
	for (int i = 0; i < TG_METERS; i++)
		ck_assert_int_eq(json_integer_value(json_object_get(f, tg_meter_name[i])), 100 + i);
	ck_assert_int_eq(json_integer_value(json_object_get(f, "generation")), 4000000000ll);
	ck_assert_int_eq(json_integer_value(json_object_get(f, "region")), 0x7fffffffffffffffll);
	ck_assert(json_is_true(json_object_get(f, "final")));
	ck_assert_int_eq(json_integer_value(json_object_get(f, "outages")), 2);
	ck_assert_int_eq(json_integer_value(json_object_get(f, "outage_ms")), 250);
	ck_assert_int_eq(json_integer_value(json_object_get(f, "uncertain_packets")), 3);
	json_decref(f);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("meter_fact");
	TCase *t = tcase_create("meter_fact");
	tcase_add_test(t, a_snapshot_holds_only_if_every_sum_does);
	tcase_add_test(t, a_part_has_every_counter);
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
