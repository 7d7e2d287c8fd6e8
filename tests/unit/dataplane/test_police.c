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

TESTS("police", a_burst_then_the_rate_and_nothing_is_saved_beyond_it)
