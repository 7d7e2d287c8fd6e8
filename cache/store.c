#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cache/store_private.h"

#define NS_PER_S 1000000000ull

static void link_between(struct cache_store *s, struct list *list, uint32_t i, uint32_t prev, uint32_t next)
{
	s->slot[i].prev = prev;
	s->slot[i].next = next;
	if (prev == TG_NONE)
		list->first = i;
	else
		s->slot[prev].next = i;
	if (next == TG_NONE)
		list->last = i;
	else
		s->slot[next].prev = i;
	list->count++;
}

void cache_list_push_front(struct cache_store *s, struct list *list, uint32_t i)
{
	link_between(s, list, i, TG_NONE, list->first);
}

void cache_list_push_back(struct cache_store *s, struct list *list, uint32_t i)
{
	link_between(s, list, i, list->last, TG_NONE);
}

void cache_list_remove(struct cache_store *s, struct list *list, uint32_t i)
{
	struct slot *x = &s->slot[i];
	if (x->prev == TG_NONE)
		list->first = x->next;
	else
		s->slot[x->prev].next = x->next;
	if (x->next == TG_NONE)
		list->last = x->prev;
	else
		s->slot[x->next].prev = x->prev;
	list->count--;
}

/* A digest is as good a hash as any. */
static uint32_t *bucket_of(const struct cache_store *s, const uint8_t *digest)
{
	uint32_t h;
	memcpy(&h, digest, sizeof(h));
	return &s->bucket[h & (s->buckets - 1)];
}

void cache_store_chain(struct cache_store *s, uint32_t i)
{
	uint32_t *b = bucket_of(s, s->slot[i].digest);
	s->slot[i].chain = *b;
	s->slot[i].chained = true;
	*b = i;
}

void cache_store_unchain(struct cache_store *s, uint32_t i)
{
	if (!s->slot[i].chained)
		return;
	uint32_t *at = bucket_of(s, s->slot[i].digest);
	while (*at != i)
		at = &s->slot[*at].chain;
	*at = s->slot[i].chain;
	s->slot[i].chained = false;
}

static bool same_digest(const struct cache_store *s, uint32_t i, const uint8_t *digest)
{
	return !memcmp(s->slot[i].digest, digest, CACHE_DIGEST_BYTES);
}

uint32_t cache_store_find(const struct cache_store *s, const uint8_t digest[CACHE_DIGEST_BYTES])
{
	for (uint32_t i = *bucket_of(s, digest); i != TG_NONE; i = s->slot[i].chain)
		if (s->slot[i].phase == SLOT_LIVE && same_digest(s, i, digest))
			return i;
	return TG_NONE;
}

uint32_t cache_store_find_version(
	const struct cache_store *s, const uint8_t digest[CACHE_DIGEST_BYTES], uint32_t version)
{
	for (uint32_t i = *bucket_of(s, digest); i != TG_NONE; i = s->slot[i].chain)
		if (same_digest(s, i, digest) && tg_region_media(s->region, i)->version == version)
			return i;
	return TG_NONE;
}

/* Never the same for two contents of one digest: above every version that is known, above all that were
 * forgotten if none is, and by the clock above those of a region that is gone. */
static uint32_t next_version(const struct cache_store *s, const uint8_t *digest, uint64_t now_ns)
{
	uint32_t last = 0, now_s = (uint32_t)(now_ns / NS_PER_S);
	for (uint32_t i = *bucket_of(s, digest); i != TG_NONE; i = s->slot[i].chain)
		if (same_digest(s, i, digest) && tg_region_media(s->region, i)->version > last)
			last = tg_region_media(s->region, i)->version;
	if (last < s->version_floor)
		last = s->version_floor;
	return last >= now_s ? last + 1 : now_s;
}

static int make_room(
	struct cache_store *s, const struct cache_store_ask *ask, uint64_t bytes, uint64_t *offset)
{
	if (cache_arena_round(bytes) > cache_arena_bytes(s->arena))
		return -ENOSPC;
	/* What has left and is held by nobody makes room before anything else goes. */
	if (s->leaving.count)
		cache_store_tick(s, ask->now_ns);
	/* With no worker running, what is evicted is free after one tick. */
	for (uint32_t gone = 1;;) {
		if (s->unused.count && !cache_arena_alloc(s->arena, bytes, offset)) {
			s->boost = 1;
			return 0;
		}
		if (!gone)
			break;
		gone = cache_store_evict(s, bytes);
		cache_store_tick(s, ask->now_ns);
	}
	return s->pending_slots ? -EAGAIN : -ENOSPC;
}

int cache_store_begin(struct cache_store *s, const struct cache_store_ask *ask, uint32_t *item)
{
	uint64_t bytes = (uint64_t)ask->frames * CACHE_FRAME_BYTES, offset;
	int e = make_room(s, ask, bytes, &offset);
	if (e)
		return e;
	uint32_t i = s->unused.first;
	cache_list_remove(s, &s->unused, i);
	struct slot *x = &s->slot[i];
	struct tg_media_item *m = tg_region_media(s->region, i);
	memcpy(x->digest, ask->digest, CACHE_DIGEST_BYTES);
	x->keep = ask->keep;
	x->phase = SLOT_FILLING;
	/* A worker that still holds the old generation refuses it from here on. */
	uint32_t generation = atomic_load_explicit(&m->generation, memory_order_relaxed) + 1;
	atomic_store_explicit(&m->generation, generation ? generation : 1, memory_order_release);
	atomic_store_explicit(&m->frames_ready, 0, memory_order_release);
	m->frame_bytes = CACHE_FRAME_BYTES;
	m->frame_ms = CACHE_PTIME;
	m->codec = ask->codec;
	m->offset = offset;
	m->bytes = cache_arena_round(bytes);
	if (ask->keep)
		memcpy(m->digest, ask->digest, CACHE_DIGEST_BYTES);
	else
		memset(m->digest, 0, CACHE_DIGEST_BYTES);
	m->version = next_version(s, ask->digest, ask->now_ns);
	m->made_ns = ask->now_ns;
	atomic_store_explicit(&m->pins, 1, memory_order_relaxed);
	atomic_store_explicit(&m->hits, 0, memory_order_relaxed);
	atomic_store_explicit(&m->fresh_ns, 0, memory_order_relaxed);
	atomic_store_explicit(&m->state, TG_MEDIA_FILLING, memory_order_release);
	cache_store_chain(s, i);
	*item = i;
	return 0;
}

void cache_store_append(struct cache_store *s, uint32_t i, const uint8_t *payload, uint32_t frames)
{
	struct tg_media_item *m = tg_region_media(s->region, i);
	uint32_t have = atomic_load_explicit(&m->frames_ready, memory_order_relaxed);
	uint64_t at = (uint64_t)have * CACHE_FRAME_BYTES, n = (uint64_t)frames * CACHE_FRAME_BYTES;
	if (s->slot[i].phase != SLOT_FILLING || at + n > m->bytes)
		return;
	memcpy(tg_region_arena(s->region) + m->offset + at, payload, n);
	atomic_store_explicit(&m->frames_ready, have + frames, memory_order_release);
}

const uint8_t *cache_store_digest(const struct cache_store *s, uint32_t i)
{
	return s->slot[i].digest;
}

uint32_t cache_store_frames_ready(const struct cache_store *s, uint32_t i)
{
	return atomic_load_explicit(&tg_region_media(s->region, i)->frames_ready, memory_order_relaxed);
}

static void replace_text(char **to, const char *from)
{
	if (!from)
		return;
	free(*to);
	*to = strdup(from); /* without it the item is fetched whole the next time */
}

void cache_store_renew(struct cache_store *s, uint32_t i, const struct cache_origin *o)
{
	replace_text(&s->slot[i].etag, o->etag);
	replace_text(&s->slot[i].last_modified, o->last_modified);
	replace_text(&s->slot[i].shown, o->shown);
	atomic_store_explicit(&tg_region_media(s->region, i)->fresh_ns, o->fresh_ns, memory_order_relaxed);
}

struct cache_origin cache_store_origin(const struct cache_store *s, uint32_t i)
{
	const struct slot *x = &s->slot[i];
	return (struct cache_origin){x->etag, x->last_modified, x->shown,
		atomic_load_explicit(&tg_region_media(s->region, i)->fresh_ns, memory_order_relaxed)};
}

void cache_store_supersede(struct cache_store *s, uint32_t i)
{
	if (s->slot[i].phase == SLOT_LIVE)
		cache_list_remove(s, &s->live, i);
	s->slot[i].phase = SLOT_LEAVING;
	cache_list_push_back(s, &s->leaving, i);
}

void cache_store_ready(struct cache_store *s, uint32_t i, const struct cache_origin *o)
{
	uint32_t old = cache_store_find(s, s->slot[i].digest);
	cache_store_renew(s, i, o);
	atomic_store_explicit(&tg_region_media(s->region, i)->state, TG_MEDIA_READY, memory_order_release);
	if (!s->slot[i].keep) {
		cache_store_supersede(s, i);
		return;
	}
	if (old != TG_NONE)
		cache_store_supersede(s, old);
	s->slot[i].phase = SLOT_LIVE;
	cache_list_push_front(s, &s->live, i);
}

void cache_store_break(struct cache_store *s, uint32_t i)
{
	atomic_store_explicit(&tg_region_media(s->region, i)->state, TG_MEDIA_BROKEN, memory_order_release);
	cache_store_unchain(s, i);
	cache_store_supersede(s, i);
}

void cache_store_pin(struct cache_store *s, uint32_t i)
{
	struct tg_media_item *m = tg_region_media(s->region, i);
	uint32_t pins = atomic_load_explicit(&m->pins, memory_order_relaxed);
	atomic_store_explicit(&m->pins, pins + 1, memory_order_relaxed);
}

void cache_store_unpin(struct cache_store *s, uint32_t i)
{
	struct tg_media_item *m = tg_region_media(s->region, i);
	uint32_t pins = atomic_load_explicit(&m->pins, memory_order_relaxed);
	if (pins)
		atomic_store_explicit(&m->pins, pins - 1, memory_order_relaxed);
}

void cache_store_touch(struct cache_store *s, uint32_t i)
{
	struct tg_media_item *m = tg_region_media(s->region, i);
	uint64_t hits = atomic_load_explicit(&m->hits, memory_order_relaxed);
	atomic_store_explicit(&m->hits, hits + 1, memory_order_relaxed);
	if (s->slot[i].phase != SLOT_LIVE)
		return;
	cache_list_remove(s, &s->live, i);
	cache_list_push_front(s, &s->live, i);
}

bool cache_store_waits(const struct cache_store *s)
{
	return s->pending_slots > 0;
}

struct cache_store_figures cache_store_figures(const struct cache_store *s)
{
	return (struct cache_store_figures){
		.items = s->slots,
		.items_used = s->slots - s->unused.count,
		.items_ready = s->live.count,
		.items_retiring = s->leaving.count,
		.bytes = cache_arena_bytes(s->arena),
		.bytes_used = cache_arena_bytes(s->arena) - cache_arena_bytes_free(s->arena),
		.largest_hole = cache_arena_largest(s->arena),
		.evictions = s->evictions,
	};
}

uint64_t cache_store_now_ns(const struct cache_store *s)
{
	return tg_timebase_now(tg_region_timebase(s->region));
}

int cache_store_open(struct cache_store **store, struct tg_region *region, uint64_t now_ns)
{
	const struct tg_capacity *cap = tg_region_capacity(region);
	struct cache_store *s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	s->region = region;
	s->slots = cap->media_items;
	s->boost = 1;
	s->unused = s->live = s->leaving = (struct list){TG_NONE, TG_NONE, 0};
	for (s->buckets = 1; s->buckets < s->slots && s->buckets < 1u << 24;)
		s->buckets *= 2;
	s->slot = calloc(s->slots, sizeof(*s->slot));
	s->bucket = malloc(s->buckets * sizeof(*s->bucket));
	s->named = calloc(1, s->slots / 8 + 1);
	if (!s->slot || !s->bucket || !s->named || cache_arena_open(&s->arena, cap->arena_bytes, s->slots)) {
		cache_store_close(s);
		return -ENOMEM;
	}
	memset(s->bucket, 0xff, s->buckets * sizeof(*s->bucket)); /* TG_NONE */
	cache_store_rebuild(s, now_ns);
	*store = s;
	return 0;
}

void cache_store_close(struct cache_store *s)
{
	if (!s)
		return;
	for (uint32_t i = 0; s->slot && i < s->slots; i++) {
		free(s->slot[i].etag);
		free(s->slot[i].last_modified);
		free(s->slot[i].shown);
	}
	cache_arena_close(s->arena);
	free(s->named);
	free(s->bucket);
	free(s->slot);
	free(s);
}
