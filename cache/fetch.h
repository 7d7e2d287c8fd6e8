/* Fetching sources over HTTP, many at a time, in the loop's thread.
 *
 * Every connection's address is checked when its socket is opened, after name resolution, so that neither a
 * redirect nor a name that changes its address leads to where the settings don't allow. Redirects are
 * followed by hand, at most CACHE_REDIRECTS_MAX, never from https to http. No HEAD, no proxy, no cookies, no
 * compression. The body goes into a memfd, as far as the limits allow. */
#ifndef TG_CACHE_FETCH_H
#define TG_CACHE_FETCH_H

#include <stdbool.h>
#include <stdint.h>

#include "cache/counters.h"
#include "cache/error.h"
#include "cache/freshness.h"
#include "cache/loop.h"
#include "cache/source.h"

#define CACHE_REDIRECTS_MAX   10
#define CACHE_CONNECTIONS_MAX 64

struct settings;
struct cache_fetcher;
struct cache_fetch;

/* What came back; valid during the callback. */
struct cache_fetched {
	struct cache_failure failure; /* error CACHE_OK: success */
	bool not_modified;            /* 304: no body */
	int body_fd;                  /* memfd, sealed; the callback may take it and set it to -1 */
	uint64_t bytes;
	const char *uri;                                 /* that the body came from, after redirects */
	const char *content_type, *etag, *last_modified; /* NULL: absent */
	struct cache_answer_fields fields;
};

struct cache_fetch_ask {
	const struct cache_source *source;
	const char *etag, *last_modified; /* to revalidate with; NULL: none */
	void (*done)(void *arg, struct cache_fetched *fetched);
	void *arg;
};

/* The settings, loop and counters must live longer. Returns 0 or -ENOMEM. */
int cache_fetcher_open(struct cache_fetcher **fetcher, const struct settings *settings,
	struct cache_loop *loop, struct cache_counters *counters);
/* Ends all fetches without their callbacks. */
void cache_fetcher_close(struct cache_fetcher *fetcher);
/* Monotonic ns at which cache_fetcher_run() wants to be called; UINT64_MAX: not before a descriptor is ready.
 */
uint64_t cache_fetcher_deadline_ns(const struct cache_fetcher *fetcher);
void cache_fetcher_run(struct cache_fetcher *fetcher);

/* done is called exactly once, later, from the loop; after that the fetch is gone. Returns 0, -ENOMEM or
 * -errno. */
int cache_fetch_start(
	struct cache_fetcher *fetcher, const struct cache_fetch_ask *ask, struct cache_fetch **fetch);
/* Without callback. */
void cache_fetch_cancel(struct cache_fetch *fetch);

#endif
