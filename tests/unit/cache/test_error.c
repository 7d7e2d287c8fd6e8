#include <string.h>

#include "cache/error.h"
#include "tests/unit/cache/run_suite.h"

START_TEST(every_cause_has_all)
{
	for (enum cache_error e = CACHE_OK + 1; e < CACHE_ERRORS; e++) {
		ck_assert_uint_ge(cache_error_http(e), 400);
		ck_assert_uint_lt(cache_error_http(e), 600);
		ck_assert(*cache_error_name(e) && *cache_error_sentence(e));
		for (enum cache_error f = CACHE_OK + 1; f < e; f++)
			ck_assert_str_ne(cache_error_name(e), cache_error_name(f));
	}
	ck_assert_str_eq(cache_error_name(CACHE_ERRORS + 5), "internal");
}
END_TEST

START_TEST(sentences_are_printable)
{
	struct cache_failure f;
	cache_fail(&f, CACHE_ERROR_DECODE, "type %s", "a\r\nb\xff\x1b");
	ck_assert_str_eq(f.sentence, "type a??b??");
	ck_assert_int_eq(f.error, CACHE_ERROR_DECODE);
	cache_fail(&f, CACHE_ERROR_TLS, NULL);
	ck_assert_str_eq(f.sentence, cache_error_sentence(CACHE_ERROR_TLS));
	char lots[1000];
	for (int i = 0; i < 999; i++)
		lots[i] = 'x';
	lots[999] = '\0';
	cache_fail(&f, CACHE_ERROR_TLS, "%s", lots);
	ck_assert_uint_eq(strlen(f.sentence), CACHE_SENTENCE_BYTES - 1);
}
END_TEST

int main(void)
{
	return run_suite("error", (const TTest *const[]){every_cause_has_all, sentences_are_printable, NULL});
}
