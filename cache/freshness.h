/* How long a fetched sound may be served without asking its origin: the part of RFC 9111 that is done.
 *
 * Done: Cache-Control max-age, s-maxage, no-store, no-cache, private (sections 4.2.1, 5.2.2), Expires against
 * Date (5.3), Age (4.2.3, by the header alone). Not done: heuristics from Last-Modified (the settings'
 * default is used), Vary, and serving stale (RFC 5861). Pure. */
#ifndef TG_CACHE_FRESHNESS_H
#define TG_CACHE_FRESHNESS_H

#include <stdbool.h>
#include <stdint.h>

/* Longest freshness that is believed, in seconds: a year. */
#define CACHE_FRESH_MAX_S 31536000

/* Header fields of the answer; NULL: absent. Repeated Cache-Control fields are joined by ",". */
struct cache_answer_fields {
	const char *cache_control, *expires, *date, *age;
};

struct cache_freshness {
	bool keep;        /* false: for those who waited for it only, never for another request */
	uint32_t fresh_s; /* from now; 0: ask the origin every time */
};

/* shared: the item is not scoped to one account. now_s: UTC. default_s: where the origin says nothing. */
struct cache_freshness cache_freshness(
	const struct cache_answer_fields *fields, bool shared, int64_t now_s, uint32_t default_s);

#endif
