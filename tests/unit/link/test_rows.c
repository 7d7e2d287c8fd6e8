#include "controlplane/link/rows.h"

#include <check.h>
#include <stdlib.h>

static struct tg_capacity cap;
static struct rows rows;

static void open_with(uint32_t workers)
{
	cap = (struct tg_capacity){.workers = workers, .addresses = 1, .port_min = 20000, .ports = 16};
	ck_assert_int_eq(rows_open(&rows, &cap), 0);
}

static void teardown(void)
{
	rows_close(&rows);
}

START_TEST(a_row_is_used_again_last)
{
	open_with(1);
	uint32_t first = rows_take(&rows, -1, TG_FAMILY_IPV4);
	rows_give(&rows, first);
	for (int i = 0; i < 7; i++)
		ck_assert_uint_ne(rows_take(&rows, -1, TG_FAMILY_IPV4), first);
	ck_assert_uint_eq(rows_take(&rows, -1, TG_FAMILY_IPV4), first);
	ck_assert_uint_eq(rows_take(&rows, -1, TG_FAMILY_IPV4), TG_NONE);
}
END_TEST

START_TEST(a_full_worker_gives_nothing_and_another_does)
{
	open_with(2);
	for (int i = 0; i < 4; i++)
		ck_assert_uint_eq(tg_capacity_worker(&cap, rows_take(&rows, 0, TG_FAMILY_IPV4)), 0);
	ck_assert_uint_eq(rows_take(&rows, 0, TG_FAMILY_IPV4), TG_NONE);
	ck_assert_uint_eq(tg_capacity_worker(&cap, rows_take(&rows, -1, TG_FAMILY_IPV4)), 1);
}
END_TEST

START_TEST(the_least_used_worker_is_chosen)
{
	open_with(2);
	ck_assert_uint_eq(tg_capacity_worker(&cap, rows_take(&rows, 0, TG_FAMILY_IPV4)), 0);
	ck_assert_uint_eq(tg_capacity_worker(&cap, rows_take(&rows, -1, TG_FAMILY_IPV4)), 1);
}
END_TEST

START_TEST(rows_of_a_predecessor_are_not_free)
{
	open_with(1);
	rows_take_this(&rows, 7); /* the last */
	rows_take_this(&rows, 0); /* the first */
	for (int i = 0; i < 6; i++) {
		uint32_t row = rows_take(&rows, -1, TG_FAMILY_IPV4);
		ck_assert(row != 0 && row != 7 && row != TG_NONE);
	}
	ck_assert_uint_eq(rows_take(&rows, -1, TG_FAMILY_IPV4), TG_NONE);
	rows_give(&rows, 7);
	ck_assert_uint_eq(rows_take(&rows, -1, TG_FAMILY_IPV4), 7);
}
END_TEST

START_TEST(each_family_has_rows_of_its_own)
{
	cap = (struct tg_capacity){
		.workers = 2, .addresses = 2, .ipv6_addresses = 1, .port_min = 20000, .ports = 16};
	ck_assert_int_eq(rows_open(&rows, &cap), 0);
	rows_take_this(&rows, 15);
	for (int i = 0; i < 8; i++)
		ck_assert_uint_lt(rows_take(&rows, -1, TG_FAMILY_IPV4), 8);
	ck_assert_uint_eq(rows_take(&rows, -1, TG_FAMILY_IPV4), TG_NONE);
	for (int i = 0; i < 4; i++) {
		uint32_t row = rows_take(&rows, 0, TG_FAMILY_IPV6);
		ck_assert(row >= 8 && row < 12);
	}
	ck_assert_uint_eq(rows_take(&rows, 0, TG_FAMILY_IPV6), TG_NONE);
	for (int i = 0; i < 3; i++)
		ck_assert_uint_ge(rows_take(&rows, -1, TG_FAMILY_IPV6), 12);
	ck_assert_uint_eq(rows_take(&rows, -1, TG_FAMILY_IPV6), TG_NONE);
	rows_give(&rows, 15);
	ck_assert_uint_eq(rows_take(&rows, -1, TG_FAMILY_IPV6), 15);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("rows");
	TCase *t = tcase_create("rows");
	tcase_add_checked_fixture(t, NULL, teardown);
	tcase_add_test(t, a_row_is_used_again_last);
	tcase_add_test(t, a_full_worker_gives_nothing_and_another_does);
	tcase_add_test(t, the_least_used_worker_is_chosen);
	tcase_add_test(t, rows_of_a_predecessor_are_not_free);
	tcase_add_test(t, each_family_has_rows_of_its_own);
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
