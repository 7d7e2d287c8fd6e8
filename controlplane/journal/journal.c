#include "controlplane/journal/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "controlplane/journal/record.h"
#include "controlplane/journal/recover.h"
#include "controlplane/journal/segment.h"

#define SEGMENT_BYTES (64ull << 20)
#define BATCH_BYTES   (4u << 20) /* most that one sync waits for */
#define RETRY_MS      100
#define CLOSE_MS      10000

struct pending {
	struct pending *next;
	struct journal_record record;
	json_t *payload;
	char *text;
	size_t len;
};

struct queue {
	struct pending *head, **tail;
};

struct journal {
	struct journal_options options;
	char *dir;
	int lock_fd;
	pthread_t writer;
	pthread_mutex_t lock;
	pthread_cond_t wake, reached;
	/* Under the lock. */
	struct queue arrived;
	uint64_t appended, durable, backlog_bytes;
	uint64_t first_ns; /* monotonic, when the head of arrived came */
	bool stop;
	/* Of the writer. */
	struct queue mine;
	uint32_t segment;
	int fd;         /* of the segment, -1 while the next one can't be made */
	uint64_t bytes; /* of the segment that are good and durable */
	uint8_t *buf;
	size_t room;
	int error;
};

static void queue_init(struct queue *q)
{
	q->head = NULL;
	q->tail = &q->head;
}

/* Moves everything from one queue to the end of another. */
static void queue_take(struct queue *to, struct queue *from)
{
	if (!from->head)
		return;
	*to->tail = from->head;
	to->tail = from->tail;
	queue_init(from);
}

static void pending_free(struct pending *p)
{
	json_decref(p->payload);
	free(p->text);
	free(p);
}

static struct timespec at_mono_ns(uint64_t ns)
{
	return (struct timespec){
		.tv_sec = (time_t)(ns / CLOCK_NS_PER_S), .tv_nsec = (long)(ns % CLOCK_NS_PER_S)};
}

uint64_t journal_append(struct journal *j, enum fact fact, json_t *payload)
{
	struct pending *p = calloc(1, sizeof(*p));
	if (!p || !json_is_object(payload) || fact >= FACTS ||
		json_object_set_new(payload, "fact", json_string(fact_name[fact])))
		goto refuse;
	p->text = json_dumps(payload, JSON_COMPACT | JSON_SORT_KEYS);
	p->len = p->text ? strlen(p->text) : 0;
	if (!p->text || p->len > JOURNAL_PAYLOAD_MAX)
		goto refuse;
	p->payload = payload;
	p->record.fact = fact;
	p->record.payload = payload;
	p->record.text = p->text;
	p->record.len = p->len;

	pthread_mutex_lock(&j->lock);
	/* Inside the lock, so that times rise with sequences. */
	p->record.time_ns = j->options.now ? j->options.now(j->options.now_ctx) : clock_utc_ns();
	uint64_t sequence = p->record.sequence = ++j->appended;
	j->backlog_bytes += p->len;
	if (!j->arrived.head) {
		j->first_ns = clock_mono_ns();
		pthread_cond_signal(&j->wake);
	}
	*j->arrived.tail = p;
	j->arrived.tail = &p->next;
	pthread_mutex_unlock(&j->lock);
	return sequence;
refuse:
	json_decref(payload);
	if (p)
		free(p->text);
	free(p);
	return 0;
}

/* Waits for facts, and then a little for company. False when there is nothing left to do. */
static bool gather(struct journal *j)
{
	pthread_mutex_lock(&j->lock);
	while (!j->mine.head && !j->arrived.head && !j->stop)
		pthread_cond_wait(&j->wake, &j->lock);
	/* What came while the last group was being synced has waited enough already. */
	struct timespec until = at_mono_ns(j->first_ns + j->options.sync_ms * CLOCK_NS_PER_MS);
	while (!j->mine.head && !j->stop && !pthread_cond_timedwait(&j->wake, &j->lock, &until))
		;
	queue_take(&j->mine, &j->arrived);
	pthread_mutex_unlock(&j->lock);
	return j->mine.head;
}

static int new_segment(struct journal *j)
{
	char path[PATH_MAX];
	int e = journal_segment_path(j->dir, j->segment + 1, ".journal", path, sizeof(path));
	if (e)
		return e;
	/* Without O_EXCL: an attempt before this one may have made it and then failed. */
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
	if (fd < 0)
		return -errno;
	e = file_sync_parent(path);
	if (e) {
		close(fd);
		return e;
	}
	if (j->fd >= 0)
		close(j->fd);
	j->fd = fd;
	j->segment++;
	j->bytes = 0;
	return 0;
}

static int make_room(struct journal *j, size_t bytes)
{
	if (bytes <= j->room)
		return 0;
	uint8_t *bigger = realloc(j->buf, bytes);
	if (!bigger)
		return -ENOMEM;
	j->buf = bigger;
	j->room = bytes;
	return 0;
}

/* Writes and syncs a group: what waits, as far as it fits in the segment. *last: the last one of it. A retry
 * writes the same bytes at the same place again: after a failed sync the kernel may have dropped them. */
static int write_group(struct journal *j, struct pending **last)
{
	size_t n = 0;
	int e;
	if (j->bytes && j->bytes + JOURNAL_HEADER_BYTES + j->mine.head->len > j->options.segment_bytes) {
		e = new_segment(j);
		if (e)
			return e;
	}
	for (struct pending *p = j->mine.head; p; p = p->next) {
		size_t bytes = JOURNAL_HEADER_BYTES + p->len;
		if (n && (n + bytes > BATCH_BYTES || j->bytes + n + bytes > j->options.segment_bytes))
			break;
		e = make_room(j, n + bytes > BATCH_BYTES ? n + bytes : BATCH_BYTES);
		if (e)
			return e;
		p->record.place = (struct journal_place){.segment = j->segment, .offset = j->bytes + n};
		p->record.place.crc = journal_encode(
			p->record.sequence, p->record.time_ns, p->text, p->len, j->buf + n);
		n += bytes;
		*last = p;
	}
	for (size_t at = 0; at < n;) {
		ssize_t done = pwrite(j->fd, j->buf + at, n - at, (off_t)(j->bytes + at));
		if (done < 0 && errno != EINTR)
			return -errno;
		at += done > 0 ? (size_t)done : 0;
	}
	if (fdatasync(j->fd))
		return -errno;
	j->bytes += n;
	return 0;
}

static void deliver(struct journal *j, const struct pending *last)
{
	uint64_t sequence = last->record.sequence;
	pthread_mutex_lock(&j->lock);
	j->durable = sequence;
	for (struct pending *p = j->mine.head;; p = p->next) {
		j->backlog_bytes -= p->len;
		if (p == last)
			break;
	}
	pthread_cond_broadcast(&j->reached);
	pthread_mutex_unlock(&j->lock);
	if (j->options.synced)
		j->options.synced(j->options.synced_ctx, sequence);
	for (bool more = true; more;) {
		struct pending *p = j->mine.head;
		more = p != last;
		if (j->options.record)
			j->options.record(j->options.record_ctx, &p->record);
		j->mine.head = p->next;
		if (!p->next)
			j->mine.tail = &j->mine.head;
		pending_free(p);
	}
}

static void tell_trouble(struct journal *j, int error)
{
	if (error == j->error)
		return;
	uint64_t bytes, facts = journal_backlog(j, &bytes);
	if (error)
		log_error(journal, NULL, "write-failed",
			"dir=%s error=\"%s\" waiting=%" PRIu64 " bytes=%" PRIu64
			" hint=\"free or repair the disk; facts wait in memory and are tried again\"",
			j->dir, strerror(error), facts, bytes);
	else
		log_info(journal, NULL, "write-recovered", "dir=%s waiting=%" PRIu64, j->dir, facts);
	j->error = error;
	if (j->options.trouble)
		j->options.trouble(j->options.trouble_ctx, error);
}

/* After a failure. False when the journal is closing and has tried for long enough. */
static bool retry_later(struct journal *j, uint64_t *give_up_ns)
{
	pthread_mutex_lock(&j->lock);
	bool stop = j->stop;
	uint64_t left = j->appended - j->durable;
	pthread_mutex_unlock(&j->lock);
	if (stop && !*give_up_ns)
		*give_up_ns = clock_mono_ns() + CLOSE_MS * CLOCK_NS_PER_MS;
	if (stop && clock_mono_ns() >= *give_up_ns) {
		log_error(journal, NULL, "facts-lost",
			"dir=%s facts=%" PRIu64 " hint=\"the disk took nothing for %d ms\"", j->dir, left,
			CLOSE_MS);
		return false;
	}
	struct timespec pause = {.tv_nsec = RETRY_MS * 1000000l};
	nanosleep(&pause, NULL);
	return true;
}

static void *write_loop(void *arg)
{
	struct journal *j = arg;
	uint64_t give_up_ns = 0;
	pthread_setname_np(pthread_self(), "tg-journal");
	while (gather(j)) {
		struct pending *last = NULL;
		int e = write_group(j, &last);
		tell_trouble(j, -e);
		if (!e)
			deliver(j, last);
		else if (!retry_later(j, &give_up_ns))
			break;
	}
	return NULL;
}

static int lock_dir(struct journal *j, char *why, size_t n)
{
	char path[PATH_MAX];
	int e = file_make_dirs(j->dir);
	if (!e)
		e = file_sync_parent(j->dir);
	if (!e && snprintf(path, sizeof(path), "%s/lock", j->dir) >= (int)sizeof(path))
		e = -ENAMETOOLONG;
	if (e) {
		snprintf(why, n, "cannot make the journal's directory %s: %s", j->dir, strerror(-e));
		return e;
	}
	j->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
	if (j->lock_fd < 0) {
		e = -errno;
		snprintf(why, n, "cannot open %s: %s", path, strerror(-e));
		return e;
	}
	if (flock(j->lock_fd, LOCK_EX | LOCK_NB)) {
		snprintf(why, n, "another process writes the journal %s: stop it first", j->dir);
		return -EBUSY;
	}
	return 0;
}

static int open_segment(struct journal *j, char *why, size_t n)
{
	struct journal_sink sink = {.record = j->options.record, .ctx = j->options.record_ctx};
	struct journal_end end = {0};
	char path[PATH_MAX] = "";
	uint64_t begun = clock_mono_ns();
	int e = j->options.node ? journal_check_node(j->dir, j->options.node, why, n) : 0;
	if (!e && j->options.after) {
		e = journal_find_from(j->dir, j->options.after, &end);
		if (e)
			snprintf(why, n, "the journal %s no longer has record %" PRIu64 ": %s", j->dir,
				j->options.after->sequence, strerror(-e));
	}
	uint64_t before = end.sequence;
	uint32_t first = end.segment ? end.segment : 1;
	if (!e)
		e = journal_find_end(j->dir, &sink, &end, why, n);
	if (!e && end.damaged)
		e = journal_cut(j->dir, &end, why, n);
	if (e)
		return e;
	if (end.segment)
		log_info(journal, NULL, "read",
			"records=%" PRIu64 " segments=%" PRIu32 " ms=%" PRIu64 " after=%" PRIu64,
			end.sequence - before, end.segment - first + 1,
			(uint64_t)((clock_mono_ns() - begun) / CLOCK_NS_PER_MS), before);
	j->options.after = NULL; /* the caller's */
	j->appended = j->durable = end.sequence;
	j->segment = end.segment;
	j->bytes = end.bytes;
	if (!end.segment) {
		e = new_segment(j);
	} else {
		e = journal_segment_path(j->dir, end.segment, ".journal", path, sizeof(path));
		j->fd = e ? -1 : open(path, O_RDWR | O_CLOEXEC);
		/* A predecessor that was killed may have written what it could not sync. */
		if (!e && (j->fd < 0 || fsync(j->fd)))
			e = -errno;
	}
	if (e)
		snprintf(why, n, "cannot open the last segment of the journal %s: %s", j->dir, strerror(-e));
	return e;
}

static int start_writer(struct journal *j)
{
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int e = pthread_create(&j->writer, NULL, write_loop, j);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return -e;
}

static void init(struct journal *j, const struct journal_options *options)
{
	pthread_condattr_t attr;
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&j->wake, &attr);
	pthread_cond_init(&j->reached, &attr);
	pthread_condattr_destroy(&attr);
	pthread_mutex_init(&j->lock, NULL);
	queue_init(&j->arrived);
	queue_init(&j->mine);
	j->lock_fd = j->fd = -1;
	j->options = *options;
	if (!j->options.segment_bytes)
		j->options.segment_bytes = SEGMENT_BYTES;
	j->options.dir = j->dir;
}

static void destroy(struct journal *j)
{
	queue_take(&j->mine, &j->arrived);
	for (struct pending *p = j->mine.head, *next; p; p = next) {
		next = p->next;
		pending_free(p);
	}
	if (j->fd >= 0)
		close(j->fd);
	if (j->lock_fd >= 0)
		close(j->lock_fd);
	pthread_cond_destroy(&j->wake);
	pthread_cond_destroy(&j->reached);
	pthread_mutex_destroy(&j->lock);
	free(j->buf);
	free(j->dir);
	free(j);
}

int journal_open(struct journal **journal, const struct journal_options *options, char *why, size_t n)
{
	struct journal *j = calloc(1, sizeof(*j));
	char *dir = strdup(options->dir);
	if (!j || !dir) {
		snprintf(why, n, "out of memory");
		free(j);
		free(dir);
		return -ENOMEM;
	}
	j->dir = dir;
	init(j, options);
	int e = lock_dir(j, why, n);
	if (!e)
		e = open_segment(j, why, n);
	if (!e) {
		e = start_writer(j);
		if (e)
			snprintf(why, n, "cannot start the journal's writer: %s", strerror(-e));
	}
	if (e) {
		destroy(j);
		return e;
	}
	*journal = j;
	return 0;
}

void journal_close(struct journal *j)
{
	if (!j)
		return;
	pthread_mutex_lock(&j->lock);
	j->stop = true;
	pthread_cond_signal(&j->wake);
	pthread_mutex_unlock(&j->lock);
	pthread_join(j->writer, NULL);
	destroy(j);
}

uint64_t journal_appended(struct journal *j)
{
	pthread_mutex_lock(&j->lock);
	uint64_t sequence = j->appended;
	pthread_mutex_unlock(&j->lock);
	return sequence;
}

uint64_t journal_durable(struct journal *j)
{
	pthread_mutex_lock(&j->lock);
	uint64_t sequence = j->durable;
	pthread_mutex_unlock(&j->lock);
	return sequence;
}

uint64_t journal_backlog(struct journal *j, uint64_t *bytes)
{
	pthread_mutex_lock(&j->lock);
	uint64_t facts = j->appended - j->durable;
	if (bytes)
		*bytes = j->backlog_bytes;
	pthread_mutex_unlock(&j->lock);
	return facts;
}

int journal_wait(struct journal *j, uint64_t sequence, unsigned timeout_ms)
{
	struct timespec until = at_mono_ns(clock_mono_ns() + timeout_ms * CLOCK_NS_PER_MS);
	int e = 0;
	pthread_mutex_lock(&j->lock);
	while (j->durable < sequence && e != ETIMEDOUT)
		e = pthread_cond_timedwait(&j->reached, &j->lock, &until);
	bool there = j->durable >= sequence;
	pthread_mutex_unlock(&j->lock);
	return there ? 0 : -ETIMEDOUT;
}
