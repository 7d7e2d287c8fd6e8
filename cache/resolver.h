/* From a request to an item: a hit, somebody else's fetch that is under way, or a fetch, a decode and a new
 * item. One fetch per item, however many wait. */
#ifndef TG_CACHE_RESOLVER_H
#define TG_CACHE_RESOLVER_H

#include <stdbool.h>
#include <stdint.h>

#include "cache/counters.h"
#include "cache/error.h"
#include "cache/fetch.h"
#include "cache/recent_failure.h"
#include "cache/request.h"
#include "cache/store.h"
#include "cache/worker_pool.h"

/* Misses under way; more are refused. */
#define CACHE_JOBS_MAX 1024

struct cache_result {
	struct cache_failure failure; /* error CACHE_OK: there is an item */
	uint32_t item;                /* READY, or FILLING with some frames to play */
	bool hit;
};

/* Somebody who waits; embedded in its owner, which keeps it until it is answered. */
struct cache_waiter {
	struct cache_waiter *next;
	/* Exactly once; perhaps before cache_resolve() returns. The item stays during the call: whoever wants
	 * it longer pins it. */
	void (*answer)(struct cache_waiter *waiter, const struct cache_result *result);
	bool until_ready; /* not before it is complete */
};

struct cache_job;

/* All pointers are borrowed from the service. */
struct cache_resolver {
	const struct settings *settings;
	struct cache_store *store;
	struct cache_fetcher *fetcher;
	struct cache_pool *pool;
	struct cache_counters *counters;
	struct cache_recent_failures recent;
	struct cache_job *first;
	unsigned jobs;
};

/* Takes the request over in any case. */
void cache_resolve(
	struct cache_resolver *resolver, struct cache_request *request, struct cache_waiter *waiter);
/* Answers when a FILLING item is READY or has failed; -ENOENT: nobody is filling it, the waiter isn't taken.
 */
int cache_resolver_wait(struct cache_resolver *resolver, uint32_t item, struct cache_waiter *waiter);

/* Retries what waits for room, ends what has taken too long; every 10 ms while cache_resolver_waits(), else
 * every second. */
void cache_resolver_tick(struct cache_resolver *resolver, uint64_t now_ns);
bool cache_resolver_waits(const struct cache_resolver *resolver);
/* Fails everything that waits. */
void cache_resolver_stop(struct cache_resolver *resolver);

#endif
