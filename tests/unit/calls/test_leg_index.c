#include "controlplane/calls/leg_index.h"

#include "tests/unit/journal/scratch.h"

START_TEST(what_was_put_is_found_until_it_is_dropped)
{
	struct leg_index *x;
	int a, b, leg;
	ck_assert_int_eq(leg_index_create(&x), 0);
	for (uint64_t k = 1; k <= 10000; k++)
		ck_assert_int_eq(leg_index_put(x, k, k % 2 ? &a : &b, (int)(k % 50)), 0);
	for (uint64_t k = 1; k <= 10000; k++) {
		ck_assert_ptr_eq(leg_index_get(x, k, &leg), k % 2 ? &a : &b);
		ck_assert_int_eq(leg, (int)(k % 50));
	}
	for (uint64_t k = 1; k <= 10000; k += 2)
		leg_index_drop(x, k);
	for (uint64_t k = 1; k <= 10000; k++)
		ck_assert_ptr_eq(leg_index_get(x, k, NULL), k % 2 ? NULL : &b);
	leg_index_drop(x, 123456); /* not there */
	leg_index_destroy(x);
}
END_TEST

SCRATCH_MAIN("leg_index", 20, what_was_put_is_found_until_it_is_dropped)
