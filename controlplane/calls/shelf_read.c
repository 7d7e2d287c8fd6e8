#include "controlplane/calls/shelf_read.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Far more than a session with all its legs has. */
#define TEXT_MAX (16u << 20)
/* What is read ahead: batches, so that the threads meet seldom; a bounded number, for a parsed session is
 * some 30 KB: as many as can be parsed while the journal is read. */
#define BATCH       32
#define BATCHES_MAX 64

struct batch {
	struct batch *next;
	unsigned n;
	char *name[BATCH];
	json_t *value[BATCH]; /* NULL: can't be read */
};

struct shelf_reader {
	int dir;
	DIR *list;
	char *text;
	size_t room;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	/* Under the lock. */
	struct batch *first, **last;
	struct batch
		*done; /* for the reader to free: it made them, and another's free() would be in its way */
	unsigned batches;
	bool over, stop;
	int error;
};

/* Makes room for a file of that many bytes and one more. */
static bool make_room(struct shelf_reader *r, size_t bytes)
{
	if (bytes < r->room)
		return true;
	char *bigger = bytes < TEXT_MAX ? realloc(r->text, bytes + 1) : NULL;
	if (!bigger)
		return false;
	r->text = bigger;
	r->room = bytes + 1;
	return true;
}

/* In one piece: what jansson reads from a file it reads byte by byte. */
static json_t *read_one(struct shelf_reader *r, const char *name)
{
	json_t *value = NULL;
	struct stat st;
	int fd = openat(r->dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return NULL;
	if (!fstat(fd, &st) && S_ISREG(st.st_mode) && make_room(r, (size_t)st.st_size)) {
		/* Files are replaced, never written to: one that is shorter or longer now is a strange one.
		 */
		ssize_t n = read(fd, r->text, r->room);
		if (n == st.st_size)
			value = json_loadb(r->text, (size_t)n, JSON_REJECT_DUPLICATES, NULL);
	}
	close(fd);
	return value;
}

static void free_batches(struct batch *b)
{
	for (struct batch *next; b; b = next) {
		next = b->next;
		for (unsigned i = 0; i < b->n; i++) {
			json_decref(b->value[i]);
			free(b->name[i]);
		}
		free(b);
	}
}

static void release(struct shelf_reader *r)
{
	free_batches(r->first);
	free_batches(r->done);
	pthread_cond_destroy(&r->changed);
	pthread_mutex_destroy(&r->lock);
	closedir(r->list);
	free(r->text);
	free(r);
}

/* The next files. NULL with *error 0: there are no more. */
static struct batch *read_batch(struct shelf_reader *r, int *error)
{
	struct batch *b = calloc(1, sizeof(*b));
	struct dirent *e = NULL;
	*error = b ? 0 : -ENOMEM;
	while (b && b->n < BATCH && (e = readdir(r->list))) {
		if (e->d_name[0] == '.')
			continue;
		b->name[b->n] = strdup(e->d_name);
		if (!b->name[b->n]) {
			*error = -ENOMEM;
			break;
		}
		b->value[b->n++] = read_one(r, e->d_name);
	}
	if (b && !b->n) {
		free(b);
		b = NULL;
	}
	return b;
}

static void *read_ahead(void *arg)
{
	struct shelf_reader *r = arg;
	int error = 0;
	for (bool more = true; more;) {
		struct batch *b = error ? NULL : read_batch(r, &error);
		pthread_mutex_lock(&r->lock);
		more = b;
		if (b) {
			*r->last = b;
			r->last = &b->next;
			r->batches++;
		}
		r->over = !b;
		r->error = error;
		pthread_cond_broadcast(&r->changed);
		while (r->batches >= BATCHES_MAX && !r->stop)
			pthread_cond_wait(&r->changed, &r->lock);
		more = more && !r->stop;
		struct batch *done = r->done;
		r->done = NULL;
		pthread_mutex_unlock(&r->lock);
		free_batches(done);
	}
	return NULL;
}

/* done: the one before, or NULL. NULL: that was all. */
static struct batch *next_batch(struct shelf_reader *r, struct batch *done)
{
	pthread_mutex_lock(&r->lock);
	if (done) {
		done->next = r->done;
		r->done = done;
	}
	while (!r->first && !r->over)
		pthread_cond_wait(&r->changed, &r->lock);
	struct batch *b = r->first;
	if (b) {
		r->first = b->next;
		if (!r->first)
			r->last = &r->first;
		r->batches--;
		pthread_cond_broadcast(&r->changed);
	}
	pthread_mutex_unlock(&r->lock);
	return b;
}

int shelf_reader_start(struct shelf_reader **reader, int dir)
{
	struct shelf_reader *r = calloc(1, sizeof(*r));
	if (!r)
		return -ENOMEM;
	int copy = dup(dir);
	*r = (struct shelf_reader){.dir = dir, .list = copy < 0 ? NULL : fdopendir(copy)};
	if (!r->list) {
		int e = -errno;
		if (copy >= 0)
			close(copy);
		free(r);
		return e;
	}
	rewinddir(r->list);
	r->last = &r->first;
	pthread_mutex_init(&r->lock, NULL);
	pthread_cond_init(&r->changed, NULL);
	int e = -pthread_create(&r->thread, NULL, read_ahead, r);
	if (e)
		release(r);
	else
		*reader = r;
	return e;
}

int shelf_reader_finish(
	struct shelf_reader *r, void (*found)(void *ctx, const char *name, const json_t *value), void *ctx)
{
	for (struct batch *b = NULL; (b = next_batch(r, b));)
		for (unsigned i = 0; i < b->n; i++)
			found(ctx, b->name[i], b->value[i]);
	pthread_join(r->thread, NULL);
	int e = r->error;
	release(r);
	return e;
}

void shelf_reader_stop(struct shelf_reader *r)
{
	if (!r)
		return;
	pthread_mutex_lock(&r->lock);
	r->stop = true;
	pthread_cond_broadcast(&r->changed);
	pthread_mutex_unlock(&r->lock);
	pthread_join(r->thread, NULL);
	release(r);
}
