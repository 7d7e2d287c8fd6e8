#include <string.h>

#include "cache/fetch_fields.h"
#include "tests/unit/cache/run_suite.h"

static void line(struct cache_fields *f, const char *text)
{
	cache_fields_line(f, text, strlen(text));
}

START_TEST(fields_are_taken)
{
	struct cache_fields f = {0};
	line(&f, "HTTP/1.1 200 OK\r\n");
	line(&f, "ETag: \"abc\" \r\n");
	line(&f, "CONTENT-TYPE:audio/wav\r\n");
	line(&f, "X-Other: x\r\n");
	line(&f, "Age\r\n");
	line(&f, "\r\n");
	line(&f, "");
	ck_assert_str_eq(f.value[CACHE_FIELD_ETAG], "\"abc\"");
	ck_assert_str_eq(f.value[CACHE_FIELD_CONTENT_TYPE], "audio/wav");
	ck_assert_ptr_null(f.value[CACHE_FIELD_AGE]);
	cache_fields_clear(&f);
	ck_assert_ptr_null(f.value[CACHE_FIELD_ETAG]);
}
END_TEST

START_TEST(repeated_fields)
{
	struct cache_fields f = {0};
	line(&f, "Cache-Control: max-age=5\r\n");
	line(&f, "Cache-Control: no-store\r\n");
	line(&f, "Location: /a\r\n");
	line(&f, "Location: /b\r\n");
	ck_assert_str_eq(f.value[CACHE_FIELD_CACHE_CONTROL], "max-age=5,no-store");
	ck_assert_str_eq(f.value[CACHE_FIELD_LOCATION], "/a");
	cache_fields_clear(&f);
}
END_TEST

START_TEST(an_interim_answer_is_forgotten)
{
	struct cache_fields f = {0};
	line(&f, "HTTP/1.1 103 Early Hints\r\n");
	line(&f, "ETag: \"early\"\r\n");
	line(&f, "HTTP/1.1 200 OK\r\n");
	ck_assert_ptr_null(f.value[CACHE_FIELD_ETAG]);
	cache_fields_clear(&f);
}
END_TEST

START_TEST(hostile_values)
{
	struct cache_fields f = {0};
	static char text[20000];
	cache_fields_line(&f, "ETag: a\0b", 9);
	line(&f, "ETag: a\x1b[2J\r\n");
	memset(text, 'x', sizeof(text) - 1);
	memcpy(text, "ETag: ", 6);
	line(&f, text);
	ck_assert_ptr_null(f.value[CACHE_FIELD_ETAG]);
	for (int i = 0; i < 1000; i++)
		line(&f, "Cache-Control: max-age=1, "
			 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
	ck_assert_uint_le(strlen(f.value[CACHE_FIELD_CACHE_CONTROL]), 8193);
	cache_fields_clear(&f);
}
END_TEST

int main(void)
{
	return run_suite("fetch_fields", (const TTest *const[]){fields_are_taken, repeated_fields,
						 an_interim_answer_is_forgotten, hostile_values, NULL});
}
