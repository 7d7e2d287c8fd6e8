#include "cache/recent_failure.h"

#include <string.h>

static int is_ours(enum cache_error error)
{
	return error == CACHE_ERROR_ARENA_FULL || error == CACHE_ERROR_BUSY ||
	       error == CACHE_ERROR_INTERNAL || error == CACHE_ERROR_STOPPING;
}

void cache_failure_remember(struct cache_recent_failures *r, const uint8_t digest[CACHE_DIGEST_BYTES],
	const struct cache_failure *failure, uint64_t now_ns)
{
	if (is_ours(failure->error))
		return;
	unsigned at = r->next++ % CACHE_FAILURES_KEPT;
	memcpy(r->entry[at].digest, digest, CACHE_DIGEST_BYTES);
	r->entry[at].end_ns = now_ns + CACHE_FAILURE_NS;
	r->entry[at].failure = *failure;
}

const struct cache_failure *cache_failure_recall(
	const struct cache_recent_failures *r, const uint8_t digest[CACHE_DIGEST_BYTES], uint64_t now_ns)
{
	for (unsigned i = 0; i < CACHE_FAILURES_KEPT; i++)
		if (r->entry[i].end_ns > now_ns && !memcmp(r->entry[i].digest, digest, CACHE_DIGEST_BYTES))
			return &r->entry[i].failure;
	return NULL;
}
