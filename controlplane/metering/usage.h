/* What the journalled meter records add up to: per stint and leg of a session, and per worker for the audit.
 *
 * Pure: fed with facts in the journal's order, it answers by them alone. FACT_leg_media says which leg of
 * which session a row is; meter records that come before it wait. A record is counted once, however often it
 * is offered. That rests on two properties of the meter ring: records of one row come in order, and a row's
 * generations rise; so a record of a generation before the row's latest was offered before. */
#ifndef TG_METERING_USAGE_H
#define TG_METERING_USAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "base/pack.h"
#include "contract/bounds.h"
#include "contract/meter.h"
#include "controlplane/journal/fact.h"

struct usage;

/* What RTCP said about a leg up to the end of a part. Each is there only where it is known. */
struct usage_quality {
	bool has_trip, has_far, has_from, has_to;
	uint32_t round_trip_us, round_trip_average_us, far_lost, far_jitter_us, mos_from_x100, mos_to_x100;
};

/* What one leg consumed in one stint. */
struct usage_entry {
	uint32_t leg, stint;
	uint32_t parts;            /* meter records in it */
	uint64_t start_ns, end_ns; /* first start, last end */
	struct tg_meter counts;
	uint64_t lost;
	uint32_t jitter_us; /* the highest at the end of a part */
	bool media_timeout; /* the last part ended in one */
	/* Of its parts together: how often the dataplane was replaced, for how long none was there, and how
	 * many packets at most were sent and not counted. */
	uint64_t outages, outage_ms, uncertain_packets;
	struct usage_quality quality; /* of the last part */
};

/* What names a meter record. */
struct usage_part {
	uint64_t region;
	uint32_t row, generation, stint, part;
};

/* Returns 0 or -ENOMEM. */
int usage_create(struct usage **usage);
void usage_destroy(struct usage *usage);

/* Takes node_start, leg_media, meter and session_close; other facts are passed over. A session is forgotten
 * at its session_close: ask before. Returns 0, -EINVAL for a payload without the members that it must have,
 * or with counts that can't be, or -ENOMEM. */
int usage_feed(struct usage *usage, enum fact fact, const json_t *payload);

/* Entries of a session, by leg and then by stint; NULL and *n 0 when there are none. Borrowed until the next
 * feed. */
const struct usage_entry *usage_of(const struct usage *usage, const char *session, size_t *n);
/* Legs of the session whose final meter record hasn't come: parts of them are open. */
unsigned usage_open_legs(const struct usage *usage, const char *session);
/* Is that so, or could one of its records not be read? Then its entries are not all there is. */
bool usage_lacks(const struct usage *usage, const char *session);
/* Has this generation of the row its final meter record? */
bool usage_is_final(const struct usage *usage, uint64_t region, uint32_t row, uint32_t generation);
/* Was this record counted before? For whoever reads the meter ring again after a crash. */
bool usage_has(const struct usage *usage, const struct usage_part *part);
/* Records that are counted in the sums but belong to no session: their leg_media hasn't come, or the session
 * was closed before. */
uint64_t usage_unclaimed(const struct usage *usage);

/* Everything that it knows. Loading is for one that was just created, and leaves it to be destroyed when it
 * fails: with -EBADMSG where that isn't what usage_save() writes, or -ENOMEM. */
void usage_save(const struct usage *usage, struct pack *pack);
int usage_load(struct usage *usage, struct unpack *unpack);

/* Totals of what is journalled of this region, by worker: what a snapshot's `closed` is compared with. */
void metering_sums(const struct usage *usage, uint64_t region, struct tg_meter sums[static TG_WORKERS_MAX]);

#endif
