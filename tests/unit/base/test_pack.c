#include "base/pack.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static const uint64_t numbers[] = {0, 1, 127, 128, 16383, 16384, UINT32_MAX, INT64_MAX, UINT64_MAX};
#define NUMBERS (sizeof(numbers) / sizeof(*numbers))

static struct unpack reading(const struct pack *p)
{
	return (struct unpack){.at = p->data, .end = p->data + p->len};
}

START_TEST(what_is_packed_is_unpacked)
{
	struct pack p = {0};
	size_t len;
	for (size_t i = 0; i < NUMBERS; i++) {
		pack_number(&p, numbers[i]);
		pack_text(&p, "a\0b", 3);
	}
	pack_text(&p, NULL, 0);
	ck_assert(!p.failed);
	struct unpack u = reading(&p);
	for (size_t i = 0; i < NUMBERS; i++) {
		ck_assert_uint_eq(unpack_number(&u), numbers[i]);
		const char *text = unpack_text(&u, &len);
		ck_assert_uint_eq(len, 3);
		ck_assert_mem_eq(text, "a\0b", 4);
	}
	ck_assert_str_eq(unpack_text(&u, &len), "");
	ck_assert(!u.failed && u.at == u.end);
	/* There is no more. */
	ck_assert_uint_eq(unpack_number(&u), 0);
	ck_assert(u.failed);
	ck_assert_str_eq(unpack_text(&u, &len), "");
	ck_assert_uint_eq(len, 0);
	free(p.data);
}
END_TEST

/* Cut anywhere, it fails, and gives nothing beyond its end. */
START_TEST(cut_off)
{
	struct pack p = {0};
	size_t len;
	pack_number(&p, UINT64_MAX);
	pack_text(&p, "text", 4);
	for (size_t n = 0; n < p.len; n++) {
		uint8_t *copy = malloc(n ? n : 1); /* for AddressSanitizer */
		memcpy(copy, p.data, n);
		struct unpack u = {.at = copy, .end = copy + n};
		unpack_number(&u);
		unpack_text(&u, &len);
		ck_assert(u.failed);
		free(copy);
	}
	free(p.data);
}
END_TEST

static bool refuses(const char *bytes, size_t n, uint64_t max)
{
	struct unpack u = {.at = (const uint8_t *)bytes, .end = (const uint8_t *)bytes + n};
	unpack_number_to(&u, max);
	return u.failed;
}

START_TEST(not_what_was_asked_for)
{
	size_t len;
	ck_assert(!refuses("\x05", 1, 5));
	ck_assert(refuses("\x06", 1, 5));
	/* More than 64 bits, in ten bytes and in eleven. */
	ck_assert(refuses("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 10, UINT64_MAX));
	ck_assert(!refuses("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 10, UINT64_MAX));
	ck_assert(refuses("\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01", 11, UINT64_MAX));
	/* A text without its end, and one that is longer than what is there. */
	static const uint8_t open[] = {1, 'x', 'y'};
	struct unpack u = {.at = open, .end = open + sizeof(open)};
	unpack_text(&u, &len);
	ck_assert(u.failed);
	static const uint8_t endless[] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 'x', 0};
	u = (struct unpack){.at = endless, .end = endless + sizeof(endless)};
	unpack_text(&u, &len);
	ck_assert(u.failed);
	/* More things than there are bytes. */
	static const uint8_t three[] = {3, 0, 0, 0}, four[] = {4, 0, 0, 0};
	u = (struct unpack){.at = three, .end = three + sizeof(three)};
	ck_assert_uint_eq(unpack_count(&u), 3);
	ck_assert(!u.failed);
	u = (struct unpack){.at = four, .end = four + sizeof(four)};
	unpack_count(&u);
	ck_assert(u.failed);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("pack");
	TCase *tcase = tcase_create("pack");
	tcase_add_test(tcase, what_is_packed_is_unpacked);
	tcase_add_test(tcase, cut_off);
	tcase_add_test(tcase, not_what_was_asked_for);
	suite_add_tcase(suite, tcase);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
