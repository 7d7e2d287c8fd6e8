/* The main() of a test program: each is one suite of one case. */
#ifndef TG_TESTS_CACHE_RUN_SUITE_H
#define TG_TESTS_CACHE_RUN_SUITE_H

#include <check.h>
#include <stdlib.h>

/* Tests end with NULL. */
static inline int run_suite(const char *name, const TTest *const *tests)
{
	Suite *s = suite_create(name);
	TCase *t = tcase_create(name);
	tcase_set_timeout(t, 30);
	for (; *tests; tests++)
		tcase_add_test(t, *tests);
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

#endif
