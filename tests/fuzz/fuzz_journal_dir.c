/* A journal's directory as anybody may have left it, and a start that finds it (journal.c does the same):
 * whose it is, the good prefix, the damaged tail cut off and kept. The input is a list of
 * [kind][length][bytes]. What was good is all there afterwards, nothing that is refused is changed, and the
 * next start finds no damage. */
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "controlplane/journal/crc32c.h"
#include "controlplane/journal/record.h"
#include "controlplane/journal/recover.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SEGMENTS  4u
#define INPUT_MAX 4096u
#define SUM_AT    24
#define OURS      (uint8_t)('0' + JOURNAL_VERSION)

enum kind {
	GOOD,        /* the next record, of our making */
	FRAMED,      /* the next record, its payload from the input */
	RAW,         /* bytes of the input */
	OUT_OF_TURN, /* a record with another sequence */
	NEWER,       /* the next record, of another version of the format */
	SEGMENT,     /* what follows is in the next file; an odd length leaves a number out */
	KINDS
};

static char dir[] = "/dev/shm/tollgate-fuzz-XXXXXX";

/* What is in the directory, as it was written. */
struct made {
	uint32_t segment;  /* number of the last file */
	uint64_t sequence; /* of the last record */
	uint64_t good;     /* records before anything that is not GOOD */
	bool spoiled;      /* there is such a thing */
};

static void path_of(uint32_t segment, const char *suffix, char path[static 128])
{
	if (journal_segment_path(dir, segment, suffix, path, 128))
		abort();
}

static void append(uint32_t segment, const void *bytes, size_t len)
{
	char path[128];
	path_of(segment, ".journal", path);
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);
	if (fd < 0 || write(fd, bytes, len) != (ssize_t)len)
		abort();
	close(fd);
}

/* version: last byte of its magic, under the sum as in a record that is meant to be so. */
static void append_record(
	uint32_t segment, uint64_t sequence, const void *payload, size_t len, uint8_t version)
{
	uint8_t record[JOURNAL_HEADER_BYTES + 256];
	journal_encode(sequence, sequence, payload, len, record);
	record[3] = version;
	uint32_t sum = journal_crc32c(journal_crc32c(0, record, SUM_AT), payload, len);
	for (int i = 0; i < 4; i++)
		record[SUM_AT + i] = (uint8_t)(sum >> 8 * i);
	append(segment, record, JOURNAL_HEADER_BYTES + len);
}

static void append_good(struct made *m)
{
	char text[64];
	snprintf(text, sizeof(text), "{\"fact\":\"node_start\",\"node\":\"gw%u\"}", (unsigned)m->sequence);
	append_record(m->segment, ++m->sequence, text, strlen(text), OURS);
	m->good += !m->spoiled;
}

static void next_segment(struct made *m, size_t len)
{
	if (m->segment >= SEGMENTS)
		return;
	m->segment += 1 + (len & 1);
	append(m->segment, "", 0);
}

static struct made write_directory(const uint8_t *data, size_t size)
{
	struct made m = {.segment = 1};
	append(m.segment, "", 0);
	for (size_t at = 0; at + 2 <= size;) {
		enum kind kind = data[at] % KINDS;
		size_t len = data[at + 1] < size - at - 2 ? data[at + 1] : size - at - 2;
		const uint8_t *bytes = data + at + 2;
		at += 2 + (kind == GOOD || kind == SEGMENT ? 0 : len);
		m.spoiled |= kind != GOOD && kind != SEGMENT;
		switch (kind) {
		case GOOD:
			append_good(&m);
			break;
		case FRAMED:
			append_record(m.segment, ++m.sequence, bytes, len, OURS);
			break;
		case RAW:
			append(m.segment, bytes, len);
			break;
		case OUT_OF_TURN:
			append_record(m.segment, m.sequence + 2 + len, "{\"fact\":\"digit\"}", 16, OURS);
			break;
		case NEWER:
			append_record(m.segment, m.sequence + 1, bytes, len, (uint8_t)('0' + len % 10));
			break;
		case SEGMENT:
			next_segment(&m, data[at - 1]);
			break;
		case KINDS:
			break;
		}
	}
	return m;
}

static uint64_t bytes_of(uint32_t segment, const char *suffix)
{
	char path[128];
	struct stat st;
	path_of(segment, suffix, path);
	return stat(path, &st) ? 0 : (uint64_t)st.st_size;
}

static uint64_t all_bytes(void)
{
	uint64_t sum = 0;
	for (uint32_t i = 1; i <= SEGMENTS + 1; i++)
		sum += bytes_of(i, ".journal");
	return sum;
}

static void remove_files(void)
{
	char path[128];
	for (uint32_t i = 1; i <= SEGMENTS + 1; i++) {
		path_of(i, ".journal", path);
		unlink(path);
		path_of(i, ".damaged", path);
		unlink(path);
	}
}

static void remove_all(void)
{
	remove_files();
	rmdir(dir);
}

static void count(void *ctx, const struct journal_record *record)
{
	uint64_t *seen = ctx;
	if (record->sequence != ++*seen || record->fact > FACTS || !json_is_object(record->payload))
		abort();
}

static int find(struct journal_end *end)
{
	char why[512] = "";
	uint64_t seen = 0;
	struct journal_sink sink = {.record = count, .ctx = &seen};
	int e = journal_find_end(dir, &sink, end, why, sizeof(why));
	if (seen != end->sequence || (e && !why[0]))
		abort();
	return e;
}

/* The tail is beside the segment, what came before it is as it was, and a second start has nothing to say. */
static void cut(const struct journal_end *end)
{
	char why[512];
	struct journal_end again = {0};
	uint64_t before = all_bytes();
	if (journal_cut(dir, end, why, sizeof(why)) || bytes_of(end->segment, ".damaged") != end->damaged ||
		bytes_of(end->segment, ".journal") != end->bytes || all_bytes() != before - end->damaged)
		abort();
	if (find(&again) || again.damaged || again.segment != end->segment || again.bytes != end->bytes ||
		again.sequence != end->sequence)
		abort();
}

static void start(const struct made *m)
{
	char why[512] = "";
	struct journal_end end = {0};
	uint64_t before = all_bytes();
	int node = journal_check_node(dir, "gw0", why, sizeof(why)), e = find(&end);
	if ((node && !why[0]) || (node && m->good) || all_bytes() != before)
		abort();
	/* A number that was left out is seen by the records, which then don't follow one another. */
	if (end.sequence < m->good || (!m->spoiled && (e || end.damaged || end.sequence != m->good)))
		abort();
	if (!e && end.segment != m->segment)
		abort();
	if (!e && end.damaged)
		cut(&end);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool made;
	if (!made) {
		if (!mkdtemp(dir))
			abort();
		atexit(remove_all);
		log_set_level("all", "error");
		made = true;
	}
	struct made m = write_directory(data, size < INPUT_MAX ? size : INPUT_MAX);
	start(&m);
	remove_files();
	return 0;
}
