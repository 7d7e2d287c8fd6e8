#include "controlplane/journal/segment.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "controlplane/journal/record.h"

#define NAME_DIGITS 10
#define SUFFIX      ".journal"
#define READ_BYTES  (256u << 10)

int journal_segment_path(const char *dir, uint32_t number, const char *suffix, char *path, size_t bytes)
{
	int n = snprintf(path, bytes, "%s/%0*" PRIu32 "%s", dir, NAME_DIGITS, number, suffix);
	return n < 0 || (size_t)n >= bytes ? -ENAMETOOLONG : 0;
}

/* 0: not the name of a segment. */
static uint32_t number_of(const char *name)
{
	if (strspn(name, "0123456789") != NAME_DIGITS || strcmp(name + NAME_DIGITS, SUFFIX))
		return 0;
	uint64_t n = strtoull(name, NULL, 10);
	return n <= UINT32_MAX ? (uint32_t)n : 0;
}

static int rising(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return x < y ? -1 : x > y;
}

int journal_segment_list(const char *dir, uint32_t **numbers, size_t *count)
{
	DIR *d = opendir(dir);
	if (!d)
		return -errno;
	int e = 0;
	uint32_t *list = NULL;
	size_t n = 0, room = 0;
	for (;;) {
		errno = 0;
		struct dirent *entry = readdir(d);
		if (!entry) {
			e = -errno;
			break;
		}
		uint32_t number = number_of(entry->d_name);
		if (!number)
			continue;
		if (n == room) {
			room = room ? 2 * room : 64;
			uint32_t *bigger = reallocarray(list, room, sizeof(*list));
			if (!bigger) {
				e = -ENOMEM;
				break;
			}
			list = bigger;
		}
		list[n++] = number;
	}
	closedir(d);
	if (e) {
		free(list);
		return e;
	}
	if (n)
		qsort(list, n, sizeof(*list), rising);
	*numbers = list;
	*count = n;
	return 0;
}

/* A window that slides over the file. */
struct window {
	int fd;
	uint8_t *bytes;
	size_t have, room;
	uint64_t next; /* offset in the file of what is read next */
};

/* Gets at least `need` bytes into the window. Returns 0, -ENODATA at the end of the file, or -errno. */
static int fill(struct window *w, size_t need)
{
	if (need > w->room) {
		size_t room = need < READ_BYTES ? READ_BYTES : need;
		uint8_t *bigger = realloc(w->bytes, room);
		if (!bigger)
			return -ENOMEM;
		w->bytes = bigger;
		w->room = room;
	}
	while (w->have < need) {
		ssize_t n = pread(w->fd, w->bytes + w->have, w->room - w->have, (off_t)w->next);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (!n)
			return -ENODATA;
		w->have += (size_t)n;
		w->next += (uint64_t)n;
	}
	return 0;
}

/* Passes on the whole records that are in the window. Returns -EAGAIN with *need when it wants more. */
static int drain(
	struct window *w, const struct journal_sink *sink, uint64_t *sequence, uint64_t *good, size_t *need)
{
	size_t at = 0, used = 0;
	int e;
	for (;;) {
		struct journal_record record;
		json_t *payload;
		e = journal_decode(w->bytes + at, w->have - at, *sequence + 1, &record, &payload, &used);
		if (e)
			break;
		record.place.segment = sink->segment;
		record.place.offset = *good;
		if (sink->record)
			sink->record(sink->ctx, &record);
		json_decref(payload);
		++*sequence;
		*good += used;
		at += used;
	}
	memmove(w->bytes, w->bytes + at, w->have - at);
	w->have -= at;
	*need = used;
	return e;
}

/* What the window begins with; all that is left of the file, if it is no longer than a record may be. */
static bool is_of_other_version(struct window *w)
{
	int e = w->have < JOURNAL_HEADER_BYTES ? -ENODATA
					       : fill(w, JOURNAL_HEADER_BYTES + JOURNAL_PAYLOAD_MAX);
	return (!e || e == -ENODATA) && journal_other_version(w->bytes, w->have);
}

int journal_segment_read(int fd, const struct journal_sink *sink, uint64_t *sequence, uint64_t *good)
{
	struct window w = {.fd = fd, .next = *good};
	size_t need = JOURNAL_HEADER_BYTES;
	int e;
	do {
		e = fill(&w, need);
		if (!e)
			e = drain(&w, sink, sequence, good, &need);
	} while (e == -EAGAIN);
	if ((e == -EUCLEAN || e == -ENODATA) && is_of_other_version(&w))
		e = -EPROTO;
	if (e == -ENODATA)
		e = w.have ? -EUCLEAN : 0;
	free(w.bytes);
	return e;
}
