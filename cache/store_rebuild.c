#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "cache/freshness.h"
#include "cache/store_private.h"

/* Versions are seconds of the clock, or one more than the last (store.c): none is further ahead than so. One
 * that is would make all that come after it wrap around. */
#define VERSION_AHEAD (1u << 24)

static bool has_version(const struct tg_media_item *m, uint64_t now_ns)
{
	return m->version && m->version <= now_ns / CLOCK_NS_PER_S + VERSION_AHEAD;
}

/* What was fresh for longer than any origin may say would never be asked for again. */
static bool is_fresh_too_long(const struct tg_media_item *m, uint64_t now_ns)
{
	return atomic_load_explicit(&m->fresh_ns, memory_order_relaxed) >
	       now_ns + CACHE_FRESH_MAX_S * CLOCK_NS_PER_S;
}

/* Can the table's word be believed? Somebody else's bug, or a kill at the wrong moment, must not hand one
 * piece of memory to two items. */
static bool is_sound(struct cache_store *s, const struct tg_media_item *m, uint64_t now_ns)
{
	uint64_t frames = atomic_load_explicit(&m->frames_ready, memory_order_acquire);
	return m->frame_bytes == CACHE_FRAME_BYTES && m->frame_ms == CACHE_PTIME &&
	       (m->codec == TG_CODEC_PCMU || m->codec == TG_CODEC_PCMA) &&
	       atomic_load_explicit(&m->generation, memory_order_relaxed) && has_version(m, now_ns) &&
	       !is_fresh_too_long(m, now_ns) && m->bytes % CACHE_BLOCK_BYTES == 0 &&
	       frames * CACHE_FRAME_BYTES <= m->bytes && !cache_arena_claim(s->arena, m->offset, m->bytes);
}

static bool has_digest(const struct tg_media_item *m)
{
	static const uint8_t none[CACHE_DIGEST_BYTES];
	return memcmp(m->digest, none, sizeof(none)) != 0;
}

static void take_ready(struct cache_store *s, uint32_t i)
{
	struct tg_media_item *m = tg_region_media(s->region, i);
	memcpy(s->slot[i].digest, m->digest, CACHE_DIGEST_BYTES);
	cache_store_chain(s, i);
	uint32_t other = cache_store_find(s, m->digest);
	if (!has_digest(m)) {
		cache_store_supersede(s, i);
		return;
	}
	s->slot[i].keep = true;
	s->slot[i].phase = SLOT_LIVE;
	cache_list_push_front(s, &s->live, i);
	if (other != TG_NONE)
		cache_store_supersede(s, tg_region_media(s->region, other)->version > m->version ? i : other);
}

static void take(struct cache_store *s, uint32_t i, uint64_t now_ns, uint32_t *broken)
{
	struct tg_media_item *m = tg_region_media(s->region, i);
	uint32_t state = atomic_load_explicit(&m->state, memory_order_acquire);
	if (has_version(m, now_ns) && m->version > s->version_floor)
		s->version_floor = m->version;
	if (state == TG_MEDIA_FREE) {
		cache_list_push_back(s, &s->unused, i);
		return;
	}
	/* Leases ended with the process that gave them; what plays is named by its leg. */
	atomic_store_explicit(&m->pins, 0, memory_order_relaxed);
	bool sound = is_sound(s, m, now_ns);
	if (sound && state == TG_MEDIA_READY &&
		atomic_load_explicit(&m->frames_ready, memory_order_relaxed)) {
		take_ready(s, i);
		return;
	}
	if (!sound)
		m->bytes = m->version = 0; /* not ours to give back, nor to count on from */
	if (state != TG_MEDIA_RETIRED || !sound) {
		atomic_store_explicit(&m->state, TG_MEDIA_BROKEN, memory_order_release);
		(*broken)++;
	}
	cache_store_supersede(s, i);
}

void cache_store_rebuild(struct cache_store *s, uint64_t now_ns)
{
	uint32_t broken = 0;
	for (uint32_t i = 0; i < s->slots; i++)
		take(s, i, now_ns, &broken);
	cache_store_tick(s, now_ns);
	if (broken)
		log_warn(cache, NULL, "items-broken",
			"count=%u what=\"unfinished or damaged items of a predecessor were given up\"",
			broken);
}
