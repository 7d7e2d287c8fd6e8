/* One clock for every boundary: the processor's time stamp counter, mapped to UTC.
 *
 * The mapping never steps: whoever refreshes it continues from the old one and slews towards the wall clock
 * by at most 500 ppm, so that stint times never go back. Refreshed about once per second by the dataplane's
 * main lcore (by the control plane while that is not running). Readers take it under its version.
 *
 * A wall clock that is found a second or more away was stepped. It would take the mapping days to follow,
 * with every duration wrong by 500 ppm meanwhile; so it goes on as it did, and the distance is kept beside it
 * as the step: what begins from then on is dated by mapping plus step, what has begun keeps the dates it
 * began with. */
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
	_Atomic int64_t step_ns;          /* of the wall clock, away from the mapping; 0: none that matters */
	uint64_t pad2[2];
};
_Static_assert(sizeof(struct tg_timebase) == 64, "timebase");

uint64_t tg_tsc(void);
/* Calibrates against the monotonic clock for about 20 ms and starts at wall-clock time. */
void tg_timebase_start(struct tg_timebase *tb);
/* tsc: taken by tg_tsc(), at most some hours from the last refresh. */
uint64_t tg_timebase_utc_ns(const struct tg_timebase *tb, uint64_t tsc);
uint64_t tg_timebase_now(const struct tg_timebase *tb);
/* Pure: tsc and wall clock of one moment. Returns how far the wall clock was from where it was expected, in
 * ns (positive: ahead). From TG_CLOCK_STEP_NS on, either way, that is kept as a step; less is slewed away. */
#define TG_CLOCK_STEP_NS 1000000000ll
int64_t tg_timebase_refresh(struct tg_timebase *tb, uint64_t tsc, uint64_t wall_utc_ns);
/* The same with the wall clock of now. Returns by how much that was stepped since the last time; 0: it
 * wasn't. */
int64_t tg_timebase_keep(struct tg_timebase *tb);
/* What a time of the mapping lacks to the wall clock. */
int64_t tg_timebase_step_ns(const struct tg_timebase *tb);

#endif
