#include "controlplane/journal/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "controlplane/journal/record.h"
#include "tests/unit/journal/scratch.h"

/* Linked with --wrap: so many syncs fail before one succeeds. */
int __wrap_fdatasync(int fd);
int __real_fdatasync(int fd);
static atomic_int syncs_failing, syncs;

int __wrap_fdatasync(int fd)
{
	atomic_fetch_add(&syncs, 1);
	if (atomic_load(&syncs_failing) > 0) {
		atomic_fetch_sub(&syncs_failing, 1);
		errno = EIO;
		return -1;
	}
	return __real_fdatasync(fd);
}

struct seen {
	atomic_uint_fast64_t records, synced, sum;
	atomic_int troubles, recoveries, error, disorder;
};

static void on_record(void *ctx, const struct journal_record *r)
{
	struct seen *s = ctx;
	if (r->sequence != atomic_load(&s->records) + 1)
		atomic_store(&s->disorder, 1);
	atomic_fetch_add(&s->sum, (uint64_t)json_integer_value(json_object_get(r->payload, "n")));
	atomic_store(&s->records, r->sequence);
}

/* synced() comes before record() of the same group. */
static void on_synced(void *ctx, uint64_t sequence)
{
	struct seen *s = ctx;
	if (sequence <= atomic_load(&s->synced) || atomic_load(&s->records) >= sequence)
		atomic_store(&s->disorder, 1);
	atomic_store(&s->synced, sequence);
}

static void on_trouble(void *ctx, int error)
{
	struct seen *s = ctx;
	atomic_fetch_add(error ? &s->troubles : &s->recoveries, 1);
	if (error)
		atomic_store(&s->error, error);
}

static int try_open(
	struct journal **j, const char *dir, uint64_t segment_bytes, unsigned sync_ms, struct seen *s)
{
	char why[512] = "";
	struct journal_options o = {.dir = dir,
		.segment_bytes = segment_bytes,
		.sync_ms = sync_ms,
		.synced = on_synced,
		.synced_ctx = s,
		.record = on_record,
		.record_ctx = s,
		.trouble = on_trouble,
		.trouble_ctx = s};
	memset((void *)s, 0, sizeof(*s));
	int e = journal_open(j, &o, why, sizeof(why));
	if (e)
		ck_assert_str_ne(why, "");
	return e;
}

static uint64_t put(struct journal *j, int n)
{
	return journal_append(j, FACT_digit, json_pack("{s:i}", "n", n));
}

START_TEST(append_and_read_again)
{
	char dir[SCRATCH_BYTES], sub[SCRATCH_BYTES + 8];
	struct journal *j;
	struct seen s;
	scratch_make(dir);
	snprintf(sub, sizeof(sub), "%s/a/b", dir);
	ck_assert_int_eq(try_open(&j, sub, 0, 1, &s), 0);
	for (int i = 1; i <= 100; i++)
		ck_assert_uint_eq(put(j, i), (uint64_t)i);
	ck_assert_int_eq(journal_wait(j, 100, 5000), 0);
	ck_assert_uint_eq(journal_durable(j), 100);
	ck_assert_uint_eq(journal_appended(j), 100);
	ck_assert_int_eq(journal_wait(j, 101, 10), -ETIMEDOUT);
	put(j, 101);
	journal_close(j);
	ck_assert_uint_eq(s.records, 101);
	ck_assert_uint_eq(s.synced, 101);
	ck_assert_int_eq(s.disorder, 0);

	ck_assert_int_eq(try_open(&j, sub, 0, 1, &s), 0);
	ck_assert_uint_eq(s.records, 101); /* before open returned */
	ck_assert_uint_eq(s.sum, 101 * 102 / 2);
	ck_assert_uint_eq(journal_durable(j), 101);
	ck_assert_uint_eq(put(j, 7), 102);
	journal_close(j);
	ck_assert_uint_eq(s.records, 102);

	struct seen all = {0};
	char why[512];
	ck_assert_int_eq(journal_read(sub, on_record, &all, why, sizeof(why)), 0);
	ck_assert_uint_eq(all.records, 102);
	scratch_remove(dir);
}
END_TEST

START_TEST(refused_payloads)
{
	char dir[SCRATCH_BYTES];
	struct journal *j;
	struct seen s;
	scratch_make(dir);
	ck_assert_int_eq(try_open(&j, dir, 0, 0, &s), 0);
	ck_assert_uint_eq(journal_append(j, FACT_digit, NULL), 0);
	ck_assert_uint_eq(journal_append(j, FACT_digit, json_array()), 0);
	ck_assert_uint_eq(journal_append(j, FACTS, json_object()), 0);
	char *big = malloc(JOURNAL_PAYLOAD_MAX);
	memset(big, 'x', JOURNAL_PAYLOAD_MAX);
	ck_assert_uint_eq(
		journal_append(j, FACT_digit, json_pack("{s:s%}", "x", big, (size_t)JOURNAL_PAYLOAD_MAX)), 0);
	/* As long as it may be: {"fact":"digit","x":"..."} has 25 bytes around the text. */
	ck_assert_uint_eq(journal_append(j, FACT_digit,
				  json_pack("{s:s%}", "x", big, (size_t)JOURNAL_PAYLOAD_MAX - 25)),
		1);
	free(big);
	/* A NUL inside a string survives. */
	ck_assert_uint_eq(journal_append(j, FACT_digit, json_pack("{s:s%}", "x", "a\0b", (size_t)3)), 2);
	journal_close(j);
	ck_assert_int_eq(try_open(&j, dir, 0, 0, &s), 0);
	ck_assert_uint_eq(s.records, 2);
	journal_close(j);
	scratch_remove(dir);
}
END_TEST

START_TEST(second_writer_is_refused)
{
	char dir[SCRATCH_BYTES];
	struct journal *j, *other;
	struct seen s, t;
	scratch_make(dir);
	ck_assert_int_eq(try_open(&j, dir, 0, 0, &s), 0);
	ck_assert_int_eq(try_open(&other, dir, 0, 0, &t), -EBUSY);
	journal_close(j);
	ck_assert_int_eq(try_open(&j, dir, 0, 0, &s), 0);
	journal_close(j);
	journal_close(NULL);
	scratch_remove(dir);
}
END_TEST

START_TEST(groups_share_a_sync)
{
	char dir[SCRATCH_BYTES];
	struct journal *j;
	struct seen s;
	scratch_make(dir);
	ck_assert_int_eq(try_open(&j, dir, 0, 200, &s), 0);
	int before = syncs;
	uint64_t t0 = clock_mono_ns();
	for (int i = 1; i <= 1000; i++)
		put(j, i);
	ck_assert_int_eq(journal_wait(j, 1000, 5000), 0);
	ck_assert_int_le(syncs - before, 3);
	ck_assert_uint_ge(clock_mono_ns() - t0, 190 * CLOCK_NS_PER_MS);
	/* Closing doesn't wait for company. */
	put(j, 1);
	t0 = clock_mono_ns();
	journal_close(j);
	ck_assert_uint_lt(clock_mono_ns() - t0, 150 * CLOCK_NS_PER_MS);
	scratch_remove(dir);
}
END_TEST

START_TEST(many_segments)
{
	char dir[SCRATCH_BYTES], path[128];
	struct journal *j;
	struct seen s;
	scratch_make(dir);
	ck_assert_int_eq(try_open(&j, dir, 1000, 0, &s), 0);
	for (int i = 1; i <= 500; i++)
		put(j, i);
	journal_close(j);
	ck_assert_uint_eq(s.records, 500);
	for (int i = 1; i <= 20; i++) {
		snprintf(path, sizeof(path), "%010d.journal", i);
		size_t n;
		free(scratch_read(dir, path, &n));
		ck_assert_uint_le(n, 1000);
		ck_assert_uint_gt(n, 900);
	}
	ck_assert_int_eq(try_open(&j, dir, 1000, 0, &s), 0);
	ck_assert_uint_eq(s.records, 500);
	ck_assert_uint_eq(put(j, 501), 501);
	journal_close(j);
	scratch_remove(dir);
}
END_TEST

struct appender {
	pthread_t thread;
	struct journal *j;
};

static void *append_many(void *arg)
{
	struct appender *a = arg;
	for (int i = 0; i < 5000; i++)
		put(a->j, 1);
	return NULL;
}

START_TEST(many_threads)
{
	char dir[SCRATCH_BYTES];
	struct appender a[4];
	struct journal *j;
	struct seen s;
	scratch_make(dir);
	ck_assert_int_eq(try_open(&j, dir, 100000, 1, &s), 0);
	for (int i = 0; i < 4; i++) {
		a[i].j = j;
		ck_assert_int_eq(pthread_create(&a[i].thread, NULL, append_many, &a[i]), 0);
	}
	for (int i = 0; i < 4; i++)
		pthread_join(a[i].thread, NULL);
	journal_close(j);
	ck_assert_uint_eq(s.records, 20000);
	ck_assert_uint_eq(s.sum, 20000);
	ck_assert_int_eq(s.disorder, 0);
	struct seen all = {0};
	char why[512];
	ck_assert_int_eq(journal_read(dir, on_record, &all, why, sizeof(why)), 0);
	ck_assert_uint_eq(all.records, 20000);
	ck_assert_int_eq(all.disorder, 0);
	scratch_remove(dir);
}
END_TEST

START_TEST(sync_failure_is_tried_again)
{
	char dir[SCRATCH_BYTES];
	struct journal *j;
	struct seen s;
	scratch_make(dir);
	ck_assert_int_eq(try_open(&j, dir, 0, 0, &s), 0);
	atomic_store(&syncs_failing, 3);
	put(j, 1);
	ck_assert_int_eq(journal_wait(j, 1, 50), -ETIMEDOUT);
	uint64_t bytes;
	ck_assert_uint_eq(journal_backlog(j, &bytes), 1);
	ck_assert_uint_eq(bytes, strlen("{\"fact\":\"digit\",\"n\":1}"));
	put(j, 2);
	ck_assert_int_eq(journal_wait(j, 2, 5000), 0);
	ck_assert_uint_eq(journal_backlog(j, &bytes), 0);
	ck_assert_uint_eq(bytes, 0);
	journal_close(j);
	ck_assert_int_eq(s.troubles, 1);
	ck_assert_int_eq(s.recoveries, 1);
	ck_assert_int_eq(s.error, EIO);
	ck_assert_int_eq(s.disorder, 0);
	ck_assert_uint_eq(s.records, 2);
	scratch_remove(dir);
}
END_TEST

/* A file size limit stands for a full disk: writes are cut short, then fail; new segments can't be filled. */
START_TEST(full_disk)
{
	char dir[SCRATCH_BYTES];
	struct journal *j;
	struct seen s;
	scratch_make(dir);
	ck_assert_int_eq(try_open(&j, dir, 4000, 0, &s), 0);
	signal(SIGXFSZ, SIG_IGN);
	struct rlimit limit, before;
	getrlimit(RLIMIT_FSIZE, &before);
	limit = before;
	limit.rlim_cur = 777;
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	for (int i = 1; i <= 300; i++)
		put(j, 1);
	ck_assert_int_eq(journal_wait(j, 300, 300), -ETIMEDOUT);
	ck_assert_uint_gt(journal_backlog(j, NULL), 100);
	ck_assert_int_eq(s.troubles, 1);
	ck_assert_int_eq(s.error, EFBIG);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &before), 0);
	ck_assert_int_eq(journal_wait(j, 300, 5000), 0);
	journal_close(j);
	ck_assert_int_eq(s.recoveries, 1);
	ck_assert_uint_eq(s.sum, 300);
	ck_assert_int_eq(s.disorder, 0);
	struct seen all = {0};
	char why[512];
	ck_assert_int_eq(journal_read(dir, on_record, &all, why, sizeof(why)), 0);
	ck_assert_uint_eq(all.sum, 300);
	scratch_remove(dir);
}
END_TEST

static void tell_pipe(void *ctx, uint64_t sequence)
{
	ck_assert_int_eq(write(*(int *)ctx, &sequence, sizeof(sequence)), sizeof(sequence));
}

/* The child appends until it is killed; what it was told to be durable must be there. */
static void kill_once(const char *dir, unsigned after_ms)
{
	int fd[2];
	ck_assert_int_eq(pipe(fd), 0);
	pid_t pid = fork();
	ck_assert_int_ge(pid, 0);
	if (!pid) {
		char why[512];
		struct journal *j;
		struct journal_options o = {
			.dir = dir, .segment_bytes = 20000, .synced = tell_pipe, .synced_ctx = &fd[1]};
		if (journal_open(&j, &o, why, sizeof(why)))
			_exit(1);
		for (;;) {
			put(j, 1);
			usleep(1);
		}
	}
	close(fd[1]);
	uint64_t told = 0, sequence;
	ck_assert_int_eq(read(fd[0], &told, sizeof(told)), sizeof(told));
	usleep(after_ms * 1000);
	kill(pid, SIGKILL);
	int status;
	waitpid(pid, &status, 0);
	ck_assert(WIFSIGNALED(status));
	while (read(fd[0], &sequence, sizeof(sequence)) == sizeof(sequence))
		told = sequence;
	close(fd[0]);
	struct journal *j;
	struct seen s;
	ck_assert_int_eq(try_open(&j, dir, 20000, 0, &s), 0);
	ck_assert_uint_ge(s.records, told);
	ck_assert_uint_eq(s.sum, s.records);
	ck_assert_int_eq(s.disorder, 0);
	journal_close(j);
}

START_TEST(killed_while_appending)
{
	char dir[SCRATCH_BYTES];
	scratch_make(dir);
	for (unsigned i = 0; i < 20; i++)
		kill_once(dir, i * 2);
	scratch_remove(dir);
}
END_TEST

START_TEST(torn_tail_is_cut_and_written_over)
{
	char dir[SCRATCH_BYTES];
	struct journal *j;
	struct seen s;
	scratch_make(dir);
	ck_assert_int_eq(try_open(&j, dir, 0, 0, &s), 0);
	for (int i = 1; i <= 10; i++)
		put(j, i);
	journal_close(j);
	size_t n;
	char *data = scratch_read(dir, "0000000001.journal", &n);
	scratch_write(dir, "0000000001.journal", data, n - 3);
	free(data);
	ck_assert_int_eq(try_open(&j, dir, 0, 0, &s), 0);
	ck_assert_uint_eq(s.records, 9);
	ck_assert_uint_eq(put(j, 1), 10);
	journal_close(j);
	ck_assert_int_eq(try_open(&j, dir, 0, 0, &s), 0);
	ck_assert_uint_eq(s.records, 10);
	ck_assert_uint_eq(s.sum, 46);
	journal_close(j);
	free(scratch_read(dir, "0000000001.damaged", &n));
	scratch_remove(dir);
}
END_TEST

static uint64_t fixed(void *ctx)
{
	return ++*(uint64_t *)ctx;
}

static void note_time(void *ctx, const struct journal_record *r)
{
	*(uint64_t *)ctx = r->time_ns;
}

START_TEST(times_come_from_the_given_clock)
{
	char dir[SCRATCH_BYTES], why[512];
	uint64_t clock = 1699999999999999999ull, last = 0;
	struct journal *j;
	scratch_make(dir);
	struct journal_options o = {.dir = dir, .now = fixed, .now_ctx = &clock};
	ck_assert_int_eq(journal_open(&j, &o, why, sizeof(why)), 0);
	put(j, 1);
	put(j, 2);
	journal_close(j);
	ck_assert_int_eq(journal_read(dir, note_time, &last, why, sizeof(why)), 0);
	ck_assert_uint_eq(last, 1700000000000000001ull);
	scratch_remove(dir);
}
END_TEST

SCRATCH_MAIN("journal", 60, append_and_read_again, refused_payloads, second_writer_is_refused,
	groups_share_a_sync, many_segments, many_threads, sync_failure_is_tried_again, full_disk,
	killed_while_appending, torn_tail_is_cut_and_written_over, times_come_from_the_given_clock)
