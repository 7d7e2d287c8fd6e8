/* What is in an open region, and where. */
#include <unistd.h>

#include "contract/region_private.h"

bool tg_region_created(const struct tg_region *r)
{
	return r->created;
}

const char *tg_region_moved_aside(const struct tg_region *r)
{
	return r->moved[0] ? r->moved : NULL;
}

bool tg_region_on_huge_pages(const struct tg_region *r)
{
	return r->huge;
}

const struct tg_capacity *tg_region_capacity(const struct tg_region *r)
{
	return &r->capacity;
}

uint64_t tg_region_id(const struct tg_region *r)
{
	return r->id;
}

uint32_t tg_region_legs(const struct tg_region *r)
{
	return tg_capacity_legs(&r->capacity);
}

static void *row(const struct tg_region *r, enum tg_part part, uint32_t index, size_t bytes)
{
	return r->base + r->part[part].offset + (size_t)index * bytes;
}

struct tg_desired *tg_region_desired(const struct tg_region *r, uint32_t leg)
{
	return row(r, TG_PART_DESIRED, leg, sizeof(struct tg_desired));
}

struct tg_ingress *tg_region_ingress(const struct tg_region *r, uint32_t leg)
{
	return row(r, TG_PART_INGRESS, leg, sizeof(struct tg_ingress));
}

struct tg_egress *tg_region_egress(const struct tg_region *r, uint32_t leg)
{
	return row(r, TG_PART_EGRESS, leg, sizeof(struct tg_egress));
}

struct tg_outage *tg_region_outage(const struct tg_region *r, uint32_t leg)
{
	return row(r, TG_PART_OUTAGE, leg, sizeof(struct tg_outage));
}

struct tg_quality *tg_region_quality(const struct tg_region *r, uint32_t leg)
{
	return row(r, TG_PART_QUALITY, leg, sizeof(struct tg_quality));
}

struct tg_leg_ipv6 *tg_region_ipv6(const struct tg_region *r, uint32_t leg)
{
	return r->capacity.ipv6_addresses ? row(r, TG_PART_IPV6, leg, sizeof(struct tg_leg_ipv6)) : NULL;
}

struct tg_media_item *tg_region_media(const struct tg_region *r, uint32_t item)
{
	return row(r, TG_PART_MEDIA, item, sizeof(struct tg_media_item));
}

uint8_t *tg_region_arena(const struct tg_region *r)
{
	return row(r, TG_PART_ARENA, 0, 0);
}

struct tg_next_hop *tg_region_next_hops(const struct tg_region *r, uint32_t worker)
{
	return row(r, TG_PART_NEXT_HOPS, worker * TG_NEXT_HOPS, sizeof(struct tg_next_hop));
}

struct tg_worker_stats *tg_region_stats(const struct tg_region *r, uint32_t worker)
{
	return row(r, TG_PART_STATS, worker, sizeof(struct tg_worker_stats));
}

struct tg_timebase *tg_region_timebase(const struct tg_region *r)
{
	return &r->header->timebase;
}

const struct tg_ring *tg_region_commands(const struct tg_region *r, uint32_t worker)
{
	return &r->commands[worker];
}

const struct tg_ring *tg_region_events(const struct tg_region *r, uint32_t worker)
{
	return &r->events[worker];
}

const struct tg_ring *tg_region_meters(const struct tg_region *r, uint32_t worker)
{
	return &r->meters[worker];
}

uint32_t tg_region_next_generation(const struct tg_region *r)
{
	uint32_t next = atomic_load_explicit(&r->header->generation, memory_order_relaxed) + 1;
	if (next == 0) /* 0 means free */
		next = 1;
	atomic_store_explicit(&r->header->generation, next, memory_order_relaxed);
	return next;
}

void tg_region_beat(const struct tg_region *r, enum tg_role role, uint64_t utc_ns)
{
	atomic_store_explicit(&r->header->beat[role].pid, (uint32_t)getpid(), memory_order_relaxed);
	atomic_store_explicit(&r->header->beat[role].utc_ns, utc_ns, memory_order_release);
}

uint64_t tg_region_last_beat(const struct tg_region *r, enum tg_role role, int *pid)
{
	uint64_t ns = atomic_load_explicit(&r->header->beat[role].utc_ns, memory_order_acquire);
	*pid = (int)atomic_load_explicit(&r->header->beat[role].pid, memory_order_relaxed);
	return ns;
}
