/* A directory of a test's own, gone at its end. */
#ifndef TG_TEST_SCRATCH_H
#define TG_TEST_SCRATCH_H

#include <check.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"

#define SCRATCH_BYTES 64

static inline void scratch_make(char dir[static SCRATCH_BYTES])
{
	snprintf(dir, SCRATCH_BYTES, "/tmp/tollgate-test-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
}

static inline int scratch_remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static inline void scratch_remove(const char *dir)
{
	nftw(dir, scratch_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* Content of DIR/NAME, the caller's to free; fails the test when it isn't there. */
static inline char *scratch_read(const char *dir, const char *name, size_t *len)
{
	char path[512], *data;
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	ck_assert_msg(file_read(path, 1u << 30, &data, len) == 0, "%s can't be read", path);
	return data;
}

static inline void scratch_write(const char *dir, const char *name, const void *data, size_t len)
{
	char path[512];
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	FILE *f = fopen(path, "w");
	ck_assert_ptr_nonnull(f);
	ck_assert_uint_eq(fwrite(data, 1, len, f), len);
	ck_assert_int_eq(fclose(f), 0);
}

/* Runs one suite; the exit status for main. */
static inline int scratch_run(const char *name, const TTest *const *tests, size_t n, double timeout_s)
{
	Suite *suite = suite_create(name);
	TCase *tcase = tcase_create(name);
	tcase_set_timeout(tcase, timeout_s);
	for (size_t i = 0; i < n; i++)
		tcase_add_test(tcase, tests[i]);
	suite_add_tcase(suite, tcase);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

#define SCRATCH_MAIN(name, timeout_s, ...)                                                  \
	int main(void)                                                                      \
	{                                                                                   \
		const TTest *const tests[] = {__VA_ARGS__};                                 \
		return scratch_run(name, tests, sizeof(tests) / sizeof(*tests), timeout_s); \
	}

#endif
