#include <check.h>
#include <stdlib.h>

#include "controlplane/modules/fetcher_limits.h"

static const struct fetcher_limits defaults = {5000, 15000, 15000, 1, FETCHER_RETRY_CONNECT};

static struct fetcher_limits of(const char *url)
{
	struct fetcher_limits limits = defaults;
	fetcher_limits_read(url, &limits);
	return limits;
}

static void check_same(const char *url)
{
	struct fetcher_limits l = of(url);
	ck_assert_msg(l.connect_ms == 5000 && l.read_ms == 15000 && l.total_ms == 15000 && l.retries == 1 &&
			      l.retry_on == FETCHER_RETRY_CONNECT,
		"%s changed something", url);
}

START_TEST(every_key)
{
	struct fetcher_limits l = of("http://h/?ct=1#ct=200&rt=300&tt=400&rc=3&rp=4xx,5xx");
	ck_assert_uint_eq(l.connect_ms, 200);
	ck_assert_uint_eq(l.read_ms, 300);
	ck_assert_uint_eq(l.total_ms, 400);
	ck_assert_uint_eq(l.retries, 3);
	ck_assert_uint_eq(l.retry_on, FETCHER_RETRY_CLIENT | FETCHER_RETRY_SERVER);
	ck_assert_uint_eq(of("http://h/#rp=ct,rt").retry_on, FETCHER_RETRY_CONNECT | FETCHER_RETRY_READ);
	ck_assert_uint_eq(of("http://h/#rp=all").retry_on, FETCHER_RETRY_ALL);
	ck_assert_uint_eq(of("http://h/#rp=rt").retry_on, FETCHER_RETRY_READ);
	ck_assert_uint_eq(of("http://h/#rc=0").retries, 0);
}
END_TEST

START_TEST(numbers_are_kept_in_their_ranges)
{
	ck_assert_uint_eq(of("http://h/#ct=1").connect_ms, 100);
	ck_assert_uint_eq(of("http://h/#ct=10001").connect_ms, 10000);
	ck_assert_uint_eq(of("http://h/#rt=99").read_ms, 100);
	ck_assert_uint_eq(of("http://h/#rt=15001").read_ms, 15000);
	ck_assert_uint_eq(of("http://h/#tt=0").total_ms, 100);
	ck_assert_uint_eq(of("http://h/#tt=99999999999999999999999").total_ms, 15000);
	ck_assert_uint_eq(of("http://h/#tt=4294967296").total_ms, 15000);
	ck_assert_uint_eq(of("http://h/#rc=6").retries, 5);
}
END_TEST

START_TEST(what_is_not_understood_is_ignored)
{
	static const char *const same[] = {"http://h/", "http://h/#", "http://h/#section", "http://h/#ct",
		"http://h/#ct=", "http://h/#ct=-1", "http://h/#ct=1s", "http://h/# ct=200",
		"http://h/#CT=200", "http://h/#rp=", "http://h/#rp=none", "http://h/#rp=,", "http://h/?rc=5",
		"http://h/#x=1&&&=&=3", "http://h/#rc=+2", "http://h/#ctt=200", "http://h/#c=200",
		"http://h/#ct=2=3"};
	for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++)
		check_same(same[i]);
	ck_assert_uint_eq(of("http://h/#rp=nonsense,4xx").retry_on, FETCHER_RETRY_CLIENT);
	ck_assert_uint_eq(of("http://h/#e=ashburn&rc=2").retries, 2);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("fetcher_limits");
	TCase *tc = tcase_create("all");
	tcase_add_test(tc, every_key);
	tcase_add_test(tc, numbers_are_kept_in_their_ranges);
	tcase_add_test(tc, what_is_not_understood_is_ignored);
	suite_add_tcase(suite, tc);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
