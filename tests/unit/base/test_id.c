#include "base/id.h"

#include <errno.h>

#include "tests/unit/journal/scratch.h"

START_TEST(text_and_back)
{
	struct id a, b;
	char text[ID_TEXT_BYTES];
	ck_assert_int_eq(id_new(&a), 0);
	id_format(&a, ID_KIND_CALL, text);
	ck_assert_uint_eq(strlen(text), 34);
	ck_assert_int_eq(id_parse(text, ID_KIND_CALL, &b), 0);
	ck_assert(id_equal(&a, &b));
	ck_assert_int_eq(id_parse(text, ID_KIND_SESSION, &b), -EINVAL);
}
END_TEST

START_TEST(what_is_no_id_changes_nothing)
{
	static const char *const bad[] = {"", "CA", "CA0123456789abcdef0123456789abcde",
		"CA0123456789abcdef0123456789abcdef0", "CA0123456789ABCDEF0123456789ABCDEF",
		"CA0123456789abcdef0123456789abcdeg", "ca0123456789abcdef0123456789abcdef"};
	struct id before, id;
	memset(&before, 7, sizeof(before));
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		id = before;
		ck_assert_msg(id_parse(bad[i], ID_KIND_CALL, &id) == -EINVAL, "%s", bad[i]);
		ck_assert(id_equal(&id, &before));
	}
}
END_TEST

START_TEST(no_two_are_equal)
{
	struct id a, b;
	ck_assert_int_eq(id_new(&a), 0);
	ck_assert_int_eq(id_new(&b), 0);
	ck_assert(!id_equal(&a, &b));
}
END_TEST

SCRATCH_MAIN("id", 10, text_and_back, what_is_no_id_changes_nothing, no_two_are_equal)
