#include "contract/region_open.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/contract/suite.h"

START_TEST(a_tmpfs_that_was_named_is_used)
{
	char dir[SUITE_DIRECTORY_BYTES];
	suite_directory(dir);
	ck_assert_str_eq(tg_region_place(dir, "none-of-that-name"), dir);
	rmdir(dir);
}
END_TEST

START_TEST(what_is_missing_or_no_memory_means_shm)
{
	ck_assert_str_eq(tg_region_place("/nonexistent/huge", "none-of-that-name"), TG_REGION_FALLBACK_DIR);
	ck_assert_str_eq(tg_region_place("/proc", "none-of-that-name"), TG_REGION_FALLBACK_DIR);
}
END_TEST

START_TEST(a_region_that_is_there_decides)
{
	char name[64], path[128];
	char dir[SUITE_DIRECTORY_BYTES];
	suite_directory(dir);
	snprintf(name, sizeof(name), "tollgate-test-%d", getpid());
	snprintf(path, sizeof(path), TG_REGION_FALLBACK_DIR "/%s", name);
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL, 0600);
	ck_assert_int_ge(fd, 0);
	/* Empty: one that was never made. */
	ck_assert_str_eq(tg_region_place(dir, name), dir);
	ck_assert_int_eq(ftruncate(fd, 4096), 0);
	ck_assert_str_eq(tg_region_place(dir, name), TG_REGION_FALLBACK_DIR);
	close(fd);
	unlink(path);
	rmdir(dir);
}
END_TEST

START_TEST(somebody_elses_file_is_no_region)
{
	char name[64], path[128], why[512];
	char dir[] = "/dev/shm/tollgate-test-XXXXXX";
	struct tg_capacity cap = {.workers = 1,
		.addresses = 1,
		.port_min = 20000,
		.ports = 64,
		.media_items = 4,
		.arena_bytes = 1 << 20,
		.address = {{.b = {198, 18, 0, 2}, .family = TG_FAMILY_IPV4}}};
	struct tg_region *region;
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(name, sizeof(name), "tollgate-test-%d", getpid());
	snprintf(path, sizeof(path), TG_REGION_FALLBACK_DIR "/%s", name);
	/* A link to a file of ours. */
	ck_assert_int_eq(symlink("/proc/self/exe", path), 0);
	ck_assert_str_eq(tg_region_place(dir, name), dir);
	ck_assert_int_eq(tg_region_open(&region, TG_REGION_FALLBACK_DIR, name, &cap, TG_ROLE_CONTROL, why,
				 sizeof(why)),
		-ELOOP);
	unlink(path);
	/* One that everyone may write to. */
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL, 0600);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(ftruncate(fd, 4096), 0);
	ck_assert_int_eq(fchmod(fd, 0666), 0);
	ck_assert_int_eq(tg_region_open(&region, TG_REGION_FALLBACK_DIR, name, &cap, TG_ROLE_CONTROL, why,
				 sizeof(why)),
		-EPERM);
	ck_assert_int_eq(fchmod(fd, 0600), 0);
	if (!fchown(fd, 65534, 65534) && geteuid() == 0) { /* only root can give files away */
		ck_assert_str_eq(tg_region_place(dir, name), dir);
		ck_assert_int_eq(tg_region_open(&region, TG_REGION_FALLBACK_DIR, name, &cap,
					 TG_ROLE_DATAPLANE, why, sizeof(why)),
			-EPERM);
		ck_assert_ptr_nonnull(strstr(why, "65534"));
	}
	close(fd);
	unlink(path);
	rmdir(dir);
}
END_TEST

START_TEST(a_long_name_is_no_region)
{
	char name[6000];
	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	ck_assert_str_eq(tg_region_place("/dev/shm", name), "/dev/shm");
}
END_TEST

TESTS("region_open", a_tmpfs_that_was_named_is_used, what_is_missing_or_no_memory_means_shm,
	a_region_that_is_there_decides, somebody_elses_file_is_no_region, a_long_name_is_no_region)
