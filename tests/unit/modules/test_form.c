#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/modules/form.h"

static void check_written(const char *text, const char *expected)
{
	char *out;
	size_t len;
	FILE *f = open_memstream(&out, &len);
	form_write(f, text);
	fclose(f);
	ck_assert_str_eq(out, expected);
	free(out);
}

static void check_clean(const char *text, const char *expected)
{
	char *clean = form_clean(text);
	ck_assert_str_eq(clean, expected);
	free(clean);
}

START_TEST(plain_text_stays)
{
	check_written("", "");
	check_written("AZaz09-._~", "AZaz09-._~");
}
END_TEST

START_TEST(hostile_text_is_encoded)
{
	check_written("+15550100", "%2B15550100");
	check_written("a b", "a%20b");
	check_written("x&CallStatus=completed", "x%26CallStatus%3Dcompleted");
	check_written("a\r\nSet-Cookie: b", "a%0D%0ASet-Cookie%3A%20b");
	check_written("100%41", "100%2541");
	check_written("\"<sip:a@b;c?d#e>\"", "%22%3Csip%3Aa%40b%3Bc%3Fd%23e%3E%22");
	check_written("\xc3\xa9\x01\x7f", "%C3%A9%01%7F");
}
END_TEST

#define BAD "\xef\xbf\xbd"

START_TEST(good_utf8_stays)
{
	static const char *const good[] = {"", "abc", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf",
		"\xee\x80\x80", "\xef\xbf\xbf", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf", "a\xe2\x82\xac z"};
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		check_clean(good[i], good[i]);
}
END_TEST

START_TEST(bad_utf8_is_replaced)
{
	check_clean("\x80", BAD);
	check_clean("a\xff z", "a" BAD " z");
	check_clean("\xc0\xaf", BAD BAD);
	check_clean("\xc3", BAD);
	check_clean("\xe2\x82", BAD BAD);
	check_clean("\xe0\x9f\xbf", BAD BAD BAD);
	check_clean("\xed\xa0\x80", BAD BAD BAD);
	check_clean("\xf0\x8f\xbf\xbf", BAD BAD BAD BAD);
	check_clean("\xf4\x90\x80\x80", BAD BAD BAD BAD);
	check_clean("\xf0\x90\x80", BAD BAD BAD);
	check_clean("\xf5\x80\x80\x80", BAD BAD BAD BAD);
	check_clean("\xc3(", BAD "(");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("form");
	TCase *tc = tcase_create("all");
	tcase_add_test(tc, plain_text_stays);
	tcase_add_test(tc, hostile_text_is_encoded);
	tcase_add_test(tc, good_utf8_stays);
	tcase_add_test(tc, bad_utf8_is_replaced);
	suite_add_tcase(suite, tc);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
