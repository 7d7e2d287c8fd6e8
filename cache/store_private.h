/* Inside of the store, for store.c, store_reclaim.c and store_rebuild.c only. */
#ifndef TG_CACHE_STORE_PRIVATE_H
#define TG_CACHE_STORE_PRIVATE_H

#include "cache/arena.h"
#include "cache/store.h"
#include "contract/region.h"

enum slot_phase {
	SLOT_FREE,
	SLOT_FILLING,
	SLOT_LIVE,    /* READY, found by its digest */
	SLOT_LEAVING, /* READY or BROKEN, retired as soon as nothing pins or names it */
	SLOT_GRACE_1, /* RETIRED; a worker may have looked before */
	SLOT_GRACE_2, /* RETIRED; nobody named it after the first grace period */
};

struct slot {
	enum slot_phase phase;
	bool keep;
	uint32_t next, prev; /* in the list of its phase: free, live (most recent first), leaving */
	uint32_t chain;      /* next of the same hash bucket: FILLING, LIVE, and LEAVING that is READY */
	bool chained;
	uint64_t grace;                     /* number of the grace period that must be over */
	uint8_t digest[CACHE_DIGEST_BYTES]; /* also of items that are not to be kept */
	char *etag, *last_modified, *shown;
};

struct list {
	uint32_t first, last, count;
};

struct cache_store {
	struct tg_region *region;
	struct cache_arena *arena;
	struct slot *slot;
	uint32_t slots;
	uint32_t *bucket, buckets;         /* a power of two */
	struct list unused, live, leaving; /* leaving: SLOT_LEAVING and both graces */
	uint64_t pending_bytes;            /* of RETIRED items */
	uint32_t pending_slots;
	uint32_t version_floor; /* highest version of any item that was forgotten */
	uint32_t boost;         /* how many to evict at the next try */
	uint64_t evictions;
	uint8_t *named; /* a bit per item: some leg names it */
	/* Grace periods follow one another; at most one runs. */
	uint64_t graces_over;
	bool grace_runs;
	uint64_t loops[TG_WORKERS_MAX];
};

void cache_list_push_front(struct cache_store *store, struct list *list, uint32_t i);
void cache_list_push_back(struct cache_store *store, struct list *list, uint32_t i);
void cache_list_remove(struct cache_store *store, struct list *list, uint32_t i);

void cache_store_chain(struct cache_store *store, uint32_t i);
void cache_store_unchain(struct cache_store *store, uint32_t i);
/* LIVE to LEAVING: a newer version has come, or it is not to be kept. */
void cache_store_supersede(struct cache_store *store, uint32_t i);
/* Fills store->named from all legs. */
void cache_store_scan_legs(struct cache_store *store);
/* Evicts until `bytes` and one slot could be free; returns how many items went. */
uint32_t cache_store_evict(struct cache_store *store, uint64_t bytes);
void cache_store_rebuild(struct cache_store *store, uint64_t now_ns);

#endif
