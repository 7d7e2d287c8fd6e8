#include "controlplane/journal/recover.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "controlplane/journal/record.h"
#include "tests/unit/journal/scratch.h"

#define ONE "0000000001.journal"
#define TWO "0000000002.journal"

/* n records from sequence `first` on; returns their bytes. */
static size_t make(uint8_t *out, uint64_t first, int n)
{
	size_t at = 0;
	for (int i = 0; i < n; i++) {
		char text[64];
		int len = snprintf(text, sizeof(text), "{\"fact\":\"digit\",\"n\":%d}", (int)first + i);
		journal_encode(first + (uint64_t)i, 1000 + (uint64_t)i, text, (size_t)len, out + at);
		at += JOURNAL_HEADER_BYTES + (size_t)len;
	}
	return at;
}

static void count(void *ctx, const struct journal_record *record)
{
	uint64_t *last = ctx;
	ck_assert_uint_eq(record->sequence, *last + 1);
	ck_assert_int_eq(
		json_integer_value(json_object_get(record->payload, "n")), (json_int_t)record->sequence);
	*last = record->sequence;
}

static int find(const char *dir, struct journal_end *end, uint64_t *seen)
{
	char why[512] = "";
	*seen = 0;
	*end = (struct journal_end){0};
	struct journal_sink sink = {.record = count, .ctx = seen};
	int e = journal_find_end(dir, &sink, end, why, sizeof(why));
	if (e)
		ck_assert_str_ne(why, "");
	return e;
}

START_TEST(nothing_there)
{
	char dir[SCRATCH_BYTES];
	struct journal_end end;
	uint64_t seen;
	scratch_make(dir);
	ck_assert_int_eq(find(dir, &end, &seen), 0);
	ck_assert_uint_eq(end.segment, 0);
	ck_assert_uint_eq(end.sequence, 0);
	scratch_remove(dir);
	ck_assert_int_eq(find(dir, &end, &seen), -ENOENT);
}
END_TEST

/* A segment cut at any byte has the records before the cut as its good prefix, and the rest is kept. */
START_TEST(truncated_at_every_byte)
{
	char dir[SCRATCH_BYTES], why[512];
	uint8_t out[1024];
	scratch_make(dir);
	size_t all = make(out, 1, 3), each = all / 3;
	for (size_t len = 0; len <= all; len++) {
		struct journal_end end;
		uint64_t seen;
		scratch_write(dir, ONE, out, len);
		ck_assert_int_eq(find(dir, &end, &seen), 0);
		ck_assert_uint_eq(seen, len / each);
		ck_assert_uint_eq(end.sequence, seen);
		ck_assert_uint_eq(end.bytes, seen * each);
		ck_assert_uint_eq(end.damaged, len % each);
		if (!end.damaged)
			continue;
		ck_assert_int_eq(journal_cut(dir, &end, why, sizeof(why)), 0);
		size_t n;
		char *data = scratch_read(dir, ONE, &n);
		ck_assert_uint_eq(n, end.bytes);
		ck_assert_mem_eq(data, out, n);
		free(data);
		data = scratch_read(dir, "0000000001.damaged", &n);
		ck_assert_uint_eq(n, end.damaged);
		ck_assert_mem_eq(data, out + end.bytes, n);
		free(data);
		char path[128];
		snprintf(path, sizeof(path), "%s/0000000001.damaged", dir);
		ck_assert_int_eq(unlink(path), 0);
	}
	scratch_remove(dir);
}
END_TEST

START_TEST(flipped_bits)
{
	char dir[SCRATCH_BYTES];
	uint8_t out[1024];
	scratch_make(dir);
	size_t all = make(out, 1, 3), each = all / 3;
	for (size_t bit = 0; bit < 8 * all; bit++) {
		struct journal_end end;
		uint64_t seen;
		out[bit / 8] ^= (uint8_t)(1 << bit % 8);
		scratch_write(dir, ONE, out, all);
		out[bit / 8] ^= (uint8_t)(1 << bit % 8);
		ck_assert_int_eq(find(dir, &end, &seen), 0);
		ck_assert_uint_eq(seen, bit / 8 / each);
		ck_assert_uint_eq(end.damaged, all - seen * each);
	}
	scratch_remove(dir);
}
END_TEST

START_TEST(garbage)
{
	char dir[SCRATCH_BYTES], why[512];
	uint8_t noise[5000];
	uint32_t x = 12345;
	for (size_t i = 0; i < sizeof(noise); i++)
		noise[i] = (uint8_t)((x = x * 1664525 + 1013904223) >> 24);
	struct journal_end end;
	uint64_t seen;
	scratch_make(dir);
	scratch_write(dir, ONE, noise, sizeof(noise));
	ck_assert_int_eq(find(dir, &end, &seen), 0);
	ck_assert_uint_eq(end.damaged, sizeof(noise));
	/* Evidence is never overwritten. */
	scratch_write(dir, "0000000001.damaged", "old", 3);
	ck_assert_int_eq(journal_cut(dir, &end, why, sizeof(why)), 0);
	size_t n;
	char *data = scratch_read(dir, "0000000001.damaged", &n);
	ck_assert_uint_eq(n, 3);
	free(data);
	data = scratch_read(dir, "0000000001.damaged-1", &n);
	ck_assert_uint_eq(n, sizeof(noise));
	free(data);
	scratch_remove(dir);
}
END_TEST

START_TEST(two_segments)
{
	char dir[SCRATCH_BYTES];
	uint8_t out[4096];
	struct journal_end end;
	uint64_t seen;
	scratch_make(dir);
	size_t first = make(out, 1, 4), second = make(out + first, 5, 2);
	scratch_write(dir, ONE, out, first);
	scratch_write(dir, TWO, out + first, second);
	scratch_write(dir, "0000000009.journal.gz", "no", 2);
	scratch_write(dir, "123.journal", "no", 2);
	ck_assert_int_eq(find(dir, &end, &seen), 0);
	ck_assert_uint_eq(seen, 6);
	ck_assert_uint_eq(end.segment, 2);
	ck_assert_uint_eq(end.bytes, second);

	/* An empty last one is what a crash right after its creation leaves. */
	scratch_write(dir, "0000000003.journal", "", 0);
	ck_assert_int_eq(find(dir, &end, &seen), 0);
	ck_assert_uint_eq(end.segment, 3);
	ck_assert_uint_eq(end.sequence, 6);
	scratch_remove(dir);
}
END_TEST

START_TEST(damage_before_the_last_is_refused)
{
	char dir[SCRATCH_BYTES];
	uint8_t out[4096];
	struct journal_end end;
	uint64_t seen;
	scratch_make(dir);
	size_t first = make(out, 1, 4), second = make(out + first, 5, 2);
	scratch_write(dir, ONE, out, first - 1);
	scratch_write(dir, TWO, out + first, second);
	ck_assert_int_eq(find(dir, &end, &seen), -EUCLEAN);
	scratch_remove(dir);
}
END_TEST

START_TEST(missing_segment_is_refused)
{
	char dir[SCRATCH_BYTES];
	uint8_t out[4096];
	struct journal_end end;
	uint64_t seen;
	scratch_make(dir);
	scratch_write(dir, TWO, out, make(out, 5, 2));
	ck_assert_int_eq(find(dir, &end, &seen), -EUCLEAN);
	/* Nothing may have been cut off it. */
	size_t n;
	char *data = scratch_read(dir, TWO, &n);
	ck_assert_uint_gt(n, 0);
	free(data);
	scratch_remove(dir);
}
END_TEST

/* On a disk that takes no copy of the damaged tail. */
START_TEST(a_cut_that_fails_leaves_nothing)
{
	char dir[SCRATCH_BYTES], why[512] = "";
	uint8_t out[4096];
	scratch_make(dir);
	size_t good = make(out, 1, 3);
	memset(out + good, 'x', sizeof(out) - good);
	scratch_write(dir, ONE, out, sizeof(out));
	struct journal_end end;
	uint64_t seen;
	ck_assert_int_eq(find(dir, &end, &seen), 0);
	ck_assert_uint_eq(end.damaged, sizeof(out) - good);
	signal(SIGXFSZ, SIG_IGN);
	struct rlimit limit, before;
	getrlimit(RLIMIT_FSIZE, &before);
	limit = before;
	limit.rlim_cur = 100;
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	int e = journal_cut(dir, &end, why, sizeof(why));
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &before), 0);
	ck_assert_int_eq(e, -EFBIG);
	ck_assert_str_ne(why, "");
	char path[SCRATCH_BYTES + 64];
	snprintf(path, sizeof(path), "%s/0000000001.damaged", dir);
	ck_assert_int_ne(access(path, F_OK), 0);
	ck_assert_int_eq(journal_cut(dir, &end, why, sizeof(why)), 0);
	ck_assert_int_eq(access(path, F_OK), 0);
	scratch_remove(dir);
}
END_TEST

/* Noise is never followed: what came before it counts, and the noise is kept. */
START_TEST(a_last_segment_of_noise)
{
	char dir[SCRATCH_BYTES], why[512];
	uint8_t out[4096], noise[3000];
	uint32_t x = 4711;
	for (size_t i = 0; i < sizeof(noise); i++)
		noise[i] = (uint8_t)((x = x * 1664525 + 1013904223) >> 24);
	struct journal_end end;
	uint64_t seen;
	scratch_make(dir);
	scratch_write(dir, ONE, out, make(out, 1, 4));
	scratch_write(dir, TWO, noise, sizeof(noise));
	ck_assert_int_eq(find(dir, &end, &seen), 0);
	ck_assert_uint_eq(seen, 4);
	ck_assert_uint_eq(end.segment, 2);
	ck_assert_uint_eq(end.damaged, sizeof(noise));
	ck_assert_int_eq(journal_cut(dir, &end, why, sizeof(why)), 0);
	size_t n;
	char *data = scratch_read(dir, "0000000002.damaged", &n);
	ck_assert_uint_eq(n, sizeof(noise));
	ck_assert_mem_eq(data, noise, n);
	free(data);
	ck_assert_int_eq(find(dir, &end, &seen), 0);
	ck_assert_uint_eq(seen, 4);
	ck_assert_uint_eq(end.damaged, 0);
	scratch_remove(dir);
}
END_TEST

/* What another version wrote is no damage: it is refused and stays as it is. */
START_TEST(another_version_is_refused)
{
	char dir[SCRATCH_BYTES], why[512] = "";
	uint8_t out[1024];
	struct journal_end end = {0};
	scratch_make(dir);
	size_t good = make(out, 1, 2), all = good + make(out + good, 3, 1);
	out[good + 3] = '2';
	out[good + JOURNAL_HEADER_BYTES + 1] ^= 1;
	scratch_write(dir, ONE, out, all);
	ck_assert_int_eq(journal_find_end(dir, &(struct journal_sink){0}, &end, why, sizeof(why)), -EPROTO);
	ck_assert_ptr_nonnull(strstr(why, "another format than version 1"));
	ck_assert_uint_eq(end.bytes, good);
	size_t n;
	char *data = scratch_read(dir, ONE, &n);
	ck_assert_uint_eq(n, all);
	free(data);
	scratch_remove(dir);
}
END_TEST

START_TEST(another_nodes_journal_is_refused_with_both_names)
{
	char dir[SCRATCH_BYTES], why[512] = "";
	uint8_t out[1024];
	const char *text = "{\"fact\":\"node_start\",\"node\":\"gw1\"}";
	scratch_make(dir);
	ck_assert_int_eq(journal_check_node(dir, "gw2", why, sizeof(why)), 0); /* nothing there */
	journal_encode(1, 1, text, strlen(text), out);
	size_t first = JOURNAL_HEADER_BYTES + strlen(text);
	scratch_write(dir, ONE, out, first + make(out + first, 2, 2));
	ck_assert_int_eq(journal_check_node(dir, "gw1", why, sizeof(why)), 0);
	ck_assert_str_eq(why, "");
	ck_assert_int_eq(journal_check_node(dir, "gw2", why, sizeof(why)), -EPROTO);
	ck_assert_ptr_nonnull(strstr(why, "\"gw1\""));
	ck_assert_ptr_nonnull(strstr(why, "\"gw2\""));
	struct journal *journal;
	struct journal_options o = {.dir = dir, .node = "gw2"};
	ck_assert_int_eq(journal_open(&journal, &o, why, sizeof(why)), -EPROTO);
	/* One that doesn't begin with a node's start is nobody's. */
	scratch_write(dir, ONE, out, make(out, 1, 2));
	ck_assert_int_eq(journal_check_node(dir, "gw2", why, sizeof(why)), 0);
	scratch_remove(dir);
}
END_TEST

/* A record that is longer than the reader's window. */
START_TEST(long_record)
{
	char dir[SCRATCH_BYTES];
	size_t len = 900000;
	char *text = malloc(len + 1);
	uint8_t *out = malloc(len + 2000);
	memset(text, ' ', len);
	memcpy(text, "{\"fact\":\"digit\",\"n\":1", 21);
	text[len - 1] = '}';
	journal_encode(1, 1, text, len, out);
	size_t more = make(out + JOURNAL_HEADER_BYTES + len, 2, 3);
	scratch_make(dir);
	scratch_write(dir, ONE, out, JOURNAL_HEADER_BYTES + len + more);
	struct journal_end end;
	uint64_t seen;
	ck_assert_int_eq(find(dir, &end, &seen), 0);
	ck_assert_uint_eq(seen, 4);
	ck_assert_uint_eq(end.damaged, 0);
	free(text);
	free(out);
	scratch_remove(dir);
}
END_TEST

SCRATCH_MAIN("recover", 60, nothing_there, truncated_at_every_byte, flipped_bits, garbage, two_segments,
	damage_before_the_last_is_refused, missing_segment_is_refused, a_cut_that_fails_leaves_nothing,
	a_last_segment_of_noise, another_version_is_refused, another_nodes_journal_is_refused_with_both_names,
	long_record)
