/* One miss: fetching, decoding and storing one sound, and everybody who waits for it. */
#ifndef TG_CACHE_JOB_H
#define TG_CACHE_JOB_H

#include "cache/resolver.h"

/* Takes the request over; stale: an item to revalidate, or TG_NONE. Adds itself to the resolver, and leaves
 * it and is gone when it has answered everyone. Returns 0, or -errno with nothing taken. */
int cache_job_start(struct cache_resolver *resolver, struct cache_request *request, uint32_t stale,
	struct cache_job **job);
/* Answers at once if there is something to play. */
void cache_job_join(struct cache_job *job, struct cache_waiter *waiter);

struct cache_job *cache_job_next(const struct cache_job *job);
const uint8_t *cache_job_digest(const struct cache_job *job);
uint32_t cache_job_item(const struct cache_job *job); /* TG_NONE: none yet */
bool cache_job_waits(const struct cache_job *job);    /* for room in the arena */

/* May end the job. */
void cache_job_tick(struct cache_job *job, uint64_t now_ns);
/* Ends it. */
void cache_job_fail(struct cache_job *job, const struct cache_failure *failure);

#endif
