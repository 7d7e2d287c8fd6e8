#include "cache/arena.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct hole {
	uint64_t offset, bytes;
};

/* Holes, sorted by offset, never touching one another: something taken lies between any two, so that there
 * are at most one more than ranges taken. */
struct cache_arena {
	struct hole *hole;
	size_t holes;
	uint64_t bytes, bytes_free;
};

int cache_arena_open(struct cache_arena **arena, uint64_t bytes, uint32_t ranges)
{
	struct cache_arena *a = calloc(1, sizeof(*a));
	if (!a)
		return -ENOMEM;
	a->hole = calloc((size_t)ranges + 2, sizeof(*a->hole));
	if (!a->hole) {
		free(a);
		return -ENOMEM;
	}
	a->bytes = a->bytes_free = bytes / CACHE_BLOCK_BYTES * CACHE_BLOCK_BYTES;
	if (a->bytes)
		a->hole[a->holes++] = (struct hole){0, a->bytes};
	*arena = a;
	return 0;
}

void cache_arena_close(struct cache_arena *a)
{
	if (!a)
		return;
	free(a->hole);
	free(a);
}

uint64_t cache_arena_round(uint64_t bytes)
{
	if (bytes > UINT64_MAX - CACHE_BLOCK_BYTES)
		return UINT64_MAX / CACHE_BLOCK_BYTES * CACHE_BLOCK_BYTES;
	return (bytes + CACHE_BLOCK_BYTES - 1) / CACHE_BLOCK_BYTES * CACHE_BLOCK_BYTES;
}

static void insert(struct cache_arena *a, size_t at, struct hole h)
{
	memmove(&a->hole[at + 1], &a->hole[at], (a->holes - at) * sizeof(h));
	a->hole[at] = h;
	a->holes++;
}

static void drop(struct cache_arena *a, size_t at)
{
	memmove(&a->hole[at], &a->hole[at + 1], (a->holes - at - 1) * sizeof(a->hole[0]));
	a->holes--;
}

/* First hole that ends behind offset. */
static size_t find(const struct cache_arena *a, uint64_t offset)
{
	size_t lo = 0, hi = a->holes;
	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		if (a->hole[mid].offset + a->hole[mid].bytes <= offset)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* Takes a range out of hole number `at`, which holds it whole. */
static void take(struct cache_arena *a, size_t at, uint64_t offset, uint64_t bytes)
{
	struct hole *h = &a->hole[at];
	uint64_t end = h->offset + h->bytes, behind = end - (offset + bytes);
	if (offset > h->offset) {
		h->bytes = offset - h->offset;
		if (behind)
			insert(a, at + 1, (struct hole){offset + bytes, behind});
	} else if (behind) {
		*h = (struct hole){offset + bytes, behind};
	} else {
		drop(a, at);
	}
	a->bytes_free -= bytes;
}

int cache_arena_alloc(struct cache_arena *a, uint64_t bytes, uint64_t *offset)
{
	bytes = cache_arena_round(bytes ? bytes : 1);
	for (size_t i = 0; i < a->holes; i++) {
		if (a->hole[i].bytes < bytes)
			continue;
		*offset = a->hole[i].offset;
		take(a, i, *offset, bytes);
		return 0;
	}
	return -ENOSPC;
}

int cache_arena_claim(struct cache_arena *a, uint64_t offset, uint64_t bytes)
{
	if (!bytes || offset % CACHE_BLOCK_BYTES || bytes > a->bytes || offset > a->bytes - bytes)
		return -EINVAL;
	bytes = cache_arena_round(bytes);
	size_t at = find(a, offset);
	if (at == a->holes || a->hole[at].offset > offset ||
		a->hole[at].offset + a->hole[at].bytes < offset + bytes)
		return -EINVAL;
	take(a, at, offset, bytes);
	return 0;
}

void cache_arena_free(struct cache_arena *a, uint64_t offset, uint64_t bytes)
{
	bytes = cache_arena_round(bytes);
	if (!bytes)
		return;
	size_t at = find(a, offset);
	struct hole *before = at ? &a->hole[at - 1] : NULL;
	struct hole *after = at < a->holes ? &a->hole[at] : NULL;
	int joins_before = before && before->offset + before->bytes == offset;
	int joins_after = after && after->offset == offset + bytes;
	if (joins_before) {
		before->bytes += bytes;
		if (joins_after) {
			before->bytes += after->bytes;
			drop(a, at);
		}
	} else if (joins_after) {
		after->offset = offset;
		after->bytes += bytes;
	} else {
		insert(a, at, (struct hole){offset, bytes});
	}
	a->bytes_free += bytes;
}

uint64_t cache_arena_bytes(const struct cache_arena *a)
{
	return a->bytes;
}

uint64_t cache_arena_bytes_free(const struct cache_arena *a)
{
	return a->bytes_free;
}

uint64_t cache_arena_largest(const struct cache_arena *a)
{
	uint64_t most = 0;
	for (size_t i = 0; i < a->holes; i++)
		if (a->hole[i].bytes > most)
			most = a->hole[i].bytes;
	return most;
}
