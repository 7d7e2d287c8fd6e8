#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/modules/fetcher_redirect.h"
#include "controlplane/modules/url.h"

static char out[URL_BYTES_MAX];

static void check_leads(const char *url, const char *location, const char *expected)
{
	ck_assert_int_eq(fetcher_redirect_resolve(url, location, out, sizeof(out)), FETCH_OK);
	ck_assert_str_eq(out, expected);
}

START_TEST(statuses)
{
	static const int yes[] = {301, 302, 303, 307, 308}, no[] = {0, 200, 300, 304, 305, 306, 309, 404};
	for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++)
		ck_assert(fetcher_redirect_status(yes[i]));
	for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++)
		ck_assert(!fetcher_redirect_status(no[i]));
}
END_TEST

START_TEST(targets)
{
	check_leads("http://h/a/b?q", "c", "http://h/a/c");
	check_leads("http://h/a/b", "/c", "http://h/c");
	check_leads("http://h/a/b", "//i/c", "http://i/c");
	check_leads("http://h/a", "https://i", "https://i/");
	check_leads("https://h/a", "//i/", "https://i/");
	check_leads("http://h/a#rc=2", "/c", "http://h/c#rc=2");
	check_leads("http://h/a#rc=2", "/c#x", "http://h/c#x");
}
END_TEST

START_TEST(refused_targets)
{
	static const char *const bad[] = {"ftp://h/", "file:///etc/passwd", "gopher://h/", "http://",
		"http:x", "javascript:1", "http://a\tb/", "\\\\h\\x"};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_msg(fetcher_redirect_resolve("http://h/", bad[i], out, sizeof(out)) ==
				      FETCH_REDIRECT_TARGET,
			"%s was taken", bad[i]);
	ck_assert_int_eq(
		fetcher_redirect_resolve("http://h/", NULL, out, sizeof(out)), FETCH_REDIRECT_TARGET);
	ck_assert_int_eq(fetcher_redirect_resolve("http://h/#fragment", "/", out, 12), FETCH_REDIRECT_TARGET);
	ck_assert_int_eq(fetcher_redirect_resolve("https://h/", "http://h/", out, sizeof(out)),
		FETCH_REDIRECT_INSECURE);
	ck_assert_int_eq(fetcher_redirect_resolve("HTTPS://h/", "HTTP://h/", out, sizeof(out)),
		FETCH_REDIRECT_INSECURE);
}
END_TEST

START_TEST(methods)
{
	ck_assert_str_eq(fetcher_redirect_method(301, "POST"), "GET");
	ck_assert_str_eq(fetcher_redirect_method(302, "POST"), "GET");
	ck_assert_str_eq(fetcher_redirect_method(303, "POST"), "GET");
	ck_assert_str_eq(fetcher_redirect_method(307, "POST"), "POST");
	ck_assert_str_eq(fetcher_redirect_method(308, "POST"), "POST");
	ck_assert_str_eq(fetcher_redirect_method(302, "DELETE"), "DELETE");
	ck_assert_str_eq(fetcher_redirect_method(303, "DELETE"), "GET");
	ck_assert_str_eq(fetcher_redirect_method(302, "GET"), "GET");
}
END_TEST

START_TEST(origins)
{
	ck_assert(fetcher_redirect_same_origin("http://h/a", "http://u:p@H:80/b#c"));
	ck_assert(!fetcher_redirect_same_origin("http://h/", "https://h/"));
	ck_assert(!fetcher_redirect_same_origin("http://h/", "http://h:8080/"));
	ck_assert(!fetcher_redirect_same_origin("http://h/", "http://h.evil/"));
	ck_assert(!fetcher_redirect_same_origin("http://h/", "http://h@evil/"));
	ck_assert(!fetcher_redirect_same_origin("http://h/", "nonsense"));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("fetcher_redirect");
	TCase *tc = tcase_create("all");
	tcase_add_test(tc, statuses);
	tcase_add_test(tc, targets);
	tcase_add_test(tc, refused_targets);
	tcase_add_test(tc, methods);
	tcase_add_test(tc, origins);
	suite_add_tcase(suite, tc);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
