/* Inside of fetching: fetcher.c (libcurl's descriptors and timers in our loop) and fetch.c (one fetch). */
#ifndef TG_CACHE_FETCH_PRIVATE_H
#define TG_CACHE_FETCH_PRIVATE_H

#include <curl/curl.h>

#include "cache/fetch.h"

struct cache_fetcher {
	const struct settings *settings;
	struct cache_loop *loop;
	struct cache_counters *counters;
	CURLM *multi;
	uint64_t deadline_ns;      /* of libcurl's timer */
	struct cache_fetch *first; /* all that run */
};

/* A transfer has ended; by fetcher.c. */
void cache_fetch_ended(struct cache_fetch *fetch, CURLcode result);

#endif
