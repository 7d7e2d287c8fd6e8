#include "cache/job.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "cache/hint.h"
#include "contract/region.h"
#include "settings/settings.h"

/* How long evicted items may take to become free memory. */
#define ROOM_WAIT_NS (3 * CLOCK_NS_PER_S)
/* For a place among the workers, beyond their own time. */
#define QUEUE_WAIT_S 30

struct cache_job {
	struct cache_job *prev, *next;
	struct cache_resolver *resolver;
	struct cache_request request;
	struct cache_waiter *waiters;
	struct cache_fetch *fetch;
	struct cache_run *run;
	uint32_t stale;                         /* pinned while its origin is asked, or TG_NONE */
	uint32_t item;                          /* being filled, pinned, or TG_NONE */
	uint64_t deadline_ns, room_deadline_ns; /* room: 0: doesn't wait for any */
	bool keep;
	uint64_t fresh_ns;
	char *etag, *last_modified;
	/* A sound whose length is known only at its end is collected here first. */
	uint8_t *frames;
	uint32_t frame_count, frame_room;
	struct cache_failure failure; /* ours, that made us end the worker */
};

static uint32_t frames_ready(const struct cache_job *j)
{
	struct cache_store *s = j->resolver->store;
	return j->item == TG_NONE ? 0 : cache_store_frames_ready(s, j->item);
}

static void answer(struct cache_job *j, const struct cache_result *result, bool complete)
{
	struct cache_waiter **at = &j->waiters;
	while (*at) {
		struct cache_waiter *w = *at;
		if (w->until_ready && !complete) {
			at = &w->next;
			continue;
		}
		*at = w->next;
		w->answer(w, result);
	}
}

static void job_end(struct cache_job *j)
{
	struct cache_resolver *r = j->resolver;
	if (j->fetch)
		cache_fetch_cancel(j->fetch);
	if (j->run)
		cache_run_cancel(j->run);
	if (j->stale != TG_NONE)
		cache_store_unpin(r->store, j->stale);
	if (j->item != TG_NONE)
		cache_store_unpin(r->store, j->item);
	if (j->prev)
		j->prev->next = j->next;
	else
		r->first = j->next;
	if (j->next)
		j->next->prev = j->prev;
	r->jobs--;
	cache_request_free(&j->request);
	free(j->etag);
	free(j->last_modified);
	free(j->frames);
	free(j);
}

static void succeed(struct cache_job *j, uint32_t item, bool hit)
{
	answer(j, &(struct cache_result){.item = item, .hit = hit}, true);
	job_end(j);
}

void cache_job_fail(struct cache_job *j, const struct cache_failure *failure)
{
	struct cache_resolver *r = j->resolver;
	log_warn(cache, NULL, "source-failed", "source=%s error=%s what=%s",
		log_quote(j->request.source.shown), cache_error_name(failure->error),
		log_quote(failure->sentence));
	cache_failure_remember(&r->recent, j->request.digest, failure, clock_mono_ns());
	if (j->item != TG_NONE)
		cache_store_break(r->store, j->item);
	answer(j, &(struct cache_result){.failure = *failure, .item = TG_NONE}, true);
	job_end(j);
}

static void fail(struct cache_job *j, enum cache_error error, const char *sentence)
{
	struct cache_failure f;
	cache_fail(&f, error, sentence ? "%s" : NULL, sentence);
	cache_job_fail(j, &f);
}

/* A place for the item. -EAGAIN: it is being made; otherwise j->failure says why not. */
static int begin(struct cache_job *j, uint32_t frames)
{
	uint64_t now = clock_mono_ns();
	struct cache_store_ask ask = {.digest = j->request.digest,
		.codec = j->request.codec,
		.keep = j->keep,
		.frames = frames,
		.now_ns = cache_store_now_ns(j->resolver->store)};
	int e = cache_store_begin(j->resolver->store, &ask, &j->item);
	if (e == -EAGAIN && (!j->room_deadline_ns || now < j->room_deadline_ns)) {
		if (!j->room_deadline_ns)
			j->room_deadline_ns = now + ROOM_WAIT_NS;
		return e;
	}
	j->room_deadline_ns = 0;
	if (!e)
		return 0;
	j->item = TG_NONE;
	if (e == -ENOMEM)
		cache_fail(&j->failure, CACHE_ERROR_INTERNAL, NULL);
	else
		cache_fail(&j->failure, CACHE_ERROR_ARENA_FULL,
			"no room for %u frames: the rest of the arena or table is in use (media.arena_mib, "
			"media.items)",
			frames);
	return -ENOSPC;
}

static int collect(struct cache_job *j, const uint8_t *payload, uint32_t n)
{
	if (j->frame_count + n > j->frame_room) {
		uint32_t room = 2 * j->frame_room + n + 100;
		uint8_t *more = realloc(j->frames, (size_t)room * CACHE_FRAME_BYTES);
		if (!more) {
			cache_fail(&j->failure, CACHE_ERROR_INTERNAL, NULL);
			return -ENOMEM;
		}
		j->frames = more;
		j->frame_room = room;
	}
	memcpy(j->frames + (size_t)j->frame_count * CACHE_FRAME_BYTES, payload,
		(size_t)n * CACHE_FRAME_BYTES);
	j->frame_count += n;
	return 0;
}

static int on_record(void *arg, const struct cache_record *record)
{
	struct cache_job *j = arg;
	struct cache_resolver *r = j->resolver;
	if (record->kind == CACHE_RECORD_BEGIN)
		return record->frames ? begin(j, record->frames) : 0;
	if (j->item == TG_NONE)
		return collect(j, record->payload, record->frames);
	cache_store_append(r->store, j->item, record->payload, record->frames);
	r->counters->frames_made += record->frames;
	answer(j, &(struct cache_result){.item = j->item}, false);
	return 0;
}

static void complete(struct cache_job *j)
{
	struct cache_origin o = {j->etag, j->last_modified, j->request.source.shown, j->fresh_ns};
	cache_store_ready(j->resolver->store, j->item, &o);
	succeed(j, j->item, false);
}

/* The whole sound was collected; now it needs its place. */
static void store_collected(struct cache_job *j)
{
	int e = begin(j, j->frame_count);
	if (e == -EAGAIN)
		return;
	if (e) {
		cache_job_fail(j, &j->failure);
		return;
	}
	cache_store_append(j->resolver->store, j->item, j->frames, j->frame_count);
	j->resolver->counters->frames_made += j->frame_count;
	complete(j);
}

static void on_done(void *arg, const struct cache_failure *result)
{
	struct cache_job *j = arg;
	j->run = NULL;
	if (j->failure.error)
		cache_job_fail(j, &j->failure);
	else if (result->error)
		cache_job_fail(j, result);
	else if (j->item == TG_NONE)
		store_collected(j);
	else
		complete(j);
}

static void revalidated(struct cache_job *j, const struct cache_fetched *f, struct cache_freshness fresh)
{
	struct cache_resolver *r = j->resolver;
	struct cache_origin o = {.etag = f->etag,
		.last_modified = f->last_modified,
		.shown = j->request.source.shown,
		.fresh_ns = cache_store_now_ns(r->store) + fresh.fresh_s * CLOCK_NS_PER_S};
	r->counters->revalidated++;
	cache_store_renew(r->store, j->stale, &o);
	cache_store_touch(r->store, j->stale);
	succeed(j, j->stale, true);
}

static int take_body(struct cache_job *j, struct cache_fetched *f, struct cache_freshness fresh)
{
	j->keep = fresh.keep;
	j->fresh_ns = cache_store_now_ns(j->resolver->store) + fresh.fresh_s * CLOCK_NS_PER_S;
	j->etag = f->etag ? strdup(f->etag) : NULL;
	j->last_modified = f->last_modified ? strdup(f->last_modified) : NULL;
	struct cache_run_ask ask = {.body_fd = f->body_fd,
		.codec = j->request.codec,
		.type = cache_type_hint(f->content_type, f->uri),
		.client = {on_record, on_done, j}};
	f->body_fd = -1;
	return cache_run_start(j->resolver->pool, &ask, &j->run);
}

static void on_fetched(void *arg, struct cache_fetched *f)
{
	struct cache_job *j = arg;
	j->fetch = NULL;
	if (f->failure.error) {
		cache_job_fail(j, &f->failure);
		return;
	}
	struct cache_freshness fresh = cache_freshness(&f->fields, !j->request.source.credentials,
		(int64_t)(clock_utc_ns() / CLOCK_NS_PER_S),
		(uint32_t)j->resolver->settings->cache.fresh_seconds);
	if (f->not_modified && j->stale != TG_NONE)
		revalidated(j, f, fresh);
	else if (take_body(j, f, fresh))
		fail(j, CACHE_ERROR_INTERNAL, "the media worker could not be started");
}

int cache_job_start(
	struct cache_resolver *r, struct cache_request *request, uint32_t stale, struct cache_job **job)
{
	struct cache_job *j = calloc(1, sizeof(*j));
	if (!j)
		return -ENOMEM;
	j->resolver = r;
	j->stale = stale;
	j->item = TG_NONE;
	const struct settings *s = r->settings;
	j->deadline_ns = clock_mono_ns() + (uint64_t)s->cache.fetch_ms * CLOCK_NS_PER_MS +
			 (uint64_t)(s->cache.worker_seconds + QUEUE_WAIT_S) * CLOCK_NS_PER_S;
	struct cache_origin origin = {0};
	if (stale != TG_NONE)
		origin = cache_store_origin(r->store, stale);
	struct cache_fetch_ask ask = {.source = &request->source,
		.etag = origin.etag,
		.last_modified = origin.last_modified,
		.done = on_fetched,
		.arg = j};
	int e = cache_fetch_start(r->fetcher, &ask, &j->fetch);
	if (e) {
		free(j);
		return e;
	}
	if (stale != TG_NONE)
		cache_store_pin(r->store, stale);
	j->request = *request;
	*request = (struct cache_request){0};
	j->next = r->first;
	if (j->next)
		j->next->prev = j;
	r->first = j;
	r->jobs++;
	*job = j;
	return 0;
}

void cache_job_join(struct cache_job *j, struct cache_waiter *w)
{
	if (frames_ready(j) && !w->until_ready) {
		w->answer(w, &(struct cache_result){.item = j->item});
		return;
	}
	w->next = j->waiters;
	j->waiters = w;
}

struct cache_job *cache_job_next(const struct cache_job *j)
{
	return j->next;
}

const uint8_t *cache_job_digest(const struct cache_job *j)
{
	return j->request.digest;
}

uint32_t cache_job_item(const struct cache_job *j)
{
	return j->item;
}

bool cache_job_waits(const struct cache_job *j)
{
	return j->room_deadline_ns != 0;
}

void cache_job_tick(struct cache_job *j, uint64_t now_ns)
{
	if (now_ns >= j->deadline_ns)
		fail(j, CACHE_ERROR_BUSY, "the sound waited too long for a media worker");
	else if (j->room_deadline_ns && j->run)
		cache_run_resume(j->run);
	else if (j->room_deadline_ns)
		store_collected(j);
}
