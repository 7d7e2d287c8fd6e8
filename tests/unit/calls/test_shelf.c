#include "controlplane/calls/shelf.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char home[64], dir[80], path[128], victim[80];

static void make(void)
{
	strcpy(home, "/tmp/tollgate-shelf-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(home));
	snprintf(dir, sizeof(dir), "%s/sessions", home);
	snprintf(victim, sizeof(victim), "%s/victim", home);
	int fd = open(victim, O_WRONLY | O_CREAT | O_EXCL, 0600);
	ck_assert_int_eq(write(fd, "whole", 5), 5);
	close(fd);
}

static void clean(void)
{
	unlink(path);
	unlink(dir);
	rmdir(dir);
	unlink(victim);
	ck_assert_int_eq(rmdir(home), 0);
}

static void ck_assert_whole(void)
{
	struct stat st;
	ck_assert_int_eq(stat(victim, &st), 0);
	ck_assert_int_eq(st.st_size, 5);
}

static void count(void *ctx, const char *name, const json_t *value)
{
	int *found = ctx;
	ck_assert_str_eq(name, "SE1");
	ck_assert_int_eq(json_integer_value(json_object_get(value, "n")), 7);
	++*found;
}

START_TEST(what_is_put_is_found_by_the_next)
{
	struct shelf *s;
	int found = 0;
	json_t *value = json_pack("{s:i}", "n", 7);
	make();
	ck_assert_int_eq(shelf_open(&s, dir), 0);
	ck_assert_int_eq(shelf_put(s, "SE1", value), 0);
	ck_assert_int_eq(shelf_put(s, "SE1", value), 0);
	shelf_close(s);
	snprintf(path, sizeof(path), "%s/SE2.new", dir);
	close(open(path, O_WRONLY | O_CREAT, 0600));
	ck_assert_int_eq(shelf_open(&s, dir), 0);
	ck_assert_int_eq(access(path, F_OK), -1);
	ck_assert_int_eq(shelf_each(s, count, &found), 0);
	ck_assert_int_eq(found, 1);
	shelf_drop(s, "SE1");
	ck_assert_int_eq(shelf_each(s, count, &found), 0);
	ck_assert_int_eq(found, 1);
	shelf_close(s);
	json_decref(value);
	clean();
}
END_TEST

struct many {
	int found, unreadable, sum;
	struct shelf *shelf;
};

static void count_many(void *ctx, const char *name, const json_t *value)
{
	struct many *m = ctx;
	m->found++;
	m->unreadable += !value;
	m->sum += (int)json_integer_value(json_object_get(value, "n"));
	shelf_drop(m->shelf, name);
}

/* More than are read ahead, some of them not to be read; each is dropped as it is found. */
START_TEST(many_are_found_once_each)
{
	struct many m = {0};
	char name[16];
	int sum = 0;
	make();
	ck_assert_int_eq(shelf_open(&m.shelf, dir), 0);
	for (int i = 1; i <= 1000; i++) {
		json_t *value = json_pack("{s:i}", "n", i);
		snprintf(name, sizeof(name), "SE%d", i);
		ck_assert_int_eq(shelf_put(m.shelf, name, value), 0);
		json_decref(value);
		sum += i;
	}
	snprintf(path, sizeof(path), "%s/SE-half", dir);
	int fd = open(path, O_WRONLY | O_CREAT, 0600);
	ck_assert_int_eq(write(fd, "{\"n\":", 5), 5);
	close(fd);
	snprintf(path, sizeof(path), "%s/SE-link", dir);
	ck_assert_int_eq(symlink(victim, path), 0);
	ck_assert_int_eq(shelf_each(m.shelf, count_many, &m), 0);
	ck_assert_int_eq(m.found, 1002);
	ck_assert_int_eq(m.unreadable, 2);
	ck_assert_int_eq(m.sum, sum);
	m.found = 0;
	ck_assert_int_eq(shelf_each(m.shelf, count_many, &m), 0);
	ck_assert_int_eq(m.found, 0);
	shelf_close(m.shelf);
	ck_assert_whole();
	clean();
}
END_TEST

static void fill(struct shelf *s, int n)
{
	json_t *value = json_pack("{s:i}", "n", 1);
	char name[16];
	for (int i = 1; i <= n; i++) {
		snprintf(name, sizeof(name), "SE%d", i);
		ck_assert_int_eq(shelf_put(s, name, value), 0);
	}
	json_decref(value);
}

/* Begun early, taken later or never: also with more than are read ahead, whose reader waits to be taken from.
 */
START_TEST(read_ahead)
{
	make();
	for (int n = 0; n <= 2500; n += 2500) {
		struct many m = {0};
		ck_assert_int_eq(shelf_open(&m.shelf, dir), 0);
		fill(m.shelf, n);
		ck_assert_int_eq(shelf_read_ahead(m.shelf), 0);
		shelf_close(m.shelf);
		ck_assert_int_eq(shelf_open(&m.shelf, dir), 0);
		ck_assert_int_eq(shelf_read_ahead(m.shelf), 0);
		ck_assert_int_eq(shelf_each(m.shelf, count_many, &m), 0);
		ck_assert_int_eq(m.found, n);
		ck_assert_int_eq(m.sum, n);
		shelf_close(m.shelf);
	}
	clean();
}
END_TEST

START_TEST(a_directory_of_others_is_refused)
{
	struct shelf *s;
	make();
	ck_assert_int_eq(mkdir(dir, 0700), 0);
	ck_assert_int_eq(chmod(dir, 0777), 0);
	ck_assert_int_eq(shelf_open(&s, dir), -EPERM);
	ck_assert_int_eq(chmod(dir, 0755), 0);
	if (geteuid() == 0) { /* only root can give it away */
		ck_assert_int_eq(chown(dir, 65534, 65534), 0);
		ck_assert_int_eq(shelf_open(&s, dir), -EPERM);
	}
	rmdir(dir);
	ck_assert_int_eq(symlink(home, dir), 0);
	int e = shelf_open(&s, dir);
	ck_assert(e == -ELOOP || e == -ENOTDIR);
	clean();
}
END_TEST

START_TEST(no_link_is_followed)
{
	struct shelf *s;
	json_t *value = json_pack("{s:i}", "n", 7);
	make();
	ck_assert_int_eq(shelf_open(&s, dir), 0);
	snprintf(path, sizeof(path), "%s/SE1.new", dir);
	ck_assert_int_eq(symlink(victim, path), 0);
	ck_assert_int_eq(shelf_put(s, "SE1", value), -ELOOP);
	ck_assert_whole();
	shelf_close(s);
	json_decref(value);
	clean();
}
END_TEST

START_TEST(it_lies_in_the_run_directory_if_that_is_on_a_tmpfs)
{
	char run[] = "/dev/shm/tollgate-shelf-XXXXXX", wanted[80];
	ck_assert_ptr_nonnull(mkdtemp(run));
	shelf_place(run, "gw", path, sizeof(path));
	rmdir(run);
	snprintf(wanted, sizeof(wanted), "%s/sessions", run);
	ck_assert_str_eq(path, wanted);
	shelf_place(run, "gw", path, sizeof(path)); /* not there any more */
	ck_assert_str_eq(path, "/dev/shm/gw.sessions");
	shelf_place("/proc/self", "gw", path, sizeof(path));
	ck_assert_str_eq(path, "/dev/shm/gw.sessions");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("shelf");
	TCase *c = tcase_create("shelf");
	tcase_add_test(c, what_is_put_is_found_by_the_next);
	tcase_add_test(c, many_are_found_once_each);
	tcase_add_test(c, read_ahead);
	tcase_add_test(c, a_directory_of_others_is_refused);
	tcase_add_test(c, no_link_is_followed);
	tcase_add_test(c, it_lies_in_the_run_directory_if_that_is_on_a_tmpfs);
	tcase_set_timeout(c, 60);
	suite_add_tcase(suite, c);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
