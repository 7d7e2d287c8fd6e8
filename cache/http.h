/* The HTTP interface of the media layer, on a listening socket, inside the service's loop.
 *
 *   GET /v1/media?source=&codec=&ptime=&account=   resolve: the item and a lease on it
 *   GET /v1/media                                  what there is
 *   GET /v1/media/stats                            counters
 *   GET /v1/media/<digest>[/<version>].<codec>     the frames themselves
 *   DELETE /v1/leases/<id>                         ends a lease
 *
 * Every failure is JSON: error (error.def), origin_status, sentence. */
#ifndef TG_CACHE_HTTP_H
#define TG_CACHE_HTTP_H

#include "cache/lease.h"
#include "cache/loop.h"
#include "cache/resolver.h"

struct tg_region;
struct cache_http;

struct cache_http_parts {
	struct tg_region *region;
	struct cache_loop *loop;
	struct cache_resolver *resolver;
	struct cache_leases *leases;
	struct cache_counters *counters;
};

/* Takes the socket over. The parts must live longer. Returns 0 or -errno. */
int cache_http_open(struct cache_http **http, const struct cache_http_parts *parts, int listen_fd);
/* The resolver must have answered everyone. */
void cache_http_close(struct cache_http *http);
/* Milliseconds after which cache_http_run() is due, -1: when the loop says so. */
int cache_http_timeout_ms(const struct cache_http *http);
/* After every turn of the loop: requests that were answered in it go out at once. */
void cache_http_run(struct cache_http *http);

#endif
