#include "controlplane/journal/recover.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "controlplane/journal/record.h"

/* More than the first record of a journal takes. */
#define FIRST_BYTES 4096

static int read_one(const char *path, const struct journal_sink *sink, struct journal_end *end)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	struct journal_sink here = {.record = sink->record, .ctx = sink->ctx, .segment = end->segment};
	int e = journal_segment_read(fd, &here, &end->sequence, &end->bytes);
	struct stat st;
	if (e == -EUCLEAN && fstat(fd, &st))
		e = -errno;
	if (e == -EUCLEAN)
		end->damaged = (uint64_t)st.st_size > end->bytes ? (uint64_t)st.st_size - end->bytes : 0;
	close(fd);
	return e;
}

static void explain(const char *path, const struct journal_end *end, int e, char *why, size_t n)
{
	if (e == -EUCLEAN)
		snprintf(why, n,
			"%s is damaged after byte %" PRIu64 " (record %" PRIu64
			" should follow), and more segments come "
			"after it: restore it from a copy, or move it and those after it aside",
			path, end->bytes, end->sequence + 1);
	else if (e == -EPROTO)
		snprintf(why, n,
			"%s goes on in another format than version %d, which this program reads (record "
			"%" PRIu64 ", byte %" PRIu64
			"): go back to the program that wrote it, or give this one another "
			"node.state_dir",
			path, JOURNAL_VERSION, end->sequence + 1, end->bytes);
	else if (e == -EILSEQ)
		snprintf(why, n,
			"%s goes on with another record than %" PRIu64 ": a segment is missing, restore it",
			path, end->sequence + 1);
	else
		snprintf(why, n, "cannot read %s: %s", path, strerror(-e));
}

int journal_find_end(
	const char *dir, const struct journal_sink *sink, struct journal_end *end, char *why, size_t n)
{
	uint32_t *numbers;
	size_t count;
	char path[PATH_MAX];
	uint32_t first = end->segment;
	int e = journal_segment_list(dir, &numbers, &count);
	if (e) {
		snprintf(why, n, "cannot list the journal %s: %s", dir, strerror(-e));
		return e;
	}
	for (size_t i = 0; i < count && !e; i++) {
		if (numbers[i] < first)
			continue;
		if (numbers[i] > first)
			end->bytes = 0;
		end->segment = numbers[i];
		e = journal_segment_path(dir, numbers[i], ".journal", path, sizeof(path));
		if (!e)
			e = read_one(path, sink, end);
		if (e == -EUCLEAN && i + 1 == count)
			e = 0;
		if (e)
			explain(path, end, e, why, n);
	}
	free(numbers);
	return e == -EILSEQ ? -EUCLEAN : e;
}

/* The record's bytes; the caller frees them. */
static int read_marked(const char *path, const struct journal_mark *mark, uint8_t **data, size_t *len)
{
	const size_t room = JOURNAL_HEADER_BYTES + JOURNAL_PAYLOAD_MAX;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	*data = malloc(room);
	ssize_t n = *data ? pread(fd, *data, room, (off_t)mark->place.offset) : -1;
	int e = !*data ? -ENOMEM : n < 0 ? -errno : 0;
	close(fd);
	if (e)
		free(*data);
	*len = (size_t)n;
	return e;
}

int journal_find_from(const char *dir, const struct journal_mark *mark, struct journal_end *end)
{
	char path[PATH_MAX];
	struct journal_record record;
	json_t *payload = NULL;
	uint8_t *data = NULL;
	size_t len = 0, used = 0;
	if (mark->place.offset > INT64_MAX)
		return -ENOENT;
	int e = journal_segment_path(dir, mark->place.segment, ".journal", path, sizeof(path));
	if (!e)
		e = read_marked(path, mark, &data, &len);
	if (e)
		return e;
	e = journal_decode(data, len, mark->sequence, &record, &payload, &used);
	if (!e && (record.time_ns != mark->time_ns || record.place.crc != mark->place.crc))
		e = -ENOENT;
	else if (e && e != -ENOMEM)
		e = -ENOENT;
	json_decref(payload);
	free(data);
	*end = (struct journal_end){.segment = mark->place.segment,
		.bytes = mark->place.offset + used,
		.sequence = mark->sequence};
	return e;
}

int journal_find(const char *dir, const struct journal_mark *mark)
{
	struct journal_end end;
	return journal_find_from(dir, mark, &end);
}

/* A name that isn't taken: an earlier piece of evidence is never overwritten. */
static int create_damaged(const char *dir, uint32_t segment, char *path, size_t bytes)
{
	for (int i = 0; i < 1000; i++) {
		char suffix[32] = ".damaged";
		if (i)
			snprintf(suffix, sizeof(suffix), ".damaged-%d", i);
		int e = journal_segment_path(dir, segment, suffix, path, bytes);
		if (e)
			return e;
		int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
		if (fd >= 0 || errno != EEXIST)
			return fd >= 0 ? fd : -errno;
	}
	return -EEXIST;
}

static int copy_tail(int from, uint64_t offset, int to, unsigned *whole)
{
	size_t room = 4u << 20;
	uint8_t *buf = malloc(room);
	if (!buf)
		return -ENOMEM;
	int e = 0;
	*whole = 0;
	for (;;) {
		ssize_t n = pread(from, buf, room, (off_t)offset);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			e = -errno;
		if (n <= 0)
			break;
		e = file_write_all(to, buf, (size_t)n);
		if (e)
			break;
		*whole += journal_count_whole(buf, (size_t)n);
		offset += (uint64_t)n;
	}
	free(buf);
	return !e && fsync(to) ? -errno : e;
}

int journal_cut(const char *dir, const struct journal_end *end, char *why, size_t n)
{
	char path[PATH_MAX], aside[PATH_MAX];
	unsigned whole = 0;
	bool cut = false;
	int to = -1, e = journal_segment_path(dir, end->segment, ".journal", path, sizeof(path));
	int fd = e ? -1 : open(path, O_RDWR | O_CLOEXEC);
	if (!e && fd < 0)
		e = -errno;
	if (e)
		goto out;
	to = create_damaged(dir, end->segment, aside, sizeof(aside));
	if (to < 0) {
		e = to;
		goto out;
	}
	e = copy_tail(fd, end->bytes, to, &whole);
	if (!e)
		e = file_sync_parent(aside);
	cut = !e && !ftruncate(fd, (off_t)end->bytes);
	if (!e && (!cut || fsync(fd)))
		e = -errno;
	/* Whole records behind the damage were durable once: that is no torn write but a disk that lies. */
	if (!e && whole)
		log_error(journal, NULL, "tail-cut",
			"segment=%s bytes=%" PRIu64
			" whole_records=%u kept=%s hint=\"check the disk; facts from "
			"sequence %" PRIu64 " on are only in that file\"",
			path, end->damaged, whole, aside, end->sequence + 1);
	else if (!e)
		log_warn(journal, NULL, "tail-cut", "segment=%s bytes=%" PRIu64 " kept=%s", path,
			end->damaged, aside);
out:
	/* What is still in the segment needs no copy: each start on a full disk would leave one more. */
	if (to >= 0 && !cut)
		unlink(aside);
	if (to >= 0)
		close(to);
	if (fd >= 0)
		close(fd);
	if (e)
		snprintf(why, n, "cannot cut the damaged tail off %s: %s", path, strerror(-e));
	return e;
}

int journal_check_node(const char *dir, const char *node, char *why, size_t n)
{
	char path[PATH_MAX];
	uint32_t *numbers;
	size_t count;
	uint8_t head[FIRST_BYTES];
	if (journal_segment_list(dir, &numbers, &count) || !count)
		return 0; /* whoever opens it says what is wrong */
	int e = journal_segment_path(dir, numbers[0], ".journal", path, sizeof(path));
	free(numbers);
	int fd = e ? -1 : open(path, O_RDONLY | O_CLOEXEC);
	ssize_t len = fd < 0 ? -1 : pread(fd, head, sizeof(head), 0);
	if (fd >= 0)
		close(fd);
	struct journal_record record;
	json_t *payload;
	size_t used;
	if (len <= 0 || journal_decode(head, (size_t)len, 1, &record, &payload, &used))
		return 0;
	const char *owner = record.fact == FACT_node_start
				    ? json_string_value(json_object_get(payload, "node"))
				    : NULL;
	e = owner && strcmp(owner, node) ? -EPROTO : 0;
	if (e)
		snprintf(why, n,
			"the journal %s was begun by node \"%.128s\", the settings name node \"%.128s\": put "
			"node.name back, "
			"or give this node a node.state_dir of its own",
			dir, owner, node);
	json_decref(payload);
	return e;
}

int journal_read(const char *dir, void (*record)(void *ctx, const struct journal_record *record), void *ctx,
	char *why, size_t n)
{
	struct journal_sink sink = {.record = record, .ctx = ctx};
	struct journal_end end = {0};
	return journal_find_end(dir, &sink, &end, why, n);
}
