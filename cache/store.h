/* The media table and the arena: which sounds there are, where, and when their memory may be used again.
 *
 * A slot of the table goes FREE -> FILLING -> READY -> RETIRED -> FREE, or FILLING -> BROKEN -> RETIRED. It
 * leaves READY when it is evicted (least recently used first), superseded by a newer version or not to be
 * kept; always only while it has no pin and no leg names it. RETIRED, it waits until every running worker has
 * passed two poll loops (no worker that looked before can still be about to use it), is checked against the
 * legs again, waits for two more loops, and is free.
 *
 * Only the media layer's thread calls this. Nothing is shared with the dataplane but the table itself. */
#ifndef TG_CACHE_STORE_H
#define TG_CACHE_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "cache/request.h"

struct cache_store;
struct tg_region;

/* Rebuilds the index from the region's table: READY items are found again, what a predecessor left FILLING is
 * broken. Returns 0 or -ENOMEM. */
int cache_store_open(struct cache_store **store, struct tg_region *region, uint64_t now_ns);
/* The region's clock, which workers give their signs of life by and which nobody steps. */
uint64_t cache_store_now_ns(const struct cache_store *store);
/* The items stay in the region. */
void cache_store_close(struct cache_store *store);

/* The current READY item of a digest, or TG_NONE. */
uint32_t cache_store_find(const struct cache_store *store, const uint8_t digest[CACHE_DIGEST_BYTES]);
/* One version of it, READY or still FILLING, or TG_NONE. */
uint32_t cache_store_find_version(
	const struct cache_store *store, const uint8_t digest[CACHE_DIGEST_BYTES], uint32_t version);

struct cache_store_ask {
	const uint8_t *digest;
	uint8_t codec;
	bool keep;       /* false: for whoever waits for it now, never to be found again */
	uint32_t frames; /* exact */
	uint64_t now_ns; /* by the region's clock, as every time here */
};
/* A new FILLING slot, pinned once for the caller. -EAGAIN: items are being evicted for it, ask again soon;
 * -ENOSPC: the arena or the table is too small, or all of it is in use; -ENOMEM. */
int cache_store_begin(struct cache_store *store, const struct cache_store_ask *ask, uint32_t *item);
/* Appends frames to a FILLING item and shows them to the workers. */
void cache_store_append(struct cache_store *store, uint32_t item, const uint8_t *payload, uint32_t frames);

/* Also of an item that is not to be kept, whose digest isn't in the table. */
const uint8_t *cache_store_digest(const struct cache_store *store, uint32_t item);
uint32_t cache_store_frames_ready(const struct cache_store *store, uint32_t item);

/* What the origin said about a sound; texts are copied. */
struct cache_origin {
	const char *etag, *last_modified, *shown; /* may be NULL */
	uint64_t fresh_ns;                        /* UTC until which it is fresh */
};
/* FILLING to READY; the current one of its digest from now on, if it is to be kept. */
void cache_store_ready(struct cache_store *store, uint32_t item, const struct cache_origin *origin);
/* FILLING to BROKEN. */
void cache_store_break(struct cache_store *store, uint32_t item);
/* New facts about a READY item: after a revalidation. NULL texts keep the old ones. */
void cache_store_renew(struct cache_store *store, uint32_t item, const struct cache_origin *origin);
/* The texts are the store's, valid until the next call; all NULL for an item found at start. */
struct cache_origin cache_store_origin(const struct cache_store *store, uint32_t item);

void cache_store_pin(struct cache_store *store, uint32_t item);
void cache_store_unpin(struct cache_store *store, uint32_t item);
/* Counts a hit and makes the item the most recently used. */
void cache_store_touch(struct cache_store *store, uint32_t item);

/* Moves retired items on; every some ms while cache_store_waits(), else now and then. */
void cache_store_tick(struct cache_store *store, uint64_t now_ns);
bool cache_store_waits(const struct cache_store *store);

struct cache_store_figures {
	uint32_t items, items_used, items_ready, items_retiring;
	uint64_t bytes, bytes_used, largest_hole, evictions;
};
struct cache_store_figures cache_store_figures(const struct cache_store *store);

#endif
