/* One clock for every boundary: the processor's time stamp counter, mapped to UTC.
 *
 * The mapping never steps: whoever refreshes it continues from the old one and slews towards the wall clock
 * by at most 500 ppm, so that stint times never go back. Refreshed about once per second by the dataplane's
 * main lcore (by the control plane while that is not running). Readers take it under its version. */
#ifndef TG_CONTRACT_TIMEBASE_H
#define TG_CONTRACT_TIMEBASE_H

#include <stdatomic.h>
#include <stdint.h>

struct tg_timebase {
	_Atomic uint32_t version; /* odd while it is being written */
	uint32_t pad;
	_Atomic uint64_t base_tsc;
	_Atomic uint64_t base_utc_ns;
	_Atomic uint64_t ns_per_tick_q32; /* ns per tick times 2^32, slew included */
	_Atomic uint64_t ticks_per_s;     /* as calibrated */
	uint64_t pad2[3];
};
_Static_assert(sizeof(struct tg_timebase) == 64, "timebase");

uint64_t tg_tsc(void);
/* Calibrates against the monotonic clock for about 20 ms and starts at wall-clock time. */
void tg_timebase_start(struct tg_timebase *tb);
/* tsc: taken by tg_tsc(), at most some hours from the last refresh. */
uint64_t tg_timebase_utc_ns(const struct tg_timebase *tb, uint64_t tsc);
uint64_t tg_timebase_now(const struct tg_timebase *tb);
/* Returns how far the mapping was from the wall clock, in ns (positive: wall clock ahead). */
int64_t tg_timebase_refresh(struct tg_timebase *tb, uint64_t tsc, uint64_t wall_utc_ns);

#endif
