/* Parts of stints: what a leg has counted, closed into records; the snapshot that proves the sums. */
#ifndef TG_DATAPLANE_METER_H
#define TG_DATAPLANE_METER_H

#include <stdint.h>

#include "dataplane/legs.h"

/* What the leg's open part has counted, packets relayed to it included. */
void dp_meter_open_counts(const struct dp_legs *legs, uint32_t leg, struct tg_meter *counts);

/* Room for so many records? The worker is the only producer, so room that is there stays. */
bool dp_meter_has_room(const struct dp_legs *legs, uint32_t records);

/* Closes the open part with a record and begins the next one at the same moment: part 0 of `stint`, or the
 * next part if that is the stint that is open. Returns 0, or -ENOBUFS: no room, nothing has changed. */
int dp_meter_close(struct dp_legs *legs, uint32_t leg, uint32_t stint, uint64_t now_ns, bool final);

/* For a start, when the legs can be changed: finishes the close that a kill cut off behind its record, and
 * takes from the last record what was closed. Only that record can be of such a close: if it names the part
 * that is open, the counters are in it and the part begins when it ended (a STINT is still in the command
 * ring and opens its stint then); if it is final, the leg is freed. */
void dp_meter_finish_close(struct dp_legs *legs);
/* Whether the last record is one of this leg. */
bool dp_meter_has_closed(const struct dp_legs *legs, uint32_t leg, uint32_t generation);

/* Puts a snapshot record into the ring. Returns 0 or -ENOBUFS. */
int dp_meter_snapshot(struct dp_legs *legs, uint32_t tag, uint64_t now_ns);

/* Sets the worker's totals to closed + open, when a start has found rows that a killed predecessor left. */
void dp_meter_recount(struct dp_legs *legs);

#endif
