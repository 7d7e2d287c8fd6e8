/* A start from a checkpoint knows what a start from the whole journal knows, and makes the same files. */
#include "controlplane/records/records.h"

#include <dirent.h>
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "controlplane/cdr/rebuild.h"
#include "controlplane/cdr/session.h"
#include "controlplane/journal/checkpoint.h"
#include "controlplane/journal/recover.h"
#include "tests/unit/cdr/story.h"

#define SEGMENT_BYTES 4096

static struct story story;
static char home[SCRATCH_BYTES];
static char why[512];

/* One node's directories, and the parts of a control plane that have to do with records. */
struct node {
	char journal_dir[SCRATCH_BYTES + 32], cdr_dir[SCRATCH_BYTES + 32];
	struct records *records;
	struct journal *journal;
	struct usage *usage;
	struct recovery *recovery;
	size_t next;   /* of the story */
	uint64_t read; /* records at the last start */
};

static uint64_t told_time(void *ctx)
{
	struct node *n = ctx;
	return story.record[n->next].time_ns;
}

static void on_record(void *ctx, const struct journal_record *record)
{
	struct node *n = ctx;
	n->read++;
	records_feed(n->records, record);
}

static void place(struct node *n, const char *name)
{
	*n = (struct node){0};
	snprintf(n->journal_dir, sizeof(n->journal_dir), "%s/%s/journal", home, name);
	snprintf(n->cdr_dir, sizeof(n->cdr_dir), "%s/%s/cdr", home, name);
}

/* every: records from one checkpoint to the next. */
static int start(struct node *n, unsigned every)
{
	struct records_options ro = {
		.journal_dir = n->journal_dir, .cdr_dir = n->cdr_dir, .node = "gw1", .every = every};
	int e = records_open(&n->records, &ro, why, sizeof(why));
	if (e)
		return e;
	struct journal_options o = {.dir = n->journal_dir,
		.node = "gw1",
		.after = records_mark(n->records),
		.segment_bytes = SEGMENT_BYTES,
		.now = told_time,
		.now_ctx = n,
		.record = on_record,
		.record_ctx = n};
	n->read = 0;
	e = journal_open(&n->journal, &o, why, sizeof(why));
	uint64_t read = n->read;
	if (!e)
		e = records_replayed(n->records, &n->usage, &n->recovery);
	n->read = read;
	return e;
}

static void append_to(struct node *n, size_t to)
{
	for (; n->next < to; n->next++)
		ck_assert_uint_eq(journal_append(n->journal, story.record[n->next].fact,
					  json_deep_copy(story.payload[n->next])),
			n->next + 1);
}

static void stop(struct node *n)
{
	journal_close(n->journal);
	records_close(n->records);
	usage_destroy(n->usage);
	recovery_destroy(n->recovery);
	n->journal = NULL;
	n->records = NULL;
	n->usage = NULL;
	n->recovery = NULL;
}

static void start_or_fail(struct node *n, unsigned every)
{
	int e = start(n, every);
	ck_assert_msg(!e, "%s", why);
}

/* What it knows, as bytes. */
static struct pack known(const struct node *n)
{
	struct pack p = {0};
	usage_save(n->usage, &p);
	recovery_save(n->recovery, &p);
	ck_assert(!p.failed);
	return p;
}

static void expect_known(const struct node *a, const struct pack *b)
{
	struct pack p = known(a);
	ck_assert_uint_eq(p.len, b->len);
	ck_assert_mem_eq(p.data, b->data, p.len);
	free(p.data);
}

static int is_cdr(const struct dirent *d)
{
	return d->d_name[0] != '.';
}

static void expect_same_files(const char *a, const char *b)
{
	struct dirent **list, **other;
	int n = scandir(a, &list, is_cdr, alphasort), m = scandir(b, &other, is_cdr, alphasort);
	ck_assert_int_gt(n, 0);
	ck_assert_int_eq(n, m);
	for (int i = 0; i < n; i++) {
		size_t na, nb;
		char *da = scratch_read(a, list[i]->d_name, &na), *db = scratch_read(b, list[i]->d_name, &nb);
		ck_assert_msg(na == nb && !memcmp(da, db, na), "%s differs", list[i]->d_name);
		free(da);
		free(db);
		free(list[i]);
		free(other[i]);
	}
	free(list);
	free(other);
}

static void unlink_in(const char *dir, const char *name)
{
	char path[512];
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	unlink(path);
}

static void forget_checkpoints(const struct node *n)
{
	unlink_in(n->journal_dir, CHECKPOINT_NAME);
	unlink_in(n->journal_dir, CHECKPOINT_BEFORE);
}

static struct journal_mark mark_of(const struct node *n, const char *name)
{
	struct checkpoint c;
	ck_assert_int_eq(checkpoint_read(&c, n->journal_dir, name, why, sizeof(why)), 0);
	struct journal_mark mark = c.mark;
	checkpoint_release(&c);
	return mark;
}

/* As an operator may: segments before this one are elsewhere. */
static void archive_before(const struct node *n, uint32_t segment)
{
	char path[512];
	for (uint32_t i = 1; i < segment; i++) {
		ck_assert_int_eq(journal_segment_path(n->journal_dir, i, ".journal", path, sizeof(path)), 0);
		ck_assert_int_eq(unlink(path), 0);
	}
}

/* The sessions get names as sessions have. */
static void rename_sessions(void)
{
	for (size_t i = 0; i < story.n; i++) {
		const char *short_name = fact_text(story.payload[i], "session", NULL);
		char name[ID_TEXT_BYTES];
		if (!short_name || strlen(short_name) + 1 == sizeof(name))
			continue;
		snprintf(name, sizeof(name), "SE%032x", atoi(short_name + 2));
		json_object_set_new(story.payload[i], "session", json_string(name));
	}
}

/* What RTCP said of a leg, of some records; of one session in five, a record that nobody can read. */
static void rtcp_and_noise(void)
{
	static const char *const figure[] = {"round_trip_us", "round_trip_average_us", "far_lost",
		"far_jitter_us", "mos_from_x100", "mos_to_x100"};
	for (size_t i = 0; i < story.n; i++) {
		if (story.record[i].fact != FACT_meter)
			continue;
		for (int k = 0; rand() % 2 && k < 6; k++)
			json_object_set_new(story.payload[i], figure[k], json_integer(100 + rand() % 300));
		if (rand() % 5 == 0)
			json_object_set_new(story.payload[i], "lost", json_string("noise"));
	}
}

/* Rows that are used again, records that are offered twice, one before its leg_media, outages, a clock that
 * was stepped, sessions that overlap and files of all kinds of ends; the last sessions stay open. */
static void tell(unsigned seed)
{
	srand(seed);
	story_start(&story, 10 + rand() % 20);
	for (int k = 1; k < 12; k++) {
		int64_t t = STORY_T0 + k * 100 * STORY_S;
		size_t first = story.n;
		story_call(&story, k, t);
		if (rand() % 3 == 0)
			json_object_set_new(
				story.payload[first], "clock_step_ms", json_integer(-3600000 + k));
		if (rand() % 2) {
			story_meter(&story, t, t + STORY_S, 100 + k, 0, false, 700); /* before its leg */
			json_object_set_new(story.payload[story.n - 1], "outages", json_integer(2));
			json_object_set_new(story.payload[story.n - 1], "outage_ms", json_integer(1234));
			json_object_set_new(story.payload[story.n - 1], "uncertain_packets", json_integer(9));
			json_incref(story.payload[story.n - 1]);
			story_add(&story, FACT_meter, t + STORY_S, story.payload[story.n - 1]);
		}
		if (rand() % 2) {
			char session[16], call[16];
			snprintf(session, sizeof(session), "SE%d", 1000 + k);
			snprintf(call, sizeof(call), "CA%d", 1000 + k);
			story_open(&story, session, call, "+1", t);
			story_leg(&story, session, call, 0, "+2", t);
			story_stint(&story, session, call, 0, "ivr", "incoming", t);
			story_media(&story, session, 0, 100 + k, t + STORY_S);
			story_leg_at(&story, FACT_leg_answered, session, 0, t + 2 * STORY_S);
			story_meter(&story, t + STORY_S, t + 3 * STORY_S, 100 + k, 1, false, 300);
			if (rand() % 2)
				story_leg_end(&story, session, 0, t + 5 * STORY_S, 200, 16, "caller", "bye");
		}
		if (rand() % 3 == 0)
			story_rotate(&story, t + 90 * STORY_S);
		if (rand() % 5 == 0)
			story_start(&story, 1 + rand() % 30);
	}
	rtcp_and_noise();
	rename_sessions();
}

static void teardown(void)
{
	story_free(&story);
	scratch_remove(home);
}

static void setup(void)
{
	scratch_make(home);
}

/* For tests/fuzz/corpus/checkpoint: the first byte says what it is of. */
static void write_corpus(const char *dir, const char *name, char kind, const void *data, size_t len)
{
	char *bytes = malloc(len + 1);
	bytes[0] = kind;
	memcpy(bytes + 1, data, len);
	scratch_write(dir, name, bytes, len + 1);
	free(bytes);
}

static void write_corpora(const struct node *n, const char *dir)
{
	struct pack usage = {0}, recovery = {0}, session = {0};
	size_t len;
	usage_save(n->usage, &usage);
	recovery_save(n->recovery, &recovery);
	write_corpus(dir, "usage", 'u', usage.data, usage.len);
	write_corpus(dir, "recovery", 'r', recovery.data, recovery.len);
	struct cdr_session *s = NULL;
	for (size_t i = 0; i < 20; i++) {
		if (story.record[i].fact == FACT_session_open)
			ck_assert_int_eq(cdr_session_create(&s, &story.record[i]), 0);
		else if (s)
			cdr_session_feed(s, &story.record[i]);
	}
	cdr_session_save(s, &session);
	write_corpus(dir, "session", 's', session.data, session.len);
	char *file = scratch_read(n->journal_dir, CHECKPOINT_BEFORE, &len);
	write_corpus(dir, "file", 'f', file, len);
	free(file);
	cdr_session_free(s);
	free(usage.data);
	free(recovery.data);
	free(session.data);
}

/* Wherever a start is made, from whatever checkpoint there is by then. */
START_TEST(same_as_from_the_whole_journal)
{
	tell((unsigned)_i);
	struct node whole, parts;
	place(&whole, "whole");
	start_or_fail(&whole, 1000000);
	append_to(&whole, story.n);
	stop(&whole);
	forget_checkpoints(&whole);
	start_or_fail(&whole, 1000000);
	ck_assert_uint_eq(whole.read, story.n);
	struct pack want = known(&whole);
	int read_less = 0;
	for (size_t at = 0; at <= story.n; at += 3 + (at + (size_t)_i) % 5) {
		char name[32];
		snprintf(name, sizeof(name), "parts-%zu", at);
		place(&parts, name);
		start_or_fail(&parts, 1);
		append_to(&parts, at);
		stop(&parts);
		start_or_fail(&parts, 1000000);
		ck_assert_uint_le(parts.read, at);
		read_less += parts.read < at;
		append_to(&parts, story.n);
		stop(&parts);
		start_or_fail(&parts, 1000000);
		expect_known(&parts, &want);
		stop(&parts);
		expect_same_files(whole.cdr_dir, parts.cdr_dir);
	}
	stop(&whole);
	ck_assert_int_gt(read_less, 5);
	free(want.data);
}
END_TEST

/* A node with a checkpoint in a segment that isn't the first, and records behind it. */
static void make_node(struct node *n, const char *name)
{
	tell(5);
	story_rotate(&story, STORY_T0 + 5000 * STORY_S);
	place(n, name);
	start_or_fail(n, 1000000);
	append_to(n, story.n);
	stop(n);
	story_call(&story, 77, STORY_T0 + 6000 * STORY_S);
	story_rotate(&story, STORY_T0 + 7000 * STORY_S);
	rename_sessions();
	start_or_fail(n, 1000000);
	ck_assert_uint_eq(n->read, 0);
	append_to(n, story.n);
	stop(n);
	ck_assert_uint_eq(mark_of(n, CHECKPOINT_NAME).sequence, story.n);
	ck_assert_uint_lt(mark_of(n, CHECKPOINT_BEFORE).sequence, story.n);
	ck_assert_uint_gt(mark_of(n, CHECKPOINT_BEFORE).place.segment, 1);
}

START_TEST(segments_before_it_may_be_elsewhere)
{
	struct node n;
	make_node(&n, "n");
	unlink_in(n.journal_dir, CHECKPOINT_NAME);
	start_or_fail(&n, 1000000);
	struct pack want = known(&n);
	stop(&n);
	unlink_in(n.journal_dir, CHECKPOINT_NAME);
	struct journal_mark before = mark_of(&n, CHECKPOINT_BEFORE);
	archive_before(&n, before.place.segment);
	start_or_fail(&n, 1000000);
	ck_assert_uint_eq(n.read, story.n - before.sequence);
	expect_known(&n, &want);
	if (getenv("TOLLGATE_WRITE_CORPUS"))
		write_corpora(&n, getenv("TOLLGATE_WRITE_CORPUS"));
	stop(&n);
	free(want.data);
	/* Without one they are needed. */
	forget_checkpoints(&n);
	ck_assert_int_eq(start(&n, 1), -EUCLEAN);
	ck_assert_ptr_nonnull(strstr(why, "a segment is missing"));
	stop(&n);
}
END_TEST

static void spoil(const struct node *n, const char *name)
{
	size_t len;
	char *data = scratch_read(n->journal_dir, name, &len);
	data[len / 2] ^= 1;
	scratch_write(n->journal_dir, name, data, len);
	free(data);
}

START_TEST(damaged_ones_are_not_used)
{
	struct node n;
	make_node(&n, "n");
	start_or_fail(&n, 1000000);
	ck_assert_uint_eq(n.read, 0);
	struct pack want = known(&n);
	stop(&n);
	uint64_t behind = story.n - mark_of(&n, CHECKPOINT_BEFORE).sequence;
	spoil(&n, CHECKPOINT_NAME);
	start_or_fail(&n, 1000000);
	ck_assert_uint_eq(n.read, behind);
	expect_known(&n, &want);
	stop(&n);
	/* The damaged one was replaced, and the good one is still the one before. */
	ck_assert_uint_eq(mark_of(&n, CHECKPOINT_NAME).sequence, story.n);
	ck_assert_uint_eq(mark_of(&n, CHECKPOINT_BEFORE).sequence, story.n - behind);
	spoil(&n, CHECKPOINT_NAME);
	spoil(&n, CHECKPOINT_BEFORE);
	start_or_fail(&n, 1000000);
	ck_assert_uint_eq(n.read, story.n);
	expect_known(&n, &want);
	stop(&n);
	free(want.data);
}
END_TEST

/* Of another journal, or of one that has lost its end since. */
START_TEST(only_of_this_journal)
{
	struct node n, other;
	make_node(&n, "n");
	place(&other, "other");
	story.record[0].time_ns++; /* told_time */
	start_or_fail(&other, 1000000);
	append_to(&other, story.n);
	stop(&other);
	size_t len;
	char *data = scratch_read(n.journal_dir, CHECKPOINT_BEFORE, &len);
	scratch_write(other.journal_dir, CHECKPOINT_NAME, data, len);
	unlink_in(other.journal_dir, CHECKPOINT_BEFORE);
	free(data);
	start_or_fail(&other, 1000000);
	ck_assert_uint_eq(other.read, story.n);
	stop(&other);
	/* The record is there and another. */
	forget_checkpoints(&n);
	start_or_fail(&n, 1000000);
	struct pack want = known(&n);
	stop(&n);
	struct journal_mark mark = mark_of(&n, CHECKPOINT_NAME);
	struct checkpoint c;
	ck_assert_int_eq(checkpoint_read(&c, n.journal_dir, CHECKPOINT_NAME, why, sizeof(why)), 0);
	for (int i = 0; i < 4; i++) {
		struct journal_mark wrong = mark;
		struct pack file = {0};
		wrong.sequence += i == 0;
		wrong.time_ns += i == 1;
		wrong.place.crc += i == 2;
		wrong.place.segment += i == 3;
		checkpoint_begin(&file, "gw1", &wrong);
		for (const uint8_t *at = c.rest.at; at < c.rest.end; at++) /* a byte is a number below 128 */
			if (*at < 0x80)
				pack_number(&file, *at);
		ck_assert_int_eq(journal_find(n.journal_dir, &mark), 0);
		ck_assert_int_eq(journal_find(n.journal_dir, &wrong), -ENOENT);
		ck_assert_int_eq(checkpoint_write(n.journal_dir, &file, false), 0);
		free(file.data);
		start_or_fail(&n, 1000000);
		ck_assert_uint_eq(n.read, story.n);
		expect_known(&n, &want);
		stop(&n);
	}
	checkpoint_release(&c);
	free(want.data);
}
END_TEST

START_TEST(of_another_node_or_version)
{
	struct node n;
	make_node(&n, "n");
	struct journal_mark mark = mark_of(&n, CHECKPOINT_NAME);
	struct pack file = {0};
	checkpoint_begin(&file, "gw2", &mark);
	ck_assert_int_eq(checkpoint_write(n.journal_dir, &file, false), 0);
	unlink_in(n.journal_dir, CHECKPOINT_BEFORE);
	archive_before(&n, mark.place.segment);
	ck_assert_int_eq(start(&n, 1000000), -EPROTO);
	ck_assert(strstr(why, "\"gw1\"") && strstr(why, "\"gw2\""));
	forget_checkpoints(&n);
	free(file.data);
	scratch_remove(home);
	ck_assert_int_eq(mkdir(home, 0700), 0);
	story_free(&story);
	make_node(&n, "n");
	unlink_in(n.journal_dir, CHECKPOINT_BEFORE);
	size_t len;
	char *data = scratch_read(n.journal_dir, CHECKPOINT_NAME, &len);
	data[3] = '2';
	scratch_write(n.journal_dir, CHECKPOINT_NAME, data, len);
	free(data);
	start_or_fail(&n, 1000000);
	ck_assert_uint_eq(n.read, story.n);
	stop(&n);
}
END_TEST

/* position.json moved aside: all files are wanted again, also those before the checkpoint. */
START_TEST(files_wanted_again)
{
	struct node n;
	char other[SCRATCH_BYTES + 32];
	make_node(&n, "n");
	unlink_in(n.cdr_dir, "position.json");
	struct dirent **list;
	int files = scandir(n.cdr_dir, &list, is_cdr, alphasort);
	for (int i = 0; i < files; i++) {
		unlink_in(n.cdr_dir, list[i]->d_name);
		free(list[i]);
	}
	free(list);
	start_or_fail(&n, 1000000);
	ck_assert_uint_eq(n.read, story.n);
	stop(&n);
	snprintf(other, sizeof(other), "%s/rebuilt", home);
	ck_assert_msg(!cdr_rebuild(n.journal_dir, other, why, sizeof(why)), "%s", why);
	unlink_in(n.cdr_dir, "position.json");
	expect_same_files(other, n.cdr_dir);
}
END_TEST

/* The journal's last segment was cut behind the checkpoint's record, and in front of it. */
START_TEST(journal_that_lost_its_end)
{
	struct node n;
	char path[512];
	make_node(&n, "n");
	struct journal_mark newest = mark_of(&n, CHECKPOINT_NAME), before = mark_of(&n, CHECKPOINT_BEFORE);
	ck_assert_int_eq(
		journal_segment_path(n.journal_dir, newest.place.segment, ".journal", path, sizeof(path)), 0);
	ck_assert_int_eq(truncate(path, (off_t)newest.place.offset + 5), 0);
	start_or_fail(&n, 1000000);
	ck_assert_uint_eq(n.read, story.n - 1 - before.sequence);
	stop(&n);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("records");
	TCase *tcase = tcase_create("records");
	tcase_set_timeout(tcase, 100);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_loop_test(tcase, same_as_from_the_whole_journal, 1, 4);
	tcase_add_test(tcase, segments_before_it_may_be_elsewhere);
	tcase_add_test(tcase, damaged_ones_are_not_used);
	tcase_add_test(tcase, only_of_this_journal);
	tcase_add_test(tcase, of_another_node_or_version);
	tcase_add_test(tcase, files_wanted_again);
	tcase_add_test(tcase, journal_that_lost_its_end);
	suite_add_tcase(suite, tcase);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
