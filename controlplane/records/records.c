#include "controlplane/records/records.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "controlplane/journal/checkpoint.h"

struct records {
	struct records_options options;
	struct cdr_projector *cdr;
	struct recovery *recovery;
	bool live;
	/* The newest good checkpoint and the one before it; sequence 0: there is none. */
	struct journal_mark newest, before;
	bool named;               /* the newest is the file CHECKPOINT_NAME, not the one before */
	struct journal_mark last; /* the last record that was fed */
	uint64_t since;           /* records since the newest */
	bool due;                 /* a segment has begun since */
	/* A checkpoint that is being written. */
	bool writing;
	_Atomic bool written;
	pthread_t writer;
	struct pack file;
	struct journal_mark of;
	uint64_t pack_us;
	int error;
};

/* --- loading ----------------------------------------------------------------------------------------- */

static void close_parts(struct records *r)
{
	cdr_projector_close(r->cdr);
	recovery_destroy(r->recovery);
	r->cdr = NULL;
	r->recovery = NULL;
}

static int open_parts(struct records *r, char *why, size_t n)
{
	int e = recovery_create(&r->recovery);
	if (e)
		snprintf(why, n, "out of memory");
	else
		e = cdr_projector_open(&r->cdr, r->options.cdr_dir, why, n);
	return e;
}

static int load_parts(struct records *r, struct checkpoint *c, char *why, size_t n)
{
	int e = cdr_projector_load(r->cdr, &c->rest);
	if (!e)
		e = recovery_load(r->recovery, &c->rest);
	if (!e && c->rest.at != c->rest.end)
		e = -EBADMSG;
	if (e == -ESTALE)
		snprintf(why, n, "position.json says that other CDR files were handed out up to there");
	else if (e == -EBADMSG)
		snprintf(why, n, "it can't be read");
	else if (e)
		snprintf(why, n, "%s", strerror(-e));
	return e;
}

/* That it is of this journal; and the journal of this node, whose first segment may be elsewhere. */
static int check(const struct records *r, const struct checkpoint *c, char *why, size_t n)
{
	int e = journal_find(r->options.journal_dir, &c->mark);
	if (e) {
		snprintf(why, n, "the journal does not have record %" PRIu64 " as it was", c->mark.sequence);
		return e == -EPROTO ? -EBADMSG : e;
	}
	if (!strcmp(c->node, r->options.node))
		return 0;
	snprintf(why, n,
		"the journal %s is node \"%.128s\"'s, the settings name node \"%.128s\": put node.name back, "
		"or "
		"give this node a node.state_dir of its own",
		r->options.journal_dir, c->node, r->options.node);
	return -EPROTO;
}

/* Returns 0 when the parts are what the checkpoint says, else they are to be closed; -EPROTO with a sentence
 * in why when no start may be made. */
static int load(struct records *r, const char *name, char *why, size_t n)
{
	struct checkpoint c;
	uint64_t begun = clock_mono_ns();
	int e = checkpoint_read(&c, r->options.journal_dir, name, why, n);
	if (e == -ENOENT)
		return e;
	if (!e)
		e = check(r, &c, why, n);
	if (!e)
		e = load_parts(r, &c, why, n);
	if (e)
		log_warn(journal, NULL, "checkpoint-not-used", "file=%s reason=%s", name, log_quote(why));
	else
		log_info(journal, NULL, "checkpoint-used",
			"file=%s sequence=%" PRIu64 " segment=%" PRIu32 " ms=%" PRIu64, name, c.mark.sequence,
			c.mark.place.segment, (uint64_t)((clock_mono_ns() - begun) / CLOCK_NS_PER_MS));
	if (!e)
		r->newest = c.mark;
	checkpoint_release(&c);
	return e;
}

int records_open(struct records **records, const struct records_options *options, char *why, size_t n)
{
	struct records *r = calloc(1, sizeof(*r));
	if (!r) {
		snprintf(why, n, "out of memory");
		return -ENOMEM;
	}
	static const char *const names[] = {CHECKPOINT_NAME, CHECKPOINT_BEFORE};
	r->options = *options;
	int e = open_parts(r, why, n);
	for (size_t i = 0; i < 2 && !e && !r->newest.sequence; i++) {
		int not_used = load(r, names[i], why, n);
		r->named = !not_used && i == 0;
		if (!not_used)
			break;
		close_parts(r);
		if (not_used != -EPROTO)
			*why = '\0';
		e = not_used == -EPROTO ? -EPROTO : open_parts(r, why, n);
	}
	if (e) {
		records_close(r);
		return e;
	}
	if (!r->named)
		r->before = r->newest;
	*records = r;
	return 0;
}

const struct journal_mark *records_mark(const struct records *r)
{
	return r->newest.sequence ? &r->newest : NULL;
}

/* --- writing ----------------------------------------------------------------------------------------- */

/* For whoever archives segments. */
static void say_written(const struct records *r, uint64_t ms)
{
	const struct journal_mark *before = r->named ? &r->newest : &r->before;
	if (r->error)
		log_warn(journal, NULL, "checkpoint-not-written",
			"error=\"%s\" effect=\"a start reads more of the journal\"", strerror(-r->error));
	else
		log_info(journal, NULL, "checkpoint-written",
			"sequence=%" PRIu64 " segment=%" PRIu32 " needed_from=%" PRIu32
			" bytes=%zu pack_us=%" PRIu64 " write_ms=%" PRIu64,
			r->of.sequence, r->of.place.segment, before->sequence ? before->place.segment : 1,
			r->file.len, r->pack_us, ms);
}

/* Nothing that it looks at is touched by others before `written`. */
static void *write_file(void *arg)
{
	struct records *r = arg;
	uint64_t begun = clock_mono_ns();
	r->error = checkpoint_write(r->options.journal_dir, &r->file, r->named);
	say_written(r, (clock_mono_ns() - begun) / CLOCK_NS_PER_MS);
	atomic_store_explicit(&r->written, true, memory_order_release);
	return NULL;
}

static void finish_writing(struct records *r)
{
	if (!r->error) {
		if (r->named)
			r->before = r->newest;
		r->newest = r->of;
		r->named = true;
	}
	free(r->file.data);
	r->file = (struct pack){0};
	r->writing = false;
}

static void pack_file(struct records *r)
{
	uint64_t begun = clock_mono_ns();
	checkpoint_begin(&r->file, r->options.node, &r->last);
	cdr_projector_save(r->cdr, &r->file);
	recovery_save(r->recovery, &r->file);
	r->of = r->last;
	r->pack_us = (clock_mono_ns() - begun) / 1000;
	r->since = 0;
	r->due = false;
}

static bool can_save(const struct records *r)
{
	return r->live && r->last.place.segment && recovery_is_whole(r->recovery) &&
	       cdr_projector_can_save(r->cdr);
}

static void begin_writing(struct records *r)
{
	pack_file(r);
	atomic_store(&r->written, false);
	r->writing = true;
	int e = pthread_create(&r->writer, NULL, write_file, r);
	if (e) {
		r->error = -e;
		say_written(r, 0);
		finish_writing(r);
	}
}

void records_feed(struct records *r, const struct journal_record *record)
{
	recovery_feed(r->recovery, record);
	cdr_projector_feed(r->cdr, record);
	r->due = r->due || (r->last.place.segment && record->place.segment != r->last.place.segment);
	r->last = (struct journal_mark){
		.sequence = record->sequence, .time_ns = record->time_ns, .place = record->place};
	r->since++;
	if (r->writing && atomic_load_explicit(&r->written, memory_order_acquire)) {
		pthread_join(r->writer, NULL);
		finish_writing(r);
	}
	if (!r->writing && (r->due || r->since >= r->options.every) && can_save(r))
		begin_writing(r);
}

static int copy_usage(const struct records *r, struct usage **usage)
{
	struct pack p = {0};
	int e = usage_create(usage);
	usage_save(cdr_projector_usage(r->cdr), &p);
	struct unpack u = {.at = p.data, .end = p.data + p.len};
	if (!e)
		e = p.failed ? -ENOMEM : usage_load(*usage, &u);
	free(p.data);
	return e;
}

static int copy_recovery(const struct records *r, struct recovery **recovery)
{
	struct pack p = {0};
	int e = recovery_create(recovery);
	recovery_save(r->recovery, &p);
	struct unpack u = {.at = p.data, .end = p.data + p.len};
	if (!e)
		e = p.failed ? -ENOMEM : recovery_load(*recovery, &u);
	free(p.data);
	return e;
}

int records_replayed(struct records *r, struct usage **usage, struct recovery **recovery)
{
	cdr_projector_replayed(r->cdr);
	if (!recovery_is_whole(r->recovery) || cdr_projector_trouble(r->cdr) == ENOMEM)
		return -ENOMEM;
	int e = copy_usage(r, usage);
	if (!e)
		e = copy_recovery(r, recovery);
	r->live = !e;
	return e;
}

struct cdr_open_rows records_open_rows(struct records *r)
{
	return cdr_projector_open_rows(r->cdr);
}

void records_close(struct records *r)
{
	if (!r)
		return;
	if (r->writing) {
		pthread_join(r->writer, NULL);
		finish_writing(r);
	}
	if (r->since && can_save(r)) {
		pack_file(r);
		r->writing = true;
		write_file(r);
		finish_writing(r);
	}
	close_parts(r);
	free(r);
}
