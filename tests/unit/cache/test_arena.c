#include <errno.h>
#include <string.h>

#include "cache/arena.h"
#include "tests/unit/cache/run_suite.h"

#define K CACHE_BLOCK_BYTES

START_TEST(first_fit)
{
	struct cache_arena *a;
	uint64_t x, y, z;
	ck_assert_int_eq(cache_arena_open(&a, 4 * K + 100, 8), 0);
	ck_assert_uint_eq(cache_arena_bytes(a), 4 * K);
	ck_assert_int_eq(cache_arena_alloc(a, 1, &x), 0);
	ck_assert_int_eq(cache_arena_alloc(a, K + 1, &y), 0);
	ck_assert_int_eq(cache_arena_alloc(a, 0, &z), 0);
	ck_assert_uint_eq(x, 0);
	ck_assert_uint_eq(y, K);
	ck_assert_uint_eq(z, 3 * K);
	ck_assert_int_eq(cache_arena_alloc(a, 1, &x), -ENOSPC);
	cache_arena_free(a, K, K + 1);
	ck_assert_uint_eq(cache_arena_largest(a), 2 * K);
	ck_assert_int_eq(cache_arena_alloc(a, 2 * K + 1, &x), -ENOSPC);
	ck_assert_int_eq(cache_arena_alloc(a, 2 * K, &x), 0);
	ck_assert_uint_eq(x, K);
	cache_arena_close(a);
}
END_TEST

START_TEST(neighbours_join)
{
	static const int orders[][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
	for (int o = 0; o < 6; o++) {
		struct cache_arena *a;
		uint64_t at[3];
		ck_assert_int_eq(cache_arena_open(&a, 3 * K, 3), 0);
		for (int i = 0; i < 3; i++)
			ck_assert_int_eq(cache_arena_alloc(a, K, &at[i]), 0);
		for (int i = 0; i < 3; i++)
			cache_arena_free(a, at[orders[o][i]], K);
		ck_assert_uint_eq(cache_arena_largest(a), 3 * K);
		ck_assert_uint_eq(cache_arena_bytes_free(a), 3 * K);
		cache_arena_close(a);
	}
}
END_TEST

START_TEST(claims)
{
	struct cache_arena *a;
	uint64_t x;
	ck_assert_int_eq(cache_arena_open(&a, 10 * K, 8), 0);
	ck_assert_int_eq(cache_arena_claim(a, 3 * K, 2 * K), 0);
	ck_assert_int_eq(cache_arena_claim(a, 3 * K, K), -EINVAL);
	ck_assert_int_eq(cache_arena_claim(a, 2 * K, 2 * K), -EINVAL);
	ck_assert_int_eq(cache_arena_claim(a, 4 * K, 2 * K), -EINVAL);
	ck_assert_int_eq(cache_arena_claim(a, 9 * K, 2 * K), -EINVAL);
	ck_assert_int_eq(cache_arena_claim(a, 10 * K, K), -EINVAL);
	ck_assert_int_eq(cache_arena_claim(a, 1, K), -EINVAL);
	ck_assert_int_eq(cache_arena_claim(a, K, 0), -EINVAL);
	ck_assert_int_eq(cache_arena_claim(a, K, UINT64_MAX), -EINVAL);
	ck_assert_int_eq(cache_arena_claim(a, UINT64_MAX - K + 1, K), -EINVAL);
	ck_assert_int_eq(cache_arena_claim(a, 0, 3 * K), 0);
	ck_assert_int_eq(cache_arena_claim(a, 5 * K, 5 * K), 0);
	ck_assert_uint_eq(cache_arena_bytes_free(a), 0);
	ck_assert_int_eq(cache_arena_alloc(a, 1, &x), -ENOSPC);
	cache_arena_close(a);
}
END_TEST

START_TEST(huge_wishes)
{
	struct cache_arena *a;
	uint64_t x;
	ck_assert_int_eq(cache_arena_open(&a, 10 * K, 8), 0);
	ck_assert_int_eq(cache_arena_alloc(a, UINT64_MAX, &x), -ENOSPC);
	ck_assert_int_eq(cache_arena_alloc(a, UINT64_MAX - 1, &x), -ENOSPC);
	cache_arena_close(a);
}
END_TEST

/* Against a map of blocks: nothing is given twice, nothing is lost. */
START_TEST(random_walk)
{
	enum { BLOCKS = 64, RANGES = 20 };
	struct cache_arena *a;
	uint8_t map[BLOCKS] = {0};
	struct {
		uint64_t at, n;
	} range[RANGES] = {0};
	unsigned seed = 42;
	ck_assert_int_eq(cache_arena_open(&a, BLOCKS * K, RANGES), 0);
	for (int step = 0; step < 200000; step++) {
		int i = rand_r(&seed) % RANGES;
		if (range[i].n) {
			/* Now and then the tail first, as a sound that turned out shorter. */
			uint64_t cut = rand_r(&seed) % 3 ? 0 : rand_r(&seed) % range[i].n;
			if (cut)
				cache_arena_free(a, (range[i].at + range[i].n - cut) * K, cut * K);
			cache_arena_free(a, range[i].at * K, (range[i].n - cut) * K);
			memset(map + range[i].at, 0, range[i].n);
			range[i].n = 0;
			continue;
		}
		uint64_t n = 1 + rand_r(&seed) % 9, at = 0;
		int e = cache_arena_alloc(a, n * K, &at);
		ck_assert_int_eq(e, n * K > cache_arena_largest(a) && e ? -ENOSPC : 0);
		if (e)
			continue;
		at /= K;
		for (uint64_t b = at; b < at + n; b++) {
			ck_assert_uint_lt(b, BLOCKS);
			ck_assert_uint_eq(map[b], 0);
			map[b] = 1;
		}
		range[i].at = at;
		range[i].n = n;
		uint64_t used = 0;
		for (int b = 0; b < BLOCKS; b++)
			used += map[b];
		ck_assert_uint_eq(cache_arena_bytes_free(a), (BLOCKS - used) * K);
	}
	cache_arena_close(a);
}
END_TEST

int main(void)
{
	return run_suite("arena",
		(const TTest *const[]){first_fit, neighbours_join, claims, huge_wishes, random_walk, NULL});
}
