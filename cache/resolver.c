#include "cache/resolver.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "cache/job.h"
#include "contract/region.h"

static struct cache_job *find_job(const struct cache_resolver *r, const uint8_t *digest)
{
	struct cache_job *j = r->first;
	while (j && memcmp(cache_job_digest(j), digest, CACHE_DIGEST_BYTES))
		j = cache_job_next(j);
	return j;
}

static void refuse(struct cache_waiter *w, enum cache_error error)
{
	struct cache_result result = {.item = TG_NONE};
	cache_fail(&result.failure, error, NULL);
	w->answer(w, &result);
}

static void miss(
	struct cache_resolver *r, struct cache_request *request, uint32_t stale, struct cache_waiter *w)
{
	r->counters->misses++;
	struct cache_job *job = find_job(r, request->digest);
	const struct cache_failure *known = NULL;
	if (job) {
		r->counters->joined++;
		cache_job_join(job, w);
		return;
	}
	known = cache_failure_recall(&r->recent, request->digest, clock_mono_ns());
	if (known) {
		r->counters->failures_recalled++;
		w->answer(w, &(struct cache_result){.failure = *known, .item = TG_NONE});
	} else if (r->jobs >= CACHE_JOBS_MAX) {
		refuse(w, CACHE_ERROR_BUSY);
	} else if (cache_job_start(r, request, stale, &job)) {
		refuse(w, CACHE_ERROR_INTERNAL);
	} else {
		cache_job_join(job, w);
	}
}

void cache_resolve(struct cache_resolver *r, struct cache_request *request, struct cache_waiter *w)
{
	uint32_t item = cache_store_find(r->store, request->digest);
	if (item != TG_NONE && cache_store_origin(r->store, item).fresh_ns > cache_store_now_ns(r->store)) {
		r->counters->hits++;
		cache_store_touch(r->store, item);
		w->answer(w, &(struct cache_result){.item = item, .hit = true});
	} else {
		miss(r, request, item, w);
	}
	cache_request_free(request);
}

int cache_resolver_wait(struct cache_resolver *r, uint32_t item, struct cache_waiter *w)
{
	for (struct cache_job *j = r->first; j; j = cache_job_next(j)) {
		if (cache_job_item(j) != item)
			continue;
		cache_job_join(j, w);
		return 0;
	}
	return -ENOENT;
}

void cache_resolver_tick(struct cache_resolver *r, uint64_t now_ns)
{
	for (struct cache_job *j = r->first, *next; j; j = next) {
		next = cache_job_next(j);
		cache_job_tick(j, now_ns);
	}
}

bool cache_resolver_waits(const struct cache_resolver *r)
{
	for (struct cache_job *j = r->first; j; j = cache_job_next(j))
		if (cache_job_waits(j))
			return true;
	return false;
}

void cache_resolver_stop(struct cache_resolver *r)
{
	struct cache_failure f;
	cache_fail(&f, CACHE_ERROR_STOPPING, NULL);
	while (r->first)
		cache_job_fail(r->first, &f);
}
