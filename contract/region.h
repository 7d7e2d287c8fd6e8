/* The region: the shared memory that the planes have in common, and the contract between them.
 *
 *   control  --commands-->  worker   what to do, by value                      (command.h)
 *   worker   --events---->  control  "this leg has news"                       (event.h)
 *   worker   --meter----->  control  what was counted in a closed stint        (meter.h)
 *   control  --desired--->  worker   what every leg should be, for restarts    (leg.h)
 *   worker   --rows------>  control, command line: counters, news              (leg.h)
 *   worker   --quality--->  command line: what RTCP says                       (quality.h)
 *   cache    --media----->  worker   frames                                    (media.h)
 *   main lcore --next hops-> worker  where a frame goes                        (nexthop.h)
 *
 * One file on hugetlbfs, or on /dev/shm where there are no huge pages. Whichever plane starts first creates
 * it; it outlives both. Offsets and indexes, never pointers. Who opens it compares magic, layout version,
 * the size of every shared struct and the capacities, and refuses a mismatch with both values in the error.
 * Locks on the file keep a second process of the same role out. */
#ifndef TG_CONTRACT_REGION_H
#define TG_CONTRACT_REGION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "contract/bounds.h"
#include "contract/command.h"
#include "contract/event.h"
#include "contract/leg.h"
#include "contract/media.h"
#include "contract/meter.h"
#include "contract/nexthop.h"
#include "contract/quality.h"
#include "contract/ring.h"
#include "contract/stats.h"
#include "contract/timebase.h"

#define TG_LAYOUT_VERSION 5u
#define TG_COMMAND_RING   4096u
#define TG_EVENT_RING     4096u
#define TG_METER_RING     4096u

/* What the settings decide; the same on both sides or attaching is refused. */
struct tg_capacity {
	uint32_t workers;        /* 1 to TG_WORKERS_MAX */
	uint32_t addresses;      /* media addresses, 1 to TG_ADDRS_MAX */
	uint32_t port_min;       /* first media port, even */
	uint32_t ports;          /* ports per address, even: legs per address are half of it */
	uint32_t media_items;    /* entries of the media table */
	uint32_t ipv6_addresses; /* of the addresses: the last ones; the others are IPv4 */
	uint64_t arena_bytes;    /* of the media arena */
	struct tg_addr address[TG_ADDRS_MAX];
};

enum tg_role { TG_ROLE_CONTROL, TG_ROLE_DATAPLANE, TG_ROLE_READER };

struct tg_region; /* this process' view */

/* Opens or creates DIR/name with this capacity. dir: a hugetlbfs mount; any other file system works and sets
 * *huge to false. READER opens read-only what is there, takes no lock and ignores cap (may be NULL).
 * On failure returns -errno and a sentence for the operator, with what to do, in why. -EBUSY: another process
 * has this role; -EPROTO: another layout or capacity; -ENOMEM: no huge pages; -ENOENT: reader, nothing there;
 * -EPERM: the file is another user's, or others may write to it; -EUCLEAN: what is there is no region, and
 * may not be moved aside, since this is a reader or the other plane has it open.
 *
 * Where a plane finds what can't be a region (truncated, random bytes, a damaged ring or clock), and no plane
 * has it open, it moves it aside to NAME.damaged (one that was there is replaced) and makes a new one. */
int tg_region_open(struct tg_region **region, const char *dir, const char *name,
	const struct tg_capacity *cap, enum tg_role role, char *why, size_t why_bytes);
/* Unmaps and gives the locks back. The file stays. NULL is allowed. */
void tg_region_close(struct tg_region *region);
/* True if this open found no region and made one. */
bool tg_region_created(const struct tg_region *region);
bool tg_region_on_huge_pages(const struct tg_region *region);
/* What was damaged and where it is now, a sentence; NULL if this open moved nothing aside. */
const char *tg_region_moved_aside(const struct tg_region *region);
/* This node uses it. -EPROTO with a sentence if another one does; by either plane, right after opening. */
int tg_region_claim(const struct tg_region *region, const char *node, char *why, size_t why_bytes);

const struct tg_capacity *tg_region_capacity(const struct tg_region *region);
/* Random number that tells one region from its successors; in every journalled meter record. */
uint64_t tg_region_id(const struct tg_region *region);
uint32_t tg_region_legs(const struct tg_region *region);

/* Which worker owns a leg. For each family by itself, so that every worker has legs of both: its addresses
 * are dealt out in turn if there are at least as many as workers, else their ports are split into equal
 * shares. */
uint32_t tg_capacity_worker(const struct tg_capacity *cap, uint32_t leg);
uint32_t tg_capacity_legs(const struct tg_capacity *cap);
/* Address and even UDP port (host order) of a leg. */
const struct tg_addr *tg_capacity_address(const struct tg_capacity *cap, uint32_t leg, uint16_t *port);
enum tg_family tg_capacity_family(const struct tg_capacity *cap, uint32_t leg);
/* Leg of a local address and port (RTP or RTCP), or TG_NONE. */
uint32_t tg_capacity_leg(const struct tg_capacity *cap, const struct tg_addr *address, uint16_t port);

/* Rows and tables. Readers see them through a read-only mapping. index must be in range. */
struct tg_desired *tg_region_desired(const struct tg_region *region, uint32_t leg);
struct tg_ingress *tg_region_ingress(const struct tg_region *region, uint32_t leg);
struct tg_egress *tg_region_egress(const struct tg_region *region, uint32_t leg);
struct tg_outage *tg_region_outage(const struct tg_region *region, uint32_t leg);
struct tg_quality *tg_region_quality(const struct tg_region *region, uint32_t leg);
/* NULL where no media address is IPv6. */
struct tg_leg_ipv6 *tg_region_ipv6(const struct tg_region *region, uint32_t leg);
struct tg_media_item *tg_region_media(const struct tg_region *region, uint32_t item);
uint8_t *tg_region_arena(const struct tg_region *region);
struct tg_next_hop *tg_region_next_hops(const struct tg_region *region, uint32_t worker);
struct tg_worker_stats *tg_region_stats(const struct tg_region *region, uint32_t worker);
struct tg_timebase *tg_region_timebase(const struct tg_region *region);
/* Views of the rings. Who takes over a side repairs it first (ring.h). */
const struct tg_ring *tg_region_commands(const struct tg_region *region, uint32_t worker);
const struct tg_ring *tg_region_events(const struct tg_region *region, uint32_t worker);
const struct tg_ring *tg_region_meters(const struct tg_region *region, uint32_t worker);

/* A generation that no leg of this region has had; by the control plane only. */
uint32_t tg_region_next_generation(const struct tg_region *region);

/* Heartbeats: each plane stores the UTC of its last sign of life and its process id. 0: never ran. */
void tg_region_beat(const struct tg_region *region, enum tg_role role, uint64_t utc_ns);
uint64_t tg_region_last_beat(const struct tg_region *region, enum tg_role role, int *pid);

#endif
