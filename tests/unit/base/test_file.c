#include "base/file.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/journal/scratch.h"

static char dir[SCRATCH_BYTES], path[256];

static void in_scratch(const char *name)
{
	snprintf(path, sizeof(path), "%s/%s", dir, name);
}

START_TEST(a_file_is_replaced_as_a_whole)
{
	char *data;
	size_t len;
	scratch_make(dir);
	in_scratch("x");
	ck_assert_int_eq(file_replace(path, "one", 3), 0);
	ck_assert_int_eq(file_replace(path, "second", 6), 0);
	ck_assert_int_eq(file_read(path, 100, &data, &len), 0);
	ck_assert_uint_eq(len, 6);
	ck_assert_str_eq(data, "second");
	free(data);
	in_scratch("x.tmp");
	ck_assert_int_ne(access(path, F_OK), 0);
	scratch_remove(dir);
}
END_TEST

START_TEST(limits_and_what_is_not_there)
{
	char *data = NULL;
	size_t len;
	scratch_make(dir);
	in_scratch("big");
	char big[10000] = {1};
	ck_assert_int_eq(file_replace(path, big, sizeof(big)), 0);
	ck_assert_int_eq(file_read(path, sizeof(big) - 1, &data, &len), -EFBIG);
	ck_assert_int_eq(file_read(path, sizeof(big), &data, &len), 0);
	ck_assert_uint_eq(len, sizeof(big));
	free(data);
	in_scratch("nothing");
	ck_assert_int_eq(file_read(path, 10, &data, &len), -ENOENT);
	in_scratch("fifo");
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	ck_assert_int_eq(file_read(path, 10, &data, &len), -EINVAL);
	ck_assert_int_eq(file_read(dir, 10, &data, &len), -EISDIR);
	in_scratch("no/such/dir");
	ck_assert_int_eq(file_replace(path, "x", 1), -ENOENT);
	scratch_remove(dir);
}
END_TEST

START_TEST(directories_are_made_with_their_parents)
{
	struct stat st;
	scratch_make(dir);
	in_scratch("a/b/c");
	ck_assert_int_eq(file_make_dirs(path), 0);
	ck_assert_int_eq(file_make_dirs(path), 0);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert(S_ISDIR(st.st_mode));
	ck_assert_int_eq(st.st_mode & 07, 0);
	in_scratch("file");
	ck_assert_int_eq(file_replace(path, "x", 1), 0);
	in_scratch("file/below");
	ck_assert_int_eq(file_make_dirs(path), -ENOTDIR);
	scratch_remove(dir);
}
END_TEST

SCRATCH_MAIN("file", 20, a_file_is_replaced_as_a_whole, limits_and_what_is_not_there,
	directories_are_made_with_their_parents)
