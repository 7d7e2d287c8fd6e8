#include "controlplane/cdr/projector.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "controlplane/cdr/rebuild.h"
#include "controlplane/cdr/verify.h"
#include "tests/unit/cdr/story.h"

/* Linked with --wrap: so many syncs of files fail. */
int __wrap_fsync(int fd);
int __real_fsync(int fd);
static int syncs_failing;

int __wrap_fsync(int fd)
{
	struct stat st;
	if (syncs_failing > 0 && !fstat(fd, &st) && S_ISREG(st.st_mode)) {
		syncs_failing--;
		errno = EIO;
		return -1;
	}
	return __real_fsync(fd);
}

static struct story story;
static char dir[SCRATCH_BYTES], other[SCRATCH_BYTES];
static char why[512];

static void setup(void)
{
	scratch_make(dir);
	scratch_make(other);
}

static void teardown(void)
{
	story_free(&story);
	scratch_remove(dir);
	scratch_remove(other);
}

static struct cdr_projector *open_in(const char *where)
{
	struct cdr_projector *p;
	ck_assert_msg(cdr_projector_open(&p, where, why, sizeof(why)) == 0, "%s", why);
	return p;
}

static void feed(struct cdr_projector *p, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++)
		cdr_projector_feed(p, &story.record[i]);
}

static int is_visible(const struct dirent *d)
{
	return d->d_name[0] != '.' && strcmp(d->d_name, "position.json") != 0;
}

static int count_files(const char *where)
{
	struct dirent **list;
	int n = scandir(where, &list, is_visible, alphasort);
	for (int i = 0; i < n; i++)
		free(list[i]);
	free(list);
	return n;
}

/* The same names with the same bytes. */
static void expect_same(const char *a, const char *b)
{
	struct dirent **list;
	int n = scandir(a, &list, is_visible, alphasort);
	ck_assert_int_ge(n, 0);
	ck_assert_int_eq(count_files(b), n);
	for (int i = 0; i < n; i++) {
		size_t na, nb;
		char *da = scratch_read(a, list[i]->d_name, &na), *db = scratch_read(b, list[i]->d_name, &nb);
		ck_assert_msg(na == nb && !memcmp(da, db, na), "%s differs", list[i]->d_name);
		free(da);
		free(db);
		free(list[i]);
	}
	free(list);
}

static bool is_there(const char *where, const char *name)
{
	char path[512];
	snprintf(path, sizeof(path), "%s/%s", where, name);
	return !access(path, F_OK);
}

static void move(const char *where, const char *from, const char *to)
{
	char a[512], b[512];
	snprintf(a, sizeof(a), "%s/%s", where, from);
	snprintf(b, sizeof(b), "%s/%s", where, to);
	ck_assert_int_eq(rename(a, b), 0);
}

#define FIRST "gw1-20260921T141420Z-0000000001"

START_TEST(golden_files)
{
	story_start(&story, 100);
	story_call(&story, 1, STORY_T0);
	struct cdr_projector *p = open_in(dir);
	feed(p, 0, story.n);
	struct cdr_open_rows open = cdr_projector_open_rows(p);
	ck_assert_uint_eq(open.rows, 6);
	ck_assert_uint_eq(open.since_ns, story.record[story.n - 1].time_ns);
	ck_assert(is_there(dir, "temp-" FIRST ".csv") && is_there(dir, "temp-" FIRST ".jsonl"));
	ck_assert(!is_there(dir, "position.json"));
	story_rotate(&story, STORY_T0 + 400 * STORY_S);
	feed(p, story.n - 1, story.n);
	open = cdr_projector_open_rows(p);
	ck_assert_uint_eq(open.rows, 0);
	ck_assert_uint_eq(open.since_ns, 0);
	ck_assert_int_eq(count_files(dir), 2);
	static const char *const suffix[] = {".jsonl", ".csv"};
	for (int i = 0; i < 2; i++) {
		char name[64], path[512], *want;
		snprintf(name, sizeof(name), FIRST "%s", suffix[i]);
		snprintf(path, sizeof(path), GOLDEN "/two_stints%s", suffix[i]);
		size_t n, m;
		char *got = scratch_read(dir, name, &n);
		if (getenv("TOLLGATE_WRITE_GOLDEN"))
			scratch_write(GOLDEN, i ? "two_stints.csv" : "two_stints.jsonl", got, n);
		ck_assert_int_eq(file_read(path, 1 << 20, &want, &m), 0);
		ck_assert_msg(n == m && !memcmp(got, want, n), "%s is not %s", name, path);
		free(got);
		free(want);
	}
	/* Nothing to close: nothing happens. */
	story_rotate(&story, STORY_T0 + 500 * STORY_S);
	feed(p, story.n - 1, story.n);
	ck_assert_int_eq(count_files(dir), 2);
	cdr_projector_close(p);
}
END_TEST

/* Sessions that overlap, files of at least 10 rows, rotations by fact, one session still open. */
static void tell_long_story(void)
{
	story_start(&story, 10);
	for (int k = 0; k < 9; k++) {
		story_call(&story, k, STORY_T0 + k * 100 * STORY_S);
		if (k == 4 || k == 5)
			story_rotate(&story, STORY_T0 + k * 100 * STORY_S + 90 * STORY_S);
		if (k == 6)
			story_start(&story, 1);
		if (k == 7)
			story_start(&story, 50);
	}
	story_open(&story, "SElast", "CA", "1", STORY_T0 + 2000 * STORY_S);
}

START_TEST(rotation_and_numbers)
{
	tell_long_story();
	struct cdr_projector *p = open_in(dir);
	feed(p, 0, story.n);
	cdr_projector_close(p);
	/* 0+1, 2+3, 4, 5, 6 waits for 7, which closes by max_rows 1, 8 stays open. */
	ck_assert_int_eq(count_files(dir), 2 * 6);
	ck_assert(is_there(dir, "gw1-20260921T141420Z-0000000001.csv"));
	struct dirent **list;
	int n = scandir(dir, &list, is_visible, alphasort);
	uint64_t next = 1, sum = 0;
	for (int i = 0; i < n; i++) {
		size_t len;
		char *data = scratch_read(dir, list[i]->d_name, &len);
		if (strstr(list[i]->d_name, ".jsonl")) {
			for (char *line = strtok(data, "\n"); line; line = strtok(NULL, "\n")) {
				json_t *v = json_loads(line, 0, NULL);
				ck_assert_uint_eq(
					(uint64_t)json_integer_value(json_object_get(v, "record")), next++);
				sum += (uint64_t)json_integer_value(json_object_get(v, "billable_ms"));
				json_decref(v);
			}
		}
		free(data);
		free(list[i]);
	}
	free(list);
	ck_assert_uint_eq(next, 1 + 9 * 6);
	ck_assert_uint_eq(sum, 9 * (58000 + 58000 + 58000 + 40000));
}
END_TEST

START_TEST(restart_at_every_record)
{
	tell_long_story();
	struct cdr_projector *p = open_in(other);
	feed(p, 0, story.n);
	cdr_projector_close(p);
	for (size_t at = 0; at <= story.n; at++) {
		char sub[SCRATCH_BYTES + 16];
		snprintf(sub, sizeof(sub), "%s/%zu", dir, at);
		p = open_in(sub);
		feed(p, 0, at);
		cdr_projector_close(p);
		p = open_in(sub);
		feed(p, 0, at);
		cdr_projector_replayed(p);
		feed(p, at, story.n);
		ck_assert_uint_eq(cdr_projector_open_rows(p).rows, 6);
		ck_assert_int_eq(cdr_projector_trouble(p), 0);
		cdr_projector_close(p);
		expect_same(other, sub);
	}
}
END_TEST

START_TEST(handed_out_once)
{
	story_start(&story, 6);
	story_call(&story, 1, STORY_T0);
	size_t first = story.n;
	story_call(&story, 2, STORY_T0 + 100 * STORY_S);
	struct cdr_projector *p = open_in(dir);
	feed(p, 0, first);
	cdr_projector_close(p);
	/* Billing takes the first file away; it doesn't come back. */
	char path[512];
	snprintf(path, sizeof(path), "%s/" FIRST ".csv", dir);
	ck_assert_int_eq(unlink(path), 0);
	snprintf(path, sizeof(path), "%s/" FIRST ".jsonl", dir);
	ck_assert_int_eq(unlink(path), 0);
	p = open_in(dir);
	feed(p, 0, first);
	cdr_projector_replayed(p);
	ck_assert_int_eq(count_files(dir), 0);
	feed(p, first, story.n);
	cdr_projector_close(p);
	ck_assert_int_eq(count_files(dir), 2);
	ck_assert(is_there(dir, "gw1-20260921T141600Z-0000000002.csv"));
}
END_TEST

/* A crash between the position and either renaming: the next start finishes it, and doesn't write it again.
 */
START_TEST(crash_while_renaming)
{
	story_start(&story, 6);
	story_call(&story, 1, STORY_T0);
	struct cdr_projector *p = open_in(other);
	feed(p, 0, story.n);
	cdr_projector_close(p);
	for (int renamed = 0; renamed < 2; renamed++) {
		char sub[SCRATCH_BYTES + 16];
		snprintf(sub, sizeof(sub), "%s/%d", dir, renamed);
		p = open_in(sub);
		feed(p, 0, story.n);
		cdr_projector_close(p);
		move(sub, FIRST ".csv", "temp-" FIRST ".csv");
		if (!renamed)
			move(sub, FIRST ".jsonl", "temp-" FIRST ".jsonl");
		p = open_in(sub);
		expect_same(other, sub);
		feed(p, 0, story.n);
		cdr_projector_replayed(p);
		cdr_projector_close(p);
		expect_same(other, sub);
	}
}
END_TEST

/* The journal isn't the one that files were made of: calls are billed rather twice than never. */
START_TEST(position_of_another_journal)
{
	story_start(&story, 6);
	story_call(&story, 1, STORY_T0);
	struct cdr_projector *p = open_in(dir);
	feed(p, 0, story.n);
	cdr_projector_close(p);
	story_free(&story);
	story_add(&story, FACT_node_stop, STORY_T0 + 5, json_object());
	story_start(&story, 6);
	story_call(&story, 2, STORY_T0 + 900 * STORY_S);
	p = open_in(dir);
	feed(p, 0, story.n);
	cdr_projector_close(p);
	ck_assert_int_eq(count_files(dir), 4);
	/* And from then on it is trusted again. */
	p = open_in(dir);
	feed(p, 0, story.n);
	cdr_projector_close(p);
	ck_assert_int_eq(count_files(dir), 4);
}
END_TEST

START_TEST(journal_that_lost_its_end)
{
	story_start(&story, 6);
	story_call(&story, 1, STORY_T0);
	struct cdr_projector *p = open_in(dir);
	feed(p, 0, story.n);
	cdr_projector_close(p);
	size_t kept = story.n - 3;
	for (size_t i = kept; i < story.n; i++)
		json_decref(story.payload[i]);
	story.n = kept;
	p = open_in(dir);
	feed(p, 0, kept);
	cdr_projector_replayed(p);
	/* Records that follow have sequences of records that were handed out; their rows come all the same.
	 */
	story_close(&story, "SE1", STORY_T0 + 100 * STORY_S);
	feed(p, kept, story.n);
	cdr_projector_close(p);
	ck_assert_int_eq(count_files(dir), 4);
}
END_TEST

START_TEST(full_disk)
{
	story_start(&story, 6);
	for (int k = 0; k < 5; k++)
		story_call(&story, k, STORY_T0 + k * 100 * STORY_S);
	struct cdr_projector *p = open_in(other);
	feed(p, 0, story.n);
	cdr_projector_close(p);
	signal(SIGXFSZ, SIG_IGN);
	struct rlimit limit, before;
	getrlimit(RLIMIT_FSIZE, &before);
	limit = before;
	limit.rlim_cur = 1000;
	p = open_in(dir);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	feed(p, 0, story.n - 1);
	int trouble = cdr_projector_trouble(p);
	int files = count_files(dir);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &before), 0);
	ck_assert_int_eq(trouble, EFBIG);
	ck_assert_int_eq(files, 1); /* the first temp- file, cut short */
	feed(p, story.n - 1, story.n);
	ck_assert_int_eq(cdr_projector_trouble(p), 0);
	cdr_projector_close(p);
	expect_same(other, dir);
}
END_TEST

START_TEST(sync_fails)
{
	story_start(&story, 6);
	story_call(&story, 1, STORY_T0);
	story_rotate(&story, STORY_T0 + 1000 * STORY_S);
	struct cdr_projector *p = open_in(other);
	feed(p, 0, story.n);
	cdr_projector_close(p);
	p = open_in(dir);
	feed(p, 0, story.n - 2);
	syncs_failing = 4;
	feed(p, story.n - 2, story.n - 1);
	ck_assert_int_eq(cdr_projector_trouble(p), EIO);
	ck_assert(!is_there(dir, FIRST ".csv") && !is_there(dir, "position.json"));
	syncs_failing = 0;
	feed(p, story.n - 1, story.n);
	ck_assert_int_eq(cdr_projector_trouble(p), 0);
	cdr_projector_close(p);
	expect_same(other, dir);
}
END_TEST

START_TEST(damaged_position_is_refused)
{
	struct cdr_projector *p;
	static const char *const texts[] = {"", "{", "{}", "[1]",
		"{\"file\":1,\"stem\":\"../x\",\"sequence\":1,\"time_ns\":1,\"journal_ns\":1}",
		"{\"file\":-1,\"stem\":\"x\",\"sequence\":1,\"time_ns\":1,\"journal_ns\":1}"};
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		scratch_write(dir, "position.json", texts[i], strlen(texts[i]));
		ck_assert_int_eq(cdr_projector_open(&p, dir, why, sizeof(why)), -EUCLEAN);
		ck_assert_ptr_nonnull(strstr(why, "position.json"));
	}
	scratch_write(dir, "file", "", 0);
	char path[512];
	snprintf(path, sizeof(path), "%s/file/cdr", dir);
	ck_assert_int_eq(cdr_projector_open(&p, path, why, sizeof(why)), -ENOTDIR);
}
END_TEST

START_TEST(hostile_facts)
{
	char long_text[10240], name[64];
	memset(long_text, '=', sizeof(long_text) - 1);
	long_text[sizeof(long_text) - 1] = '\0';
	story_add(&story, FACT_node_start, STORY_T0,
		json_pack("{s:s,s:i}", "node",
			"../../etc/passwd\x1b[31m and a name that is too long to be one", "max_rows", 0));
	story_open(&story, "S\",\r\n\x1b", "=cmd|'/c calc'!A1", long_text, STORY_T0);
	for (int f = 0; f < FACTS; f++) {
		story_add(&story, (enum fact)f, STORY_T0, json_object());
		story_add(&story, (enum fact)f, STORY_T0, json_array());
		story_add(&story, (enum fact)f, STORY_T0,
			json_pack("{s:s,s:i,s:s}", "session", "S\",\r\n\x1b", "leg", -1, "stint", "x"));
	}
	story_add(&story, FACTS, STORY_T0, json_object());
	struct cdr_projector *p = open_in(dir);
	feed(p, 0, story.n);
	cdr_projector_close(p);
	struct dirent **list;
	int n = scandir(dir, &list, is_visible, alphasort);
	ck_assert_int_eq(n, 2);
	for (int i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "%.60s", list[i]->d_name);
		ck_assert_ptr_null(strchr(name, '\x1b'));
		if (strstr(name, ".jsonl")) {
			size_t len;
			char *data = scratch_read(dir, list[i]->d_name, &len);
			json_t *v = json_loadb(data, len, 0, NULL);
			ck_assert_str_eq(json_string_value(json_object_get(v, "calling")), long_text);
			json_decref(v);
			free(data);
		}
		free(list[i]);
	}
	free(list);
}
END_TEST

static uint64_t told_time(void *ctx)
{
	return story.record[(*(size_t *)ctx)++].time_ns;
}

static void project(void *ctx, const struct journal_record *record)
{
	cdr_projector_feed(ctx, record);
}

static void on_fault(void *ctx, const char *file, uint64_t line, const char *sentence)
{
	snprintf(ctx, sizeof(why), "%s:%d: %s", file, (int)line, sentence);
}

/* What the journal makes is whole, and is what it makes. */
static void expect_verified(const char *cdr_dir, const char *journal_dir)
{
	struct cdr_verify *verify;
	char fault[sizeof(why)] = "";
	ck_assert_int_eq(cdr_verify_create(&verify, on_fault, fault), 0);
	ck_assert_int_eq(cdr_verify_directory(verify, cdr_dir, journal_dir, why, sizeof(why)), 0);
	ck_assert_str_eq(fault, "");
	const struct cdr_verified *v = cdr_verify_result(verify);
	ck_assert_uint_gt(v->files, 1);
	ck_assert_uint_eq(v->compared, v->files);
	ck_assert_uint_gt(v->sessions, 1);
	cdr_verify_free(verify);
	ck_assert_int_eq(cdr_verify_create(&verify, on_fault, fault), 0);
	ck_assert_int_eq(
		cdr_verify_directory(verify, cdr_dir, "/nonexistent/journal", why, sizeof(why)), -ENOENT);
	ck_assert_int_eq(cdr_verify_directory(verify, "/nonexistent/cdr", NULL, why, sizeof(why)), -ENOENT);
	cdr_verify_free(verify);
}

/* Through a real journal, and again from it: the same bytes, the rows of the open file too. */
START_TEST(rebuild)
{
	char journal_dir[SCRATCH_BYTES + 16], cdr_dir[SCRATCH_BYTES + 16];
	snprintf(journal_dir, sizeof(journal_dir), "%s/journal", dir);
	snprintf(cdr_dir, sizeof(cdr_dir), "%s/cdr", dir);
	tell_long_story();
	struct cdr_projector *p = open_in(cdr_dir);
	size_t next = 0;
	struct journal *journal;
	struct journal_options o = {.dir = journal_dir,
		.segment_bytes = 8192,
		.now = told_time,
		.now_ctx = &next,
		.record = project,
		.record_ctx = p};
	ck_assert_int_eq(journal_open(&journal, &o, why, sizeof(why)), 0);
	for (size_t i = 0; i < story.n; i++)
		ck_assert_uint_eq(
			journal_append(journal, story.record[i].fact, json_deep_copy(story.payload[i])),
			i + 1);
	journal_close(journal);
	cdr_projector_close(p);
	ck_assert_msg(cdr_rebuild(journal_dir, other, why, sizeof(why)) == 0, "%s", why);
	expect_same(cdr_dir, other);
	ck_assert(!is_there(other, "position.json"));
	expect_verified(cdr_dir, journal_dir);
	/* Again over what is there. */
	ck_assert_int_eq(cdr_rebuild(journal_dir, other, why, sizeof(why)), 0);
	expect_same(cdr_dir, other);

	ck_assert_int_eq(cdr_rebuild(journal_dir, cdr_dir, why, sizeof(why)), -EEXIST);
	ck_assert_int_eq(cdr_rebuild("/nonexistent/journal", other, why, sizeof(why)), -ENOENT);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {golden_files, rotation_and_numbers, restart_at_every_record,
		handed_out_once, crash_while_renaming, position_of_another_journal, journal_that_lost_its_end,
		full_disk, sync_fails, damaged_position_is_refused, hostile_facts, rebuild};
	Suite *suite = suite_create("projector");
	TCase *tcase = tcase_create("projector");
	tcase_set_timeout(tcase, 60);
	tcase_add_checked_fixture(tcase, setup, teardown);
	for (size_t i = 0; i < sizeof(tests) / sizeof(*tests); i++)
		tcase_add_test(tcase, tests[i]);
	suite_add_tcase(suite, tcase);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
