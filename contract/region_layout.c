#include "contract/region_layout.h"

#include <string.h>

#define PAGE_BYTES (2ull << 20)

const char *const tg_struct_name[TG_STRUCTS] = {
#define SHARED(type) #type,
	TG_SHARED_STRUCTS(SHARED)
#undef SHARED
};

static const uint32_t struct_bytes[TG_STRUCTS] = {
#define SHARED(type) sizeof(struct type),
	TG_SHARED_STRUCTS(SHARED)
#undef SHARED
};

static uint64_t round_up(uint64_t n, uint64_t to)
{
	return (n + to - 1) / to * to;
}

/* A ring takes whole cache lines, so that the next one is aligned. */
static uint64_t ring_bytes(enum tg_part part)
{
	int64_t n = part == TG_PART_COMMANDS ? tg_ring_size(TG_COMMAND_RING, sizeof(struct tg_command))
		    : part == TG_PART_EVENTS ? tg_ring_size(TG_EVENT_RING, sizeof(struct tg_event))
					     : tg_ring_size(TG_METER_RING, sizeof(struct tg_meter_record));
	return round_up((uint64_t)n, TG_CACHE_LINE);
}

static uint64_t part_bytes(enum tg_part part, const struct tg_capacity *cap)
{
	uint64_t legs = tg_capacity_legs(cap), workers = cap->workers;
	switch (part) {
	case TG_PART_STATS:
		return workers * sizeof(struct tg_worker_stats);
	case TG_PART_NEXT_HOPS:
		return workers * TG_NEXT_HOPS * sizeof(struct tg_next_hop);
	case TG_PART_COMMANDS:
	case TG_PART_EVENTS:
	case TG_PART_METERS:
		return workers * ring_bytes(part);
	case TG_PART_DESIRED:
		return legs * sizeof(struct tg_desired);
	case TG_PART_EGRESS:
		return legs * sizeof(struct tg_egress);
	case TG_PART_INGRESS:
		return legs * sizeof(struct tg_ingress);
	case TG_PART_OUTAGE:
		return legs * sizeof(struct tg_outage);
	case TG_PART_QUALITY:
		return legs * sizeof(struct tg_quality);
	case TG_PART_IPV6:
		return cap->ipv6_addresses ? legs * sizeof(struct tg_leg_ipv6) : 0;
	case TG_PART_MEDIA:
		return (uint64_t)cap->media_items * sizeof(struct tg_media_item);
	case TG_PART_ARENA:
	case TG_PARTS:
		break;
	}
	return cap->arena_bytes;
}

void tg_layout(struct tg_header *h, const struct tg_capacity *cap)
{
	memset((void *)h, 0, sizeof(*h));
	h->layout_version = TG_LAYOUT_VERSION;
	memcpy(h->struct_bytes, struct_bytes, sizeof(struct_bytes));
	h->capacity = *cap;
	uint64_t at = round_up(sizeof(*h), 4096);
	for (enum tg_part p = 0; p < TG_PARTS; p++) {
		h->part[p].offset = at;
		h->part[p].bytes = part_bytes(p, cap);
		at = round_up(at + h->part[p].bytes, 4096);
	}
	h->total_bytes = round_up(at, PAGE_BYTES);
}

uint64_t tg_layout_ring(const struct tg_header *h, enum tg_part part, uint32_t worker)
{
	return h->part[part].offset + worker * ring_bytes(part);
}
