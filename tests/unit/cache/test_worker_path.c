#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cache/worker_path.h"
#include "tests/unit/cache/run_suite.h"

static char path[PATH_MAX];

START_TEST(a_path_is_taken_as_it_is)
{
	ck_assert_int_eq(cache_worker_path("/bin/sh", path, sizeof(path)), 0);
	ck_assert_str_eq(path, "/bin/sh");
	ck_assert_int_eq(cache_worker_path("/bin/there-is-no-such-program", path, sizeof(path)), -ENOENT);
	ck_assert_int_eq(cache_worker_path("/etc/passwd", path, sizeof(path)), -ENOENT);
	ck_assert_int_eq(cache_worker_path("/bin", path, sizeof(path)), -ENOENT);
	ck_assert_int_eq(cache_worker_path("", path, sizeof(path)), -ENOENT);
	ck_assert_int_eq(cache_worker_path("/bin/sh", path, 4), -ENAMETOOLONG);
}
END_TEST

START_TEST(beside_the_program_comes_first)
{
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	ck_assert_int_gt(n, 0);
	self[n] = '\0';
	ck_assert_int_eq(cache_worker_path(strrchr(self, '/') + 1, path, sizeof(path)), 0);
	ck_assert_str_eq(path, self);
}
END_TEST

START_TEST(then_the_search_path)
{
	char dir[] = "/tmp/worker_path.XXXXXX", program[64], search[128];
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(program, sizeof(program), "%s/some-media-worker", dir);
	FILE *f = fopen(program, "w");
	ck_assert_ptr_nonnull(f);
	fclose(f);
	snprintf(search, sizeof(search), ":/nowhere:%s", dir);
	setenv("PATH", search, 1);
	ck_assert_int_eq(cache_worker_path("some-media-worker", path, sizeof(path)), -ENOENT);
	chmod(program, 0755);
	ck_assert_int_eq(cache_worker_path("some-media-worker", path, sizeof(path)), 0);
	ck_assert_str_eq(path, program);
	unlink(program);
	rmdir(dir);
}
END_TEST

int main(void)
{
	return run_suite("worker_path", (const TTest *const[]){a_path_is_taken_as_it_is,
						beside_the_program_comes_first, then_the_search_path, NULL});
}
