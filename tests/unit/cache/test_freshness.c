#include "cache/freshness.h"
#include "tests/unit/cache/run_suite.h"

#define NOW     1000000000 /* Sun, 09 Sep 2001 01:46:40 GMT */
#define DEFAULT 300

static void expect(struct cache_answer_fields f, bool shared, bool keep, unsigned fresh_s)
{
	struct cache_freshness got = cache_freshness(&f, shared, NOW, DEFAULT);
	ck_assert_msg(got.keep == keep && got.fresh_s == fresh_s, "%s / %s: keep=%d fresh_s=%u, not %d %u",
		f.cache_control ? f.cache_control : "-", f.expires ? f.expires : "-", got.keep, got.fresh_s,
		keep, fresh_s);
}

static void control(const char *text, bool keep, unsigned fresh_s)
{
	expect((struct cache_answer_fields){.cache_control = text}, true, keep, fresh_s);
}

START_TEST(cache_control)
{
	expect((struct cache_answer_fields){0}, true, true, DEFAULT);
	control("", true, DEFAULT);
	control("max-age=60", true, 60);
	control("Max-Age = 60", true, 60);
	control("public, max-age=60", true, 60);
	control("max-age=\"60\"", true, 60);
	control("max-age=0", true, 0);
	control("no-cache", true, 0);
	control("no-cache=\"set-cookie\", max-age=60", true, 0);
	control("no-store", false, 0);
	control("max-age=60,no-store", false, 0);
	control("private, max-age=60", false, 0);
	control("s-maxage=10, max-age=60", true, 10);
	control("max-age=60, max-age=10", true, 10);
	control("x-foo=\"no-store\", max-age=5", true, 5);
	control("x=\"a\\\"no-store,\", max-age=5", true, 5);
	control("nostore", true, DEFAULT);
	control("no-store-please", true, DEFAULT);
}
END_TEST

START_TEST(damaged_cache_control)
{
	control("max-age", true, 0);
	control("max-age=", true, 0);
	control("max-age=-1", true, 0);
	control("max-age=1x", true, 0);
	control("max-age=99999999999999999999999999", true, CACHE_FRESH_MAX_S);
	control(",,, ,max-age=7,,", true, 7);
	control("=", true, DEFAULT);
	control("\"", true, DEFAULT);
	control("x=\"unterminated, max-age=5", true, DEFAULT);
	control("x=\"\\", true, DEFAULT);
}
END_TEST

START_TEST(one_account_is_not_shared)
{
	expect((struct cache_answer_fields){.cache_control = "private, max-age=60"}, false, true, 60);
	expect((struct cache_answer_fields){.cache_control = "s-maxage=1, max-age=60"}, false, true, 60);
}
END_TEST

START_TEST(expires)
{
	struct cache_answer_fields f = {.expires = "Sun, 09 Sep 2001 01:48:20 GMT"};
	expect(f, true, true, 100);
	f.date = "Sun, 09 Sep 2001 01:48:10 GMT"; /* the origin's clock decides */
	expect(f, true, true, 10);
	f.cache_control = "max-age=5";
	expect(f, true, true, 5);
	expect((struct cache_answer_fields){.expires = "0"}, true, true, 0);
	expect((struct cache_answer_fields){.expires = "-1"}, true, true, 0);
	expect((struct cache_answer_fields){.expires = "Sun, 09 Sep 2001 01:46:40 GMT"}, true, true, 0);
	expect((struct cache_answer_fields){.expires = "Sun, 09 Sep 2035 01:46:40 GMT"}, true, true,
		CACHE_FRESH_MAX_S);
}
END_TEST

START_TEST(age)
{
	expect((struct cache_answer_fields){.cache_control = "max-age=60", .age = "20"}, true, true, 40);
	expect((struct cache_answer_fields){.cache_control = "max-age=60", .age = "99"}, true, true, 0);
	expect((struct cache_answer_fields){.cache_control = "max-age=60", .age = "x"}, true, true, 60);
	expect((struct cache_answer_fields){.cache_control = "max-age=60", .age = "99999999999999999"}, true,
		true, 0);
}
END_TEST

int main(void)
{
	return run_suite("freshness", (const TTest *const[]){cache_control, damaged_cache_control,
					      one_account_is_not_shared, expires, age, NULL});
}
