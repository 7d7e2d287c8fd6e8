/* Failures of the last moments: an origin that fails is not asked again for each of a thousand calls. */
#ifndef TG_CACHE_RECENT_FAILURE_H
#define TG_CACHE_RECENT_FAILURE_H

#include <stdint.h>

#include "cache/error.h"
#include "cache/request.h"

#define CACHE_FAILURE_NS    2000000000ull
#define CACHE_FAILURES_KEPT 64

struct cache_recent_failures {
	struct {
		uint8_t digest[CACHE_DIGEST_BYTES];
		uint64_t end_ns;
		struct cache_failure failure;
	} entry[CACHE_FAILURES_KEPT];
	unsigned next;
};

/* now_ns: monotonic. Remembers only what the origin or the sound is to blame for. */
void cache_failure_remember(struct cache_recent_failures *recent, const uint8_t digest[CACHE_DIGEST_BYTES],
	const struct cache_failure *failure, uint64_t now_ns);
/* NULL: none, or no longer. */
const struct cache_failure *cache_failure_recall(const struct cache_recent_failures *recent,
	const uint8_t digest[CACHE_DIGEST_BYTES], uint64_t now_ns);

#endif
