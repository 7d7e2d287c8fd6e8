/* The worker's time: TSC ticks, and RTP clock units made from them (8 kHz for every codec so far). */
#ifndef TG_DATAPLANE_CLOCK_H
#define TG_DATAPLANE_CLOCK_H

#include <stdint.h>

#define DP_CLOCK_KHZ   8
#define DP_FRAME_MS    20
#define DP_FRAME_UNITS (DP_FRAME_MS * DP_CLOCK_KHZ)

struct dp_clock {
	uint64_t hz;          /* ticks per second */
	uint64_t units_q64;   /* RTP units per tick, times 2^64 */
	uint64_t frame_ticks; /* one frame */
	uint64_t ticks_per_ms;
};

static inline void dp_clock_init(struct dp_clock *c, uint64_t hz)
{
	c->hz = hz;
	/* Rounded up, so that whole units come out whole. */
	c->units_q64 = (uint64_t)(((unsigned __int128)(DP_CLOCK_KHZ * 1000) << 64) / hz) + 1;
	c->frame_ticks = hz * DP_FRAME_MS / 1000;
	c->ticks_per_ms = hz / 1000;
}

/* A span or a moment in RTP units, cut. Moments wrap as RTP timestamps do. */
static inline uint32_t dp_clock_units(const struct dp_clock *c, uint64_t ticks)
{
	return (uint32_t)(((unsigned __int128)ticks * c->units_q64) >> 64);
}

#endif
