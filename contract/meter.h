/* The meter ring: one record per closed part of a stint, from the owning worker to the control plane.
 *
 * A record is written when a stint is closed on a leg (TG_CMD_STINT, TG_CMD_RELEASE). It never gets lost: if
 * the ring is full it waits and is offered again before the leg does anything else. (leg, generation, stint,
 * part) names it, so a record that is offered twice is counted once. A snapshot's answer travels in the same
 * ring, so that whoever reads it has read every record that it counts as closed. */
#ifndef TG_CONTRACT_METER_H
#define TG_CONTRACT_METER_H

#include <stdint.h>

enum tg_meter_field {
#define METER(name, help) TG_METER_##name,
#include "contract/meter.def"
#undef METER
	TG_METERS
};
extern const char *const tg_meter_name[TG_METERS];

struct tg_meter {
	uint64_t v[TG_METERS];
};

enum tg_meter_kind { TG_METER_PART = 1, TG_METER_SNAPSHOT = 2 };

struct tg_meter_record {
	uint8_t kind; /* enum tg_meter_kind */
	uint8_t worker;
	uint8_t final;         /* PART: 1 when the leg was released by it */
	uint8_t media_timeout; /* PART: 1 if the leg was in media timeout at the end */
	uint32_t leg;          /* PART; TG_NONE for a snapshot */
	uint32_t generation;
	uint32_t stint; /* PART: the stint's number within its session. SNAPSHOT: the command's tag */
	uint32_t part;  /* PART: counts the parts of one (leg, generation, stint) from 0 */
	uint32_t lost;  /* PART: packets missing by sequence number in the part, RFC 3550 A.3 */
	uint64_t start_ns, end_ns; /* UTC by the region's timebase; SNAPSHOT: both the moment it was taken */
	uint32_t jitter_us;        /* PART: interarrival jitter at the end, RFC 3550 A.8 */
	/* PART: what it does not count, because the worker was replaced while it was open. */
	uint32_t outages;           /* how often */
	uint32_t outage_ms;         /* for how long nobody was there */
	uint32_t uncertain_packets; /* at most so many more were sent to the far end */
	/* PART: of this part. SNAPSHOT: open = sums over the parts that are still open. */
	struct tg_meter counts;
	/* Sums over every part that this worker has put into its ring since the region was made; PART: this
	 * one included, so that a worker's successor learns from the last record what was closed. */
	struct tg_meter closed;
	/* SNAPSHOT only: everything counted since the region was made. total = closed + open, or something is
	 * wrong. */
	struct tg_meter total;
};
_Static_assert(sizeof(struct tg_meter_record) == 56 + 3 * 64, "meter record");

void tg_meter_add(struct tg_meter *to, const struct tg_meter *from);

#endif
