#include "controlplane/calls/shelf.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <linux/magic.h>

#include "base/file.h"
#include "base/log.h"
#include "controlplane/calls/shelf_read.h"

#define NAME_BYTES 80
#define HALF       ".new"

struct shelf {
	int dir;
	struct shelf_reader *ahead;
};

static int remove_halves(struct shelf *s)
{
	DIR *d = fdopendir(dup(s->dir));
	if (!d)
		return -errno;
	rewinddir(d);
	for (struct dirent *e; (e = readdir(d));)
		if (strstr(e->d_name, HALF))
			unlinkat(s->dir, e->d_name, 0);
	closedir(d);
	return 0;
}

/* Everyone may make names in the place where the directory lies: one that is there may be somebody's who
 * wants to read sessions, to put some there, or to have our files follow links. */
static int check_owner(const struct shelf *s)
{
	struct stat st;
	if (fstat(s->dir, &st))
		return -errno;
	return st.st_uid == geteuid() && !(st.st_mode & (S_IWGRP | S_IWOTH)) ? 0 : -EPERM;
}

void shelf_place(const char *run_dir, const char *region_name, char *out, size_t out_bytes)
{
	struct statfs fs;
	if (!statfs(run_dir, &fs) && fs.f_type == TMPFS_MAGIC)
		snprintf(out, out_bytes, "%s/sessions", run_dir);
	else
		snprintf(out, out_bytes, "/dev/shm/%s.sessions", region_name);
}

int shelf_open(struct shelf **shelf, const char *dir)
{
	int e = file_make_dirs(dir);
	if (e)
		return e;
	struct shelf *s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	s->dir = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	e = s->dir < 0 ? -errno : check_owner(s);
	if (e)
		log_error(calls, NULL, "shelf-refused",
			"dir=%s reason=\"%s\" advice=\"it must be a directory of this program's user that "
			"only "
			"that user may write to: find out whose it is, remove it, start again\"",
			log_quote(dir), strerror(-e));
	if (!e)
		e = remove_halves(s);
	if (e) {
		shelf_close(s);
		return e;
	}
	*shelf = s;
	return 0;
}

void shelf_close(struct shelf *s)
{
	if (!s)
		return;
	shelf_reader_stop(s->ahead);
	if (s->dir >= 0)
		close(s->dir);
	free(s);
}

int shelf_put(struct shelf *s, const char *name, const json_t *value)
{
	char half[NAME_BYTES + sizeof(HALF)];
	if (snprintf(half, sizeof(half), "%s" HALF, name) >= (int)sizeof(half))
		return -ENAMETOOLONG;
	char *text = json_dumps(value, JSON_COMPACT);
	if (!text)
		return -ENOMEM;
	int fd = openat(s->dir, half, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	int e = fd < 0 ? -errno : file_write_all(fd, text, strlen(text));
	free(text);
	if (fd >= 0 && close(fd) && !e)
		e = -errno;
	if (!e && renameat(s->dir, half, s->dir, name))
		e = -errno;
	return e;
}

void shelf_drop(struct shelf *s, const char *name)
{
	unlinkat(s->dir, name, 0);
}

int shelf_read_ahead(struct shelf *s)
{
	return s->ahead ? 0 : shelf_reader_start(&s->ahead, s->dir);
}

int shelf_each(struct shelf *s, void (*found)(void *ctx, const char *name, const json_t *value), void *ctx)
{
	int e = shelf_read_ahead(s);
	struct shelf_reader *reader = s->ahead;
	s->ahead = NULL;
	return e ? e : shelf_reader_finish(reader, found, ctx);
}
