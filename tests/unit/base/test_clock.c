#include "base/clock.h"

#include "tests/unit/journal/scratch.h"

START_TEST(utc_has_milliseconds_that_are_cut)
{
	static const struct {
		uint64_t ns;
		const char *text;
	} table[] = {{0, "1970-01-01T00:00:00.000Z"}, {999999999, "1970-01-01T00:00:00.999Z"},
		{951782400000000000ull, "2000-02-29T00:00:00.000Z"},
		{1795352400123999999ull, "2026-11-22T13:00:00.123Z"},
		{4102444799999999999ull, "2099-12-31T23:59:59.999Z"}};
	char text[CLOCK_TEXT_BYTES];
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		clock_format_utc(table[i].ns, text);
		ck_assert_str_eq(text, table[i].text);
	}
}
END_TEST

START_TEST(monotonic_time_does_not_go_back)
{
	uint64_t last = clock_mono_ns();
	for (int i = 0; i < 10000; i++) {
		uint64_t now = clock_mono_ns();
		ck_assert_uint_ge(now, last);
		last = now;
	}
}
END_TEST

SCRATCH_MAIN("clock", 10, utc_has_milliseconds_that_are_cut, monotonic_time_does_not_go_back)
