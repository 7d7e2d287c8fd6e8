#include "dataplane/police.h"

#include "tests/unit/contract/suite.h"

START_TEST(a_burst_then_the_rate_and_nothing_is_saved_beyond_it)
{
	struct dp_police p;
	uint64_t now = 5000000;
	unsigned passed = 0;
	dp_police_init(&p, 1000000, 1000, 50);
	while (dp_police_pass(&p, now))
		passed++;
	ck_assert_uint_eq(passed, 50);
	passed = 0;
	for (int i = 0; i < 100000; i++, now += 10) /* a second, 100 times the rate */
		passed += dp_police_pass(&p, now);
	ck_assert_uint_ge(passed, 999);
	ck_assert_uint_le(passed, 1001);
	now += 1000000000;
	passed = 0;
	while (dp_police_pass(&p, now))
		passed++;
	ck_assert_uint_eq(passed, 50);
}
END_TEST

static unsigned pass(const struct dp_rate *r, uint32_t *bucket, uint32_t now)
{
	unsigned passed = 0;
	for (; dp_rate_allows(r, *bucket, now) && passed < 100000; passed++)
		*bucket = dp_rate_pay(r, *bucket, now);
	return passed;
}

START_TEST(a_bucket_of_one_word_does_the_same)
{
	struct dp_rate r;
	uint32_t now = UINT32_MAX - 100000, bucket = now, passed = 0; /* the clock wraps on the way */
	dp_rate_init(&r, 2600000000, 250);
	ck_assert_uint_eq(pass(&r, &bucket, now), 250);
	for (int i = 0; i < 10000; i++, now += 2540) /* ten seconds, 1,000 a second */
		if (dp_rate_allows(&r, bucket, now)) {
			bucket = dp_rate_pay(&r, bucket, now);
			passed++;
		}
	ck_assert_uint_ge(passed, 2499);
	ck_assert_uint_le(passed, 2501);
	now += 1u << 27;
	ck_assert_uint_eq(pass(&r, &bucket, now), 250);
}
END_TEST

START_TEST(a_bucket_that_is_settled_is_full_for_any_time)
{
	struct dp_rate r;
	uint32_t now = 5000, bucket = now;
	dp_rate_init(&r, 2600000000, 250);
	for (int i = 0; i < 100; i++, now += 1u << 28) {
		bucket = dp_rate_settle(bucket, now);
		ck_assert(dp_rate_allows(&r, bucket, now));
	}
	uint32_t owing = dp_rate_pay(&r, now, now);
	ck_assert_uint_eq(dp_rate_settle(owing, now), owing);
}
END_TEST

START_TEST(without_a_limit_everything_passes)
{
	struct dp_rate r;
	uint32_t bucket = 77;
	dp_rate_init(&r, 2600000000, 0);
	ck_assert_uint_eq(pass(&r, &bucket, 77), 100000);
}
END_TEST

TESTS("police", a_burst_then_the_rate_and_nothing_is_saved_beyond_it, a_bucket_of_one_word_does_the_same,
	a_bucket_that_is_settled_is_full_for_any_time, without_a_limit_everything_passes)
