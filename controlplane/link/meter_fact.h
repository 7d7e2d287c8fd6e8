/* Meter records as facts of the journal. Pure. */
#ifndef TG_LINK_METER_FACT_H
#define TG_LINK_METER_FACT_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "contract/meter.h"

/* New reference, or NULL when memory is out. */
json_t *meter_fact(uint64_t region, const struct tg_meter_record *part);
/* journalled: sums of all records of this worker that were offered before. *ok: total = closed + open, and
 * closed = journalled, for every field. */
json_t *snapshot_fact(uint64_t region, uint32_t worker, const struct tg_meter_record *snapshot,
	const struct tg_meter *journalled, bool *ok);

#endif
