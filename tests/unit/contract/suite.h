/* Runs the tests of one file: TESTS(name, test, ...) at its end. */
#ifndef TG_TESTS_CONTRACT_SUITE_H
#define TG_TESTS_CONTRACT_SUITE_H

#include <check.h>
#include <stdlib.h>

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
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

#define TESTS(name, ...)                                                         \
	int main(void)                                                           \
	{                                                                        \
		const TTest *const tests[] = {__VA_ARGS__};                      \
		return run_suite(name, tests, sizeof(tests) / sizeof(tests[0])); \
	}

#endif
