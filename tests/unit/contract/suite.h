/* Runs the tests of one file: TESTS(name, test, ...) at its end. What they put into directories of
 * suite_directory() is removed afterwards, also when a test failed. */
#ifndef TG_TESTS_CONTRACT_SUITE_H
#define TG_TESTS_CONTRACT_SUITE_H

#include <check.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define SUITE_DIRECTORY_BYTES 64

/* A new directory on tmpfs. Each test runs in a child, so its parent's id names the run. */
static inline void suite_directory(char dir[static SUITE_DIRECTORY_BYTES])
{
	snprintf(dir, SUITE_DIRECTORY_BYTES, "/dev/shm/tollgate-test-%d-XXXXXX", (int)getppid());
	ck_assert_ptr_nonnull(mkdtemp(dir));
}

static inline void suite_sweep(const char *pattern, int (*away)(const char *))
{
	char path[SUITE_DIRECTORY_BYTES + 8];
	glob_t found;
	snprintf(path, sizeof(path), pattern, (int)getpid());
	if (glob(path, 0, NULL, &found))
		return;
	for (size_t i = 0; i < found.gl_pathc; i++)
		away(found.gl_pathv[i]);
	globfree(&found);
}

static inline int run_suite(const char *name, const TTest *const *tests, size_t n)
{
	Suite *suite = suite_create(name);
	TCase *tcase = tcase_create("all");
	tcase_set_timeout(tcase, 60);
	for (size_t i = 0; i < n; i++)
		tcase_add_test(tcase, tests[i]);
	suite_add_tcase(suite, tcase);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	suite_sweep("/dev/shm/tollgate-test-%d-*/*", unlink);
	suite_sweep("/dev/shm/tollgate-test-%d-*", rmdir);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

#define TESTS(name, ...)                                                         \
	int main(void)                                                           \
	{                                                                        \
		const TTest *const tests[] = {__VA_ARGS__};                      \
		return run_suite(name, tests, sizeof(tests) / sizeof(tests[0])); \
	}

#endif
