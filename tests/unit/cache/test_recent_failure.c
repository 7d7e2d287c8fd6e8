#include <string.h>

#include "cache/recent_failure.h"
#include "tests/unit/cache/run_suite.h"

static uint8_t digest[CACHE_FAILURES_KEPT + 1][CACHE_DIGEST_BYTES];

START_TEST(remembered_for_a_while)
{
	struct cache_recent_failures r = {0};
	struct cache_failure f;
	memset(digest[1], 1, sizeof(digest[1]));
	cache_fail(&f, CACHE_ERROR_ORIGIN_STATUS, "status %d", 404);
	f.origin_status = 404;
	cache_failure_remember(&r, digest[1], &f, 1000);
	const struct cache_failure *got = cache_failure_recall(&r, digest[1], 1000);
	ck_assert_ptr_nonnull(got);
	ck_assert_int_eq(got->origin_status, 404);
	ck_assert_ptr_null(cache_failure_recall(&r, digest[0], 1000));
	ck_assert_ptr_nonnull(cache_failure_recall(&r, digest[1], 1000 + CACHE_FAILURE_NS - 1));
	ck_assert_ptr_null(cache_failure_recall(&r, digest[1], 1000 + CACHE_FAILURE_NS));
}
END_TEST

START_TEST(our_own_faults_are_not)
{
	static const enum cache_error ours[] = {
		CACHE_ERROR_ARENA_FULL, CACHE_ERROR_BUSY, CACHE_ERROR_INTERNAL, CACHE_ERROR_STOPPING};
	struct cache_recent_failures r = {0};
	struct cache_failure f;
	for (int i = 0; i < 4; i++) {
		cache_fail(&f, ours[i], NULL);
		cache_failure_remember(&r, digest[0], &f, 1000);
		ck_assert_ptr_null(cache_failure_recall(&r, digest[0], 1000));
	}
}
END_TEST

START_TEST(the_oldest_goes)
{
	struct cache_recent_failures r = {0};
	struct cache_failure f;
	cache_fail(&f, CACHE_ERROR_TIMEOUT, NULL);
	for (int i = 0; i <= CACHE_FAILURES_KEPT; i++) {
		digest[i][0] = (uint8_t)(i + 1);
		cache_failure_remember(&r, digest[i], &f, 1000);
	}
	ck_assert_ptr_null(cache_failure_recall(&r, digest[0], 1001));
	ck_assert_ptr_nonnull(cache_failure_recall(&r, digest[1], 1001));
}
END_TEST

int main(void)
{
	return run_suite("recent_failure", (const TTest *const[]){remembered_for_a_while,
						   our_own_faults_are_not, the_oldest_goes, NULL});
}
