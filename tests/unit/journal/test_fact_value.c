#include "controlplane/journal/fact_value.h"

#include "controlplane/journal/fact.h"
#include "tests/unit/journal/scratch.h"

START_TEST(names)
{
	ck_assert_int_eq(fact_by_name("meter"), FACT_meter);
	ck_assert_int_eq(fact_by_name("cdr_rotate"), FACT_cdr_rotate);
	ck_assert_int_eq(fact_by_name("nothing"), FACTS);
	ck_assert_int_eq(fact_by_name(""), FACTS);
	for (int i = 0; i < FACTS; i++)
		ck_assert_int_eq(fact_by_name(fact_name[i]), i);
}
END_TEST

START_TEST(numbers)
{
	json_t *o = json_pack("{s:i,s:I,s:s,s:f,s:I}", "neg", -1, "big", (json_int_t)1 << 40, "text", "7",
		"real", 1.5, "max", (json_int_t)UINT32_MAX);
	uint64_t v = 99;
	uint32_t w = 99;
	ck_assert(!fact_u64(o, "neg", &v) && !fact_u64(o, "text", &v) && !fact_u64(o, "real", &v));
	ck_assert(!fact_u64(o, "absent", &v) && !fact_u32(o, "big", &w));
	ck_assert_uint_eq(v, 99);
	ck_assert_uint_eq(w, 99);
	ck_assert(fact_u64(o, "big", &v) && v == 1ull << 40);
	ck_assert(fact_u32(o, "max", &w) && w == UINT32_MAX);
	ck_assert(!fact_u64(NULL, "big", &v));
	json_decref(o);
}
END_TEST

START_TEST(region)
{
	json_t *o = json_pack("{s:o,s:s,s:s,s:i}", "r", fact_string_of_region(0xfedcba9876543210ull), "short",
		"12", "upper", "FEDCBA9876543210", "number", -2);
	uint64_t v = 0;
	ck_assert(fact_region(o, "r", &v));
	ck_assert(v == 0xfedcba9876543210ull);
	ck_assert(!fact_region(o, "short", &v) && !fact_region(o, "upper", &v));
	ck_assert(fact_region(o, "number", &v));
	ck_assert(v == UINT64_MAX - 1);
	json_decref(o);
}
END_TEST

static void expect(const char *in, size_t len, const char *out)
{
	json_t *s = fact_string(in, len);
	ck_assert_ptr_nonnull(s);
	ck_assert_uint_eq(json_string_length(s), strlen(out));
	ck_assert_str_eq(json_string_value(s), out);
	json_decref(s);
}

#define R "\xef\xbf\xbd"
START_TEST(text_from_outside)
{
	expect("plain", 5, "plain");
	expect("", 0, "");
	expect("gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80", 15,
		"gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80");
	expect("\xff", 1, R);
	expect("a\xc3", 2, "a" R);              /* cut short */
	expect("\xc0\xaf", 2, R R);             /* overlong */
	expect("\xe0\x80\x80", 3, R R R);       /* overlong */
	expect("\xed\xa0\x80", 3, R R R);       /* surrogate */
	expect("\xf4\x90\x80\x80", 4, R R R R); /* beyond U+10FFFF */
	expect("\xe2(\xa1", 3, R "(" R);
}
END_TEST

/* Every pair of bytes makes a string that JSON takes. */
START_TEST(any_bytes)
{
	for (int i = 0; i < 65536; i++) {
		char in[2] = {(char)(i >> 8), (char)i};
		json_t *s = fact_string(in, 2);
		ck_assert_ptr_nonnull(s);
		json_decref(s);
	}
}
END_TEST

SCRATCH_MAIN("fact_value", 10, names, numbers, region, text_from_outside, any_bytes)
