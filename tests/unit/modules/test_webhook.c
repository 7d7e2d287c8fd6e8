/* Signatures other than the scheme's published example were computed by Python's hmac module. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/modules/url.h"
#include "controlplane/modules/webhook.h"

#define TOKEN "0123456789abcdef0123456789abcdef"

static struct webhook hook;
static struct webhook_request request;

static void add(const char *name, const char *value)
{
	ck_assert_int_eq(webhook_add(&hook, name, value), 0);
}

static void build(const char *url, const char *method)
{
	ck_assert_int_eq(webhook_build(&hook, url, method, TOKEN, &request), 0);
}

static void clear(void)
{
	webhook_request_clear(&request);
	webhook_clear(&hook);
}

START_TEST(published_example)
{
	add("CallSid", "CA1234567890ABCDE");
	add("Caller", "+14158675309");
	add("To", "+18005551212");
	add("From", "+14158675309");
	add("Digits", "1234");
	ck_assert_int_eq(webhook_build(&hook, "https://mycompany.com/myapp.php?foo=1&bar=2", "POST", "12345",
				 &request),
		0);
	ck_assert_str_eq(request.signature, "RSOYDt4T1cUTdK1PDd93/VVr8B8=");
	ck_assert_str_eq(request.url, "https://mycompany.com/myapp.php?foo=1&bar=2");
	ck_assert_str_eq(request.body, "CallSid=CA1234567890ABCDE&Caller=%2B14158675309&To=%2B18005551212&"
				       "From=%2B14158675309&Digits=1234");
	clear();
}
END_TEST

START_TEST(post_without_parameters)
{
	build("HTTP://Example.COM", "POST");
	ck_assert_str_eq(request.url, "http://example.com/");
	ck_assert_str_eq(request.body, "");
	ck_assert_str_eq(request.signature, "6HYkCU0ozLkP5jFpdzYYozkGcQk=");
	clear();
}
END_TEST

START_TEST(names_are_sorted_bytewise_and_the_port_stays)
{
	add("b", "2");
	add("a", "\xc3\xa9");
	add("B", "1");
	build("http://user:secret@Example.com:8080/a?x=1#rc=2", "POST");
	ck_assert_str_eq(request.url, "http://user:secret@example.com:8080/a?x=1#rc=2");
	ck_assert_str_eq(request.body, "b=2&a=%C3%A9&B=1");
	ck_assert_str_eq(request.signature, "f0rBA//3l4zdoKZxpV31TAItzGQ=");
	clear();
}
END_TEST

START_TEST(default_port_goes)
{
	build("https://example.com:443", "POST");
	ck_assert_str_eq(request.signature, "7hA4ViysaAv9aQQ2g0wSEPpv1Ng=");
	clear();
}
END_TEST

START_TEST(repeated_names_count_once_per_value)
{
	add("k", "z");
	add("k", "a");
	add("k", "z");
	add("j", "1");
	build("https://example.com/r", "POST");
	ck_assert_str_eq(request.body, "k=z&k=a&k=z&j=1");
	ck_assert_str_eq(request.signature, "U8mld4nIZMVNlWfo1In3BnN9oB8=");
	clear();
}
END_TEST

START_TEST(get_has_its_parameters_in_the_query)
{
	add("To", "+1555");
	add("From", "a b");
	build("https://u:p@example.com/g?x=1#tt=500", "GET");
	ck_assert_str_eq(request.url, "https://u:p@example.com/g?x=1&To=%2B1555&From=a%20b#tt=500");
	ck_assert_ptr_null(request.body);
	ck_assert_str_eq(request.signature, "ql24S5pwjItzexSBwkM/tOgPlVE=");
	webhook_request_clear(&request);
	build("https://example.com/g", "GET");
	ck_assert_str_eq(request.url, "https://example.com/g?To=%2B1555&From=a%20b");
	ck_assert_str_eq(request.signature, "A8pfwiBoL7AIlJDLKjQl//pzahE=");
	webhook_request_clear(&request);
	build("https://example.com/g?", "GET");
	ck_assert_str_eq(request.url, "https://example.com/g?To=%2B1555&From=a%20b");
	clear();
}
END_TEST

START_TEST(get_without_parameters)
{
	build("https://example.com", "GET");
	ck_assert_str_eq(request.url, "https://example.com/");
	ck_assert_ptr_null(request.body);
	ck_assert_str_eq(request.signature, "7hA4ViysaAv9aQQ2g0wSEPpv1Ng=");
	clear();
}
END_TEST

START_TEST(bytes_that_are_not_text_are_replaced_before_signing)
{
	add("n", "\xffx");
	build("https://example.com/r", "POST");
	ck_assert_str_eq(request.body, "n=%EF%BF%BDx");
	ck_assert_str_eq(request.signature, "ICVTSO0uzwl2Nn8uE7EMJdSsH7w=");
	clear();
}
END_TEST

START_TEST(a_value_can_not_become_a_parameter)
{
	add("From", "x&CallStatus=completed\r\nX: y");
	build("https://example.com/", "POST");
	ck_assert_str_eq(request.body, "From=x%26CallStatus%3Dcompleted%0D%0AX%3A%20y");
	clear();
}
END_TEST

START_TEST(limits)
{
	add("left", NULL);
	ck_assert_int_eq(hook.params, 0);
	for (int i = 0; i < WEBHOOK_PARAMS_MAX; i++)
		add("n", "v");
	ck_assert_int_eq(webhook_add(&hook, "n", "v"), -ENOSPC);
	ck_assert_int_eq(webhook_add(&hook, "n", NULL), 0);
	build("https://example.com/", "POST");
	clear();
	char *value = malloc(URL_BYTES_MAX);
	memset(value, 'v', URL_BYTES_MAX - 1);
	value[URL_BYTES_MAX - 1] = '\0';
	add("n", value);
	ck_assert_int_eq(webhook_build(&hook, "http://example.com/", "GET", TOKEN, &request), -E2BIG);
	value[URL_BYTES_MAX - 1 - strlen("http://example.com/?n=")] = '\0';
	webhook_clear(&hook);
	add("n", value);
	build("http://example.com/", "GET");
	ck_assert_uint_eq(strlen(request.url), URL_BYTES_MAX - 1);
	webhook_request_clear(&request);
	ck_assert_int_eq(webhook_build(&hook, "http://example.com/#f", "GET", TOKEN, &request), -E2BIG);
	free(value);
	clear();
}
END_TEST

START_TEST(bad_requests_are_refused)
{
	static const char *const bad[] = {"", "/relative", "ftp://example.com/", "http://", "http:/one",
		"file:///etc/passwd", "http://a b/", "javascript:alert(1)", "http://exa\nmple/"};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_msg(webhook_build(&hook, bad[i], "POST", TOKEN, &request) == -EINVAL,
			"%s was taken", bad[i]);
	ck_assert_int_eq(webhook_build(&hook, "http://example.com/", "PUT", TOKEN, &request), -EINVAL);
	ck_assert_ptr_null(request.url);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {published_example, post_without_parameters,
		names_are_sorted_bytewise_and_the_port_stays, default_port_goes,
		repeated_names_count_once_per_value, get_has_its_parameters_in_the_query,
		get_without_parameters, bytes_that_are_not_text_are_replaced_before_signing,
		a_value_can_not_become_a_parameter, limits, bad_requests_are_refused};
	Suite *suite = suite_create("webhook");
	TCase *tc = tcase_create("all");
	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
		tcase_add_test(tc, tests[i]);
	suite_add_tcase(suite, tc);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
