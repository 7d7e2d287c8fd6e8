/* Media workers: children that each turn one body into frames, some at a time, the others wait in order.
 *
 * A child is trusted with nothing: what it writes is checked (worker_record.h), it is killed when it takes
 * too long, and however it ends, its client hears of it once. */
#ifndef TG_CACHE_WORKER_POOL_H
#define TG_CACHE_WORKER_POOL_H

#include <stdint.h>

#include "cache/counters.h"
#include "cache/loop.h"
#include "cache/worker_record.h"

struct settings;
struct cache_pool;
struct cache_run;

struct cache_run_client {
	/* A record BEGIN or FRAMES. Returns 0, or -EAGAIN: not now, offer it again after cache_run_resume().
	 */
	int (*record)(void *arg, const struct cache_record *record);
	/* The end: error CACHE_OK after END. The run is no longer the client's. */
	void (*done)(void *arg, const struct cache_failure *result);
	void *arg;
};

struct cache_run_ask {
	int body_fd; /* sealed memfd; taken over in any case */
	uint8_t codec;
	struct cache_body_type type;
	struct cache_run_client client;
};

/* The settings, loop and counters must live longer. -ENOENT: the worker's program is not there (why). */
int cache_pool_open(struct cache_pool **pool, const struct settings *settings, struct cache_loop *loop,
	struct cache_counters *counters);
/* Kills and reaps all, without telling the clients. */
void cache_pool_close(struct cache_pool *pool);

/* The client is told from the loop, never from inside. Returns 0 or -ENOMEM. */
int cache_run_start(struct cache_pool *pool, const struct cache_run_ask *ask, struct cache_run **run);
void cache_run_resume(struct cache_run *run);
/* Kills it; the client is not told. */
void cache_run_cancel(struct cache_run *run);

/* Kills what has run too long; every 100 ms while cache_pool_busy(). */
void cache_pool_tick(struct cache_pool *pool, uint64_t now_ns);
unsigned cache_pool_busy(const struct cache_pool *pool);

#endif
