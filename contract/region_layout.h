/* Where everything lies in the region. Used by contract/region*.c; a header so that tests reach it. */
#ifndef TG_CONTRACT_REGION_LAYOUT_H
#define TG_CONTRACT_REGION_LAYOUT_H

#include <stdatomic.h>
#include <stdint.h>

#include "contract/region.h"

#define TG_REGION_MAGIC 0x31455441474c4f54ull /* "TOLGATE1" */

/* Shared structs whose size both sides compare. SHARED(type) */
#define TG_SHARED_STRUCTS(SHARED) \
	SHARED(tg_header)         \
	SHARED(tg_capacity)       \
	SHARED(tg_desired)        \
	SHARED(tg_ingress)        \
	SHARED(tg_egress)         \
	SHARED(tg_outage)         \
	SHARED(tg_quality)        \
	SHARED(tg_leg_ipv6)       \
	SHARED(tg_media_item)     \
	SHARED(tg_next_hop)       \
	SHARED(tg_worker_stats)   \
	SHARED(tg_command)        \
	SHARED(tg_event)          \
	SHARED(tg_meter_record)

#define TG_NODE_BYTES 32

enum tg_struct {
#define SHARED(type) TG_STRUCT_##type,
	TG_SHARED_STRUCTS(SHARED)
#undef SHARED
		TG_STRUCTS
};
extern const char *const tg_struct_name[TG_STRUCTS];

enum tg_part {
	TG_PART_STATS,
	TG_PART_NEXT_HOPS,
	TG_PART_COMMANDS,
	TG_PART_EVENTS,
	TG_PART_METERS,
	TG_PART_DESIRED,
	TG_PART_EGRESS,
	TG_PART_INGRESS,
	TG_PART_OUTAGE,
	TG_PART_QUALITY,
	TG_PART_IPV6,
	TG_PART_MEDIA,
	TG_PART_ARENA,
	TG_PARTS
};

struct tg_part_span {
	uint64_t offset, bytes;
};

struct tg_heartbeat {
	_Atomic uint64_t utc_ns;
	_Atomic uint32_t pid;
	uint32_t pad;
};

struct tg_header {
	_Atomic uint64_t magic; /* written last by the creator */
	uint32_t layout_version;
	uint32_t struct_bytes[TG_STRUCTS];
	uint64_t total_bytes;
	uint64_t region_id;
	struct tg_capacity capacity;
	struct tg_part_span part[TG_PARTS];
	_Atomic uint32_t generation; /* last one given to a leg; by the control plane */
	_Alignas(TG_CACHE_LINE) struct tg_timebase timebase;
	_Alignas(TG_CACHE_LINE) struct tg_heartbeat beat[2]; /* by role; each by its own plane */
	char node[TG_NODE_BYTES]; /* name of the node that uses it, cut to fit; by whoever claims it first */
};
_Static_assert(
	sizeof(struct tg_header) % TG_CACHE_LINE == 0 && sizeof(struct tg_heartbeat[2]) + TG_NODE_BYTES == 64,
	"the name lies in what was padding");

/* Fills a header for this capacity: pure. The magic and the region's id stay 0. */
void tg_layout(struct tg_header *header, const struct tg_capacity *cap);
/* Offset of a worker's ring in the part. */
uint64_t tg_layout_ring(const struct tg_header *header, enum tg_part part, uint32_t worker);

#endif
