#include "controlplane/cdr/file_pair.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "controlplane/journal/crc32c.h"

#define NAME_BYTES (CDR_STEM_BYTES + 16)
#define NODE_BYTES 32

const char *const cdr_suffix[CDR_FORMS] = {".jsonl", ".csv"};

static void name_of(char out[static NAME_BYTES], const char *stem, int form, bool temp)
{
	snprintf(out, NAME_BYTES, "%s%s%s", temp ? "temp-" : "", stem, cdr_suffix[form]);
}

struct cdr_file_pair *cdr_file_pair_new(const char *node, uint64_t first_ns, uint64_t number)
{
	struct cdr_file_pair *p = calloc(1, sizeof(*p));
	if (!p)
		return NULL;
	char name[NODE_BYTES + 1], when[32];
	size_t n = 0;
	for (; n < NODE_BYTES && node[n]; n++)
		name[n] = isalnum((unsigned char)node[n]) || node[n] == '-' ? node[n] : '_';
	name[n] = '\0';
	time_t s = (time_t)(first_ns / CLOCK_NS_PER_S);
	struct tm tm = {0};
	gmtime_r(&s, &tm);
	strftime(when, sizeof(when), "%Y%m%dT%H%M%SZ", &tm);
	snprintf(p->stem, sizeof(p->stem), "%s-%s-%010" PRIu64, name, when, number);
	p->number = number;
	for (int i = 0; i < CDR_FORMS; i++)
		p->form[i].fd = -1;
	cdr_header_csv(&p->form[1].waiting);
	return p;
}

void cdr_file_pair_free(struct cdr_file_pair *p)
{
	if (!p)
		return;
	for (int i = 0; i < CDR_FORMS; i++) {
		if (p->form[i].fd >= 0)
			close(p->form[i].fd);
		cdr_buffer_free(&p->form[i].waiting);
	}
	free(p);
}

void cdr_file_pair_add(struct cdr_file_pair *p, const struct cdr_row *row)
{
	cdr_row_json(row, &p->form[0].waiting);
	cdr_row_csv(row, &p->form[1].waiting);
}

bool cdr_file_pair_failed(const struct cdr_file_pair *p)
{
	return p->form[0].waiting.failed || p->form[1].waiting.failed;
}

static int write_form(struct cdr_form *f)
{
	size_t at = 0;
	int e = 0;
	while (at < f->waiting.len && !e) {
		ssize_t n = pwrite(
			f->fd, f->waiting.data + at, f->waiting.len - at, (off_t)(f->written + at));
		if (n < 0 && errno != EINTR)
			e = -errno;
		at += n > 0 ? (size_t)n : 0;
	}
	f->crc = journal_crc32c(f->crc, f->waiting.data, at);
	f->written += at;
	f->waiting.len -= at;
	memmove(f->waiting.data, f->waiting.data + at, f->waiting.len);
	return e;
}

int cdr_file_pair_write(struct cdr_file_pair *p, int dir_fd)
{
	char name[NAME_BYTES];
	for (int i = 0; i < CDR_FORMS; i++) {
		struct cdr_form *f = &p->form[i];
		if (!f->waiting.len)
			continue;
		name_of(name, p->stem, i, true);
		if (f->fd < 0)
			f->fd = openat(dir_fd, name, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
		int e = f->fd < 0 ? -errno : write_form(f);
		if (e)
			return e;
	}
	return 0;
}

/* After a failed sync the kernel may have dropped what it could not write, and the next sync would say
 * nothing of it: what can still be read is written again, if it is what it should be. */
static int write_again(struct cdr_form *f)
{
	char block[16384];
	uint32_t crc = 0;
	for (uint64_t at = 0; at < f->written;) {
		ssize_t n = pread(f->fd, block, sizeof(block), (off_t)at);
		if (n <= 0)
			return n ? -errno : -EIO;
		crc = journal_crc32c(crc, block, (size_t)n);
		if (pwrite(f->fd, block, (size_t)n, (off_t)at) != n)
			return -EIO;
		at += (uint64_t)n;
	}
	return crc == f->crc ? 0 : -EIO;
}

/* Somebody removed the temp file: it is made again from what our descriptor still holds. */
static int restore_removed(struct cdr_form *f, const char *name, int dir_fd)
{
	char block[16384];
	struct stat st;
	uint32_t crc = 0;
	if (fstat(f->fd, &st))
		return -errno;
	if (st.st_nlink)
		return 0;
	int e = 0, fd = openat(dir_fd, name, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
	if (fd < 0)
		return -errno;
	for (uint64_t at = 0; at < f->written && !e;) {
		ssize_t n = pread(f->fd, block, sizeof(block), (off_t)at);
		if (n <= 0) {
			e = n ? -errno : -EIO;
			break;
		}
		crc = journal_crc32c(crc, block, (size_t)n);
		e = file_write_all(fd, block, (size_t)n);
		at += (uint64_t)n;
	}
	if (!e && crc != f->crc)
		e = -EIO;
	if (e) {
		close(fd);
		unlinkat(dir_fd, name, 0); /* the old one's link count says again that it is to be done */
		return e;
	}
	close(f->fd);
	f->fd = fd;
	log_warn(cdr, NULL, "temp-file-restored",
		"file=%s advice=\"take only files whose names don't begin with temp-\"", name);
	return 0;
}

int cdr_file_pair_sync(struct cdr_file_pair *p, int dir_fd)
{
	char name[NAME_BYTES];
	for (int i = 0; i < CDR_FORMS; i++) {
		struct cdr_form *f = &p->form[i];
		name_of(name, p->stem, i, true);
		int gone = restore_removed(f, name, dir_fd);
		if (gone)
			return gone;
		if (!fsync(f->fd))
			continue;
		int e = -errno;
		if (write_again(f) || fsync(f->fd))
			return e;
	}
	return fsync(dir_fd) ? -errno : 0;
}

int cdr_file_pair_publish(const char *stem, int dir_fd)
{
	char temp[NAME_BYTES], name[NAME_BYTES];
	for (int i = 0; i < CDR_FORMS; i++) {
		name_of(temp, stem, i, true);
		name_of(name, stem, i, false);
		if (renameat(dir_fd, temp, dir_fd, name) && errno != ENOENT)
			return -errno;
	}
	return fsync(dir_fd) ? -errno : 0;
}
