#include "controlplane/journal/checkpoint.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/journal/scratch.h"

/* Linked with --wrap: the process is killed at one of them, or one of them fails. */
int __wrap_rename(const char *from, const char *to);
int __real_rename(const char *from, const char *to);
int __wrap_fsync(int fd);
int __real_fsync(int fd);
ssize_t __wrap_write(int fd, const void *data, size_t len);
ssize_t __real_write(int fd, const void *data, size_t len);

static int kill_at, fail_at, step; /* from 1; 0: never */

static int stepped(void)
{
	step++;
	if (step == kill_at)
		raise(SIGKILL);
	errno = EIO;
	return step == fail_at ? -1 : 0;
}

int __wrap_rename(const char *from, const char *to)
{
	return stepped() ? -1 : __real_rename(from, to);
}

int __wrap_fsync(int fd)
{
	return stepped() ? -1 : __real_fsync(fd);
}

ssize_t __wrap_write(int fd, const void *data, size_t len)
{
	/* Half of it is written. */
	if (kill_at && step + 1 == kill_at)
		__real_write(fd, data, len / 2);
	return stepped() ? -1 : __real_write(fd, data, len);
}

static char dir[SCRATCH_BYTES];

static struct journal_mark mark_of(uint64_t sequence)
{
	return (struct journal_mark){.sequence = sequence,
		.time_ns = 1000 + sequence,
		.place = {.segment = 3, .crc = 0xfedcba98u, .offset = 77 * sequence}};
}

static int put(uint64_t sequence, bool keep)
{
	struct pack file = {0};
	struct journal_mark mark = mark_of(sequence);
	checkpoint_begin(&file, "gw1", &mark);
	pack_number(&file, 4711);
	pack_text(&file, "state", 5);
	int e = checkpoint_write(dir, &file, keep);
	free(file.data);
	return e;
}

/* The sequence of the file, 0 where there is none that is good. */
static uint64_t get(const char *name)
{
	struct checkpoint c;
	char why[256];
	uint64_t sequence = 0;
	if (!checkpoint_read(&c, dir, name, why, sizeof(why))) {
		size_t len;
		struct journal_mark want = mark_of(c.mark.sequence);
		ck_assert_str_eq(c.node, "gw1");
		ck_assert_mem_eq(&c.mark, &want, sizeof(want));
		ck_assert_uint_eq(unpack_number(&c.rest), 4711);
		ck_assert_str_eq(unpack_text(&c.rest, &len), "state");
		ck_assert(c.rest.at == c.rest.end && !c.rest.failed);
		sequence = c.mark.sequence;
	}
	checkpoint_release(&c);
	return sequence;
}

START_TEST(the_newest_and_the_one_before)
{
	scratch_make(dir);
	ck_assert_uint_eq(get(CHECKPOINT_NAME), 0);
	ck_assert_int_eq(put(5, true), 0);
	ck_assert_uint_eq(get(CHECKPOINT_NAME), 5);
	ck_assert_uint_eq(get(CHECKPOINT_BEFORE), 0);
	ck_assert_int_eq(put(6, true), 0);
	ck_assert_int_eq(put(7, true), 0);
	ck_assert_uint_eq(get(CHECKPOINT_NAME), 7);
	ck_assert_uint_eq(get(CHECKPOINT_BEFORE), 6);
	/* One that is no good doesn't push the good one away. */
	scratch_write(dir, CHECKPOINT_NAME, "x", 1);
	ck_assert_int_eq(put(8, false), 0);
	ck_assert_uint_eq(get(CHECKPOINT_NAME), 8);
	ck_assert_uint_eq(get(CHECKPOINT_BEFORE), 6);
	scratch_remove(dir);
}
END_TEST

/* Whatever bit of it is wrong, and wherever it is cut: it is not taken for one. */
START_TEST(damaged)
{
	size_t len;
	scratch_make(dir);
	put(5, true);
	char *good = scratch_read(dir, CHECKPOINT_NAME, &len);
	for (size_t i = 0; i < 8 * len; i++) {
		char why[256] = "";
		struct checkpoint c;
		char *bad = malloc(len);
		memcpy(bad, good, len);
		bad[i / 8] ^= (char)(1 << i % 8);
		ck_assert_int_eq(checkpoint_parse(&c, bad, len, why, sizeof(why)), -EBADMSG);
		ck_assert_str_ne(why, "");
		checkpoint_release(&c);
	}
	for (size_t n = 0; n < len; n++) {
		char why[256] = "";
		struct checkpoint c;
		char *bad = malloc(n ? n : 1);
		memcpy(bad, good, n);
		ck_assert_int_eq(checkpoint_parse(&c, bad, n, why, sizeof(why)), -EBADMSG);
		checkpoint_release(&c);
	}
	char why[256];
	struct checkpoint c;
	good[3] = '2';
	ck_assert_int_eq(checkpoint_parse(&c, good, len, why, sizeof(why)), -EBADMSG);
	ck_assert_str_eq(why, "it is of another version");
	checkpoint_release(&c);
	scratch_remove(dir);
}
END_TEST

/* Returns whether the process got to its end. */
static bool put_and_be_killed(int at)
{
	pid_t pid = fork();
	if (!pid) {
		kill_at = at;
		step = 0;
		put(7, true);
		_exit(0);
	}
	int status;
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status);
}

START_TEST(killed_at_every_step)
{
	bool over = false;
	int at = 1;
	for (; !over; at++) {
		scratch_make(dir);
		put(5, true);
		put(6, true);
		over = put_and_be_killed(at);
		uint64_t newest = get(CHECKPOINT_NAME), before = get(CHECKPOINT_BEFORE);
		ck_assert(newest == 7 || newest == 6 || (!newest && before == 6));
		ck_assert(before == 5 || before == 6);
		/* And the next one is none the worse for it. */
		ck_assert_int_eq(put(8, newest != 0), 0);
		ck_assert_uint_eq(get(CHECKPOINT_NAME), 8);
		ck_assert_uint_eq(get(CHECKPOINT_BEFORE), newest ? newest : before);
		scratch_remove(dir);
	}
	/* Writing, its sync, two renamings, the directory's sync. */
	ck_assert_int_eq(at - 1, 6);
}
END_TEST

START_TEST(a_step_fails)
{
	for (int at = 1; at <= 5; at++) {
		scratch_make(dir);
		put(5, true);
		put(6, true);
		fail_at = at;
		step = 0;
		ck_assert_int_eq(put(7, true), -EIO);
		fail_at = 0;
		uint64_t newest = get(CHECKPOINT_NAME), before = get(CHECKPOINT_BEFORE);
		ck_assert(newest == 6 || before == 6);
		scratch_remove(dir);
	}
}
END_TEST

SCRATCH_MAIN("checkpoint", 30, the_newest_and_the_one_before, damaged, killed_at_every_step, a_step_fails)
