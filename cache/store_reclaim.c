#include <stdlib.h>
#include <string.h>

#include "cache/store_private.h"

/* A worker whose clock stood still for so long isn't running. */
#define WORKER_DEAD_NS 10000000000ull
#define GRACE_LOOPS    2

static void name_item(struct cache_store *s, uint32_t item, uint32_t generation)
{
	if (item >= s->slots)
		return;
	const struct tg_media_item *m = tg_region_media(s->region, item);
	if (atomic_load_explicit(&m->generation, memory_order_relaxed) == generation)
		s->named[item / 8] |= (uint8_t)(1u << item % 8);
}

/* Workers write egress records without atomics; a torn look is looked at again after the grace period. */
void cache_store_scan_legs(struct cache_store *s)
{
	memset(s->named, 0, s->slots / 8 + 1);
	for (uint32_t leg = 0, n = tg_region_legs(s->region); leg < n; leg++) {
		struct tg_egress *e = tg_region_egress(s->region, leg);
		if (atomic_load_explicit(&e->generation, memory_order_acquire) &&
			__atomic_load_n(&e->source, __ATOMIC_RELAXED) == TG_SOURCE_PLAY)
			name_item(s, __atomic_load_n(&e->item, __ATOMIC_RELAXED),
				__atomic_load_n(&e->item_generation, __ATOMIC_RELAXED));
		struct tg_desired *d = tg_region_desired(s->region, leg);
		if (__atomic_load_n(&d->generation, __ATOMIC_ACQUIRE) &&
			__atomic_load_n(&d->source.kind, __ATOMIC_RELAXED) == TG_SOURCE_PLAY)
			name_item(s, __atomic_load_n(&d->source.peer, __ATOMIC_RELAXED),
				__atomic_load_n(&d->source.generation, __ATOMIC_RELAXED));
	}
}

static bool is_held(const struct cache_store *s, uint32_t i)
{
	return (s->named[i / 8] & 1u << i % 8) ||
	       atomic_load_explicit(&tg_region_media(s->region, i)->pins, memory_order_relaxed);
}

/* A grace period that began before now doesn't count. */
static uint64_t grace_from_now(const struct cache_store *s)
{
	return s->graces_over + (s->grace_runs ? 2 : 1);
}

static void retire(struct cache_store *s, uint32_t i)
{
	struct tg_media_item *m = tg_region_media(s->region, i);
	atomic_store_explicit(&m->state, TG_MEDIA_RETIRED, memory_order_release);
	cache_store_unchain(s, i);
	if (m->version > s->version_floor)
		s->version_floor = m->version;
	s->slot[i].phase = SLOT_GRACE_1;
	s->slot[i].grace = grace_from_now(s);
	s->pending_bytes += m->bytes;
	s->pending_slots++;
}

static void set_free(struct cache_store *s, uint32_t i)
{
	struct tg_media_item *m = tg_region_media(s->region, i);
	struct slot *x = &s->slot[i];
	cache_arena_free(s->arena, m->offset, m->bytes);
	s->pending_bytes -= m->bytes;
	s->pending_slots--;
	atomic_store_explicit(&m->frames_ready, 0, memory_order_relaxed);
	atomic_store_explicit(&m->state, TG_MEDIA_FREE, memory_order_release);
	free(x->etag);
	free(x->last_modified);
	free(x->shown);
	x->etag = x->last_modified = x->shown = NULL;
	x->phase = SLOT_FREE;
	cache_list_remove(s, &s->leaving, i);
	cache_list_push_back(s, &s->unused, i);
}

static bool worker_passed(const struct cache_store *s, uint32_t w, uint64_t now_ns)
{
	struct tg_worker_stats *st = tg_region_stats(s->region, w);
	uint64_t alive = atomic_load_explicit(&st->alive_ns, memory_order_acquire);
	if (!alive || (alive < now_ns && now_ns - alive > WORKER_DEAD_NS))
		return true;
	/* A worker that was started anew counts on from what is there; one that began at 0 has passed too. */
	uint64_t loops = atomic_load_explicit(&st->loops, memory_order_acquire);
	return loops < s->loops[w] || loops - s->loops[w] >= GRACE_LOOPS;
}

static void advance_grace(struct cache_store *s, uint64_t now_ns)
{
	if (!s->grace_runs)
		return;
	for (uint32_t w = 0; w < tg_region_capacity(s->region)->workers; w++)
		if (!worker_passed(s, w, now_ns))
			return;
	s->grace_runs = false;
	s->graces_over++;
}

static void start_grace(struct cache_store *s)
{
	if (s->grace_runs)
		return;
	/* What was written before is seen by every loop that is counted from here on. */
	atomic_thread_fence(memory_order_seq_cst);
	for (uint32_t w = 0; w < tg_region_capacity(s->region)->workers; w++)
		s->loops[w] = atomic_load_explicit(
			&tg_region_stats(s->region, w)->loops, memory_order_acquire);
	s->grace_runs = true;
}

/* Returns true if an item waits for a grace period now. */
static bool move_on(struct cache_store *s)
{
	bool waits = false;
	if (s->leaving.count)
		cache_store_scan_legs(s);
	for (uint32_t i = s->leaving.first, next; i != TG_NONE; i = next) {
		struct slot *x = &s->slot[i];
		next = x->next;
		if (x->phase == SLOT_LEAVING && !is_held(s, i)) {
			retire(s, i);
		} else if (x->phase == SLOT_GRACE_1 && x->grace <= s->graces_over) {
			/* A leg that took it just before it was retired keeps it until it is done with it. */
			if (is_held(s, i))
				continue;
			x->phase = SLOT_GRACE_2;
			x->grace = grace_from_now(s);
		} else if (x->phase == SLOT_GRACE_2 && x->grace <= s->graces_over) {
			set_free(s, i);
			continue;
		}
		waits |= x->phase != SLOT_LEAVING;
	}
	return waits;
}

void cache_store_tick(struct cache_store *s, uint64_t now_ns)
{
	/* Two graces and the end; with no worker running each is over at once. */
	for (int round = 0; round < 4; round++) {
		uint64_t over = s->graces_over;
		advance_grace(s, now_ns);
		if (move_on(s))
			start_grace(s);
		else if (!s->grace_runs)
			return;
		advance_grace(s, now_ns);
		if (round && over == s->graces_over)
			return;
	}
}

static bool could_fit(const struct cache_store *s, uint64_t bytes)
{
	return s->pending_bytes + cache_arena_bytes_free(s->arena) >= bytes &&
	       s->pending_slots + s->unused.count > 0;
}

/* Would it fit if everything went that may go? If not, nothing needs to go. */
static bool is_hopeless(const struct cache_store *s, uint64_t bytes)
{
	uint64_t sum = s->pending_bytes + cache_arena_bytes_free(s->arena);
	uint32_t slots = s->pending_slots + s->unused.count;
	for (uint32_t i = s->live.last; i != TG_NONE && (sum < bytes || !slots); i = s->slot[i].prev) {
		if (is_held(s, i))
			continue;
		sum += tg_region_media(s->region, i)->bytes;
		slots++;
	}
	return sum < bytes || !slots;
}

/* Never more at once than is needed; where that was enough in sum but not in one piece, each further try
 * takes twice as many. */
uint32_t cache_store_evict(struct cache_store *s, uint64_t bytes)
{
	uint32_t gone = 0, least = 0;
	if (could_fit(s, bytes)) {
		if (s->pending_slots)
			return 0;
		least = s->boost;
		if (s->boost < s->slots)
			s->boost *= 2;
	}
	cache_store_scan_legs(s);
	if (is_hopeless(s, bytes))
		return 0;
	for (uint32_t i = s->live.last, prev; i != TG_NONE; i = prev) {
		prev = s->slot[i].prev;
		if (gone >= least && could_fit(s, bytes))
			break;
		if (is_held(s, i))
			continue;
		cache_store_supersede(s, i);
		retire(s, i);
		gone++;
	}
	s->evictions += gone;
	return gone;
}
