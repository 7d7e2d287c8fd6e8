#include <errno.h>

#include "cache/lease.h"
#include "tests/unit/cache/run_suite.h"
#include "tests/unit/cache/small_region.h"

static struct small_region small;
static struct cache_store *store;
static struct cache_leases *leases;

static void begin_test(void)
{
	ck_assert_int_eq(cache_store_open(&store, small_region_open(&small), 1), 0);
	ck_assert_int_eq(cache_leases_open(&leases, store), 0);
}

static void end_test(void)
{
	cache_leases_close(leases);
	cache_store_close(store);
	small_region_close(&small);
}

static uint32_t pins(uint32_t item)
{
	return atomic_load(&tg_region_media(small.region, item)->pins);
}

START_TEST(a_lease_is_a_pin)
{
	struct id a, b;
	begin_test();
	ck_assert_int_eq(cache_lease_acquire(leases, 2, 10, &a), 0);
	ck_assert_int_eq(cache_lease_acquire(leases, 2, 10, &b), 0);
	ck_assert(!id_equal(&a, &b));
	ck_assert_uint_eq(pins(2), 2);
	ck_assert_uint_eq(cache_leases_count(leases), 2);
	ck_assert_int_eq(cache_lease_release(leases, &a), 0);
	ck_assert_int_eq(cache_lease_release(leases, &a), -ENOENT);
	ck_assert_uint_eq(pins(2), 1);
	cache_leases_close(leases);
	ck_assert_uint_eq(pins(2), 0);
	ck_assert_int_eq(cache_leases_open(&leases, store), 0);
	end_test();
}
END_TEST

START_TEST(leases_run_out)
{
	struct id a, b, c;
	begin_test();
	cache_lease_acquire(leases, 0, 10, &a);
	cache_lease_acquire(leases, 1, 20, &b);
	cache_lease_acquire(leases, 2, 30, &c);
	ck_assert_uint_eq(cache_leases_expire(leases, 9 + CACHE_LEASE_NS), 0);
	ck_assert_int_eq(cache_lease_release(leases, &b), 0);
	ck_assert_uint_eq(cache_leases_expire(leases, 10 + CACHE_LEASE_NS), 1);
	ck_assert_uint_eq(pins(0), 0);
	ck_assert_uint_eq(pins(2), 1);
	ck_assert_int_eq(cache_lease_release(leases, &a), -ENOENT);
	ck_assert_uint_eq(cache_leases_expire(leases, 30 + CACHE_LEASE_NS), 1);
	ck_assert_uint_eq(cache_leases_count(leases), 0);
	end_test();
}
END_TEST

START_TEST(many)
{
	static struct id id[20000];
	begin_test();
	for (int i = 0; i < 20000; i++)
		ck_assert_int_eq(cache_lease_acquire(leases, (uint32_t)i % SMALL_ITEMS, 1, &id[i]), 0);
	for (int i = 0; i < 20000; i++)
		ck_assert_int_eq(cache_lease_release(leases, &id[(i * 7919) % 20000]), 0);
	for (uint32_t i = 0; i < SMALL_ITEMS; i++)
		ck_assert_uint_eq(pins(i), 0);
	end_test();
}
END_TEST

int main(void)
{
	return run_suite("lease", (const TTest *const[]){a_lease_is_a_pin, leases_run_out, many, NULL});
}
