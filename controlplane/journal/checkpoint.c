#include "controlplane/journal/checkpoint.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "controlplane/journal/crc32c.h"

#define BYTES_MAX (4ull << 30)
#define HALF      CHECKPOINT_NAME ".new"

static void put(uint8_t *out, uint64_t v, int bytes)
{
	for (int i = 0; i < bytes; i++)
		out[i] = (uint8_t)(v >> 8 * i);
}

static uint64_t get(const uint8_t *p, int bytes)
{
	uint64_t v = 0;
	for (int i = 0; i < bytes; i++)
		v |= (uint64_t)p[i] << 8 * i;
	return v;
}

void checkpoint_begin(struct pack *file, const char *node, const struct journal_mark *mark)
{
	for (int i = 0; i < CHECKPOINT_HEADER; i++)
		pack_number(file, 0);
	pack_text(file, node, strlen(node));
	pack_number(file, mark->sequence);
	pack_number(file, mark->time_ns);
	pack_number(file, mark->place.segment);
	pack_number(file, mark->place.offset);
	pack_number(file, mark->place.crc);
}

static int write_half(const char *path, const struct pack *file)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0640);
	if (fd < 0)
		return -errno;
	int e = file_write_all(fd, file->data, file->len);
	if (!e && fsync(fd))
		e = -errno;
	if (close(fd) && !e)
		e = -errno;
	return e;
}

static int path_of(const char *dir, const char *name, char path[static PATH_MAX])
{
	return snprintf(path, PATH_MAX, "%s/%s", dir, name) >= PATH_MAX ? -ENAMETOOLONG : 0;
}

int checkpoint_write(const char *dir, struct pack *file, bool keep)
{
	char half[PATH_MAX], path[PATH_MAX], before[PATH_MAX];
	if (file->failed || file->len < CHECKPOINT_HEADER)
		return -ENOMEM;
	if (path_of(dir, HALF, half) || path_of(dir, CHECKPOINT_NAME, path) ||
		path_of(dir, CHECKPOINT_BEFORE, before))
		return -ENAMETOOLONG;
	size_t body = file->len - CHECKPOINT_HEADER;
	put(file->data, CHECKPOINT_MAGIC, 4);
	put(file->data + 4, journal_crc32c(0, file->data + CHECKPOINT_HEADER, body), 4);
	put(file->data + 8, body, 8);
	int e = write_half(half, file);
	if (e) {
		unlink(half);
		return e;
	}
	if (keep && rename(path, before) && errno != ENOENT)
		return -errno;
	if (rename(half, path))
		return -errno;
	return file_sync_parent(path);
}

static int refuse(const char *reason, char *why, size_t n)
{
	snprintf(why, n, "%s", reason);
	return -EBADMSG;
}

int checkpoint_parse(struct checkpoint *c, char *data, size_t len, char *why, size_t n)
{
	const uint8_t *bytes = (const uint8_t *)data;
	size_t text;
	*c = (struct checkpoint){.data = data};
	if (len < CHECKPOINT_HEADER)
		return refuse("it is cut off", why, n);
	if (get(bytes, 4) != CHECKPOINT_MAGIC)
		return refuse(get(bytes, 3) == (CHECKPOINT_MAGIC & 0xffffff) ? "it is of another version"
									     : "it is no checkpoint",
			why, n);
	if (get(bytes + 8, 8) != len - CHECKPOINT_HEADER)
		return refuse("it has another length than it says", why, n);
	if (journal_crc32c(0, bytes + CHECKPOINT_HEADER, len - CHECKPOINT_HEADER) != get(bytes + 4, 4))
		return refuse("it is damaged", why, n);
	c->rest = (struct unpack){.at = bytes + CHECKPOINT_HEADER, .end = bytes + len};
	c->node = unpack_text(&c->rest, &text);
	c->mark.sequence = unpack_number(&c->rest);
	c->mark.time_ns = unpack_number(&c->rest);
	c->mark.place.segment = (uint32_t)unpack_number_to(&c->rest, UINT32_MAX);
	c->mark.place.offset = unpack_number_to(&c->rest, INT64_MAX);
	c->mark.place.crc = (uint32_t)unpack_number_to(&c->rest, UINT32_MAX);
	if (c->rest.failed || strlen(c->node) != text || !c->mark.sequence || !c->mark.place.segment)
		return refuse("it can't be read", why, n);
	return 0;
}

int checkpoint_read(struct checkpoint *c, const char *dir, const char *name, char *why, size_t n)
{
	char path[PATH_MAX], *data;
	size_t len;
	*c = (struct checkpoint){0};
	int e = path_of(dir, name, path);
	if (!e)
		e = file_read(path, BYTES_MAX, &data, &len);
	if (e) {
		snprintf(why, n, "%s", strerror(-e));
		return e;
	}
	return checkpoint_parse(c, data, len, why, n);
}

void checkpoint_release(struct checkpoint *c)
{
	free(c->data);
	*c = (struct checkpoint){0};
}
