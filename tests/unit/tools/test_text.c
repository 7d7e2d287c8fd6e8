#include "tools/text.h"

#include "tests/unit/journal/scratch.h"

static char out[64];

START_TEST(hostile_text)
{
	ck_assert_str_eq(text_show("plain +15550100", 15, out, sizeof(out)), "plain +15550100");
	ck_assert_str_eq(text_show("\x1b[2J\r\n", 6, out, sizeof(out)), "\\x1b[2J\\x0d\\x0a");
	ck_assert_str_eq(text_show("a\\b\x7f\xc3\xbc", 6, out, sizeof(out)), "a\\\\b\\x7f\\xc3\\xbc");
	ck_assert_str_eq(text_show("abc\0def", 7, out, sizeof(out)), "abc");
	ck_assert_str_eq(text_show("no end", 2, out, sizeof(out)), "no");
	ck_assert_str_eq(text_show("", 0, out, sizeof(out)), "");
}
END_TEST

/* Cut between, never within, what one byte became. */
START_TEST(cut_text)
{
	ck_assert_str_eq(text_show("abcdef", 6, out, 4), "abc");
	ck_assert_str_eq(text_show("a\x1b\x1b", 3, out, 9), "a\\x1b");
	ck_assert_str_eq(text_show("a\x1b\x1b", 3, out, 10), "a\\x1b\\x1b");
	ck_assert_str_eq(text_show("a", 1, out, 1), "");
}
END_TEST

START_TEST(times)
{
	ck_assert_str_eq(text_seconds(0, out, sizeof(out)), "0:00");
	ck_assert_str_eq(text_seconds(754, out, sizeof(out)), "12:34");
	ck_assert_str_eq(text_seconds(3723, out, sizeof(out)), "1:02:03");
	ck_assert_str_eq(text_seconds(3 * 86400 + 3723, out, sizeof(out)), "3d 01:02:03");
	ck_assert_uint_gt(strlen(text_seconds(UINT64_MAX, out, sizeof(out))), 0);
}
END_TEST

START_TEST(sizes)
{
	ck_assert_str_eq(text_bytes(0, out, sizeof(out)), "0 B");
	ck_assert_str_eq(text_bytes(1023, out, sizeof(out)), "1023 B");
	ck_assert_str_eq(text_bytes(1536, out, sizeof(out)), "1.5 KiB");
	ck_assert_str_eq(text_bytes(64ull << 20, out, sizeof(out)), "64.0 MiB");
	ck_assert_str_eq(text_bytes(UINT64_MAX, out, sizeof(out)), "16.0 EiB");
}
END_TEST

START_TEST(hex_digits)
{
	const uint8_t ip[4] = {198, 18, 0, 1};
	ck_assert_str_eq(text_hex(ip, 4, out), "c6120001");
}
END_TEST

SCRATCH_MAIN("text", 5, hostile_text, cut_text, times, sizes, hex_digits)
