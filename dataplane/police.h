/* A token bucket: how many frames may pass per second. Pure. */
#ifndef TG_DATAPLANE_POLICE_H
#define TG_DATAPLANE_POLICE_H

#include <stdbool.h>
#include <stdint.h>

struct dp_police {
	uint64_t ticks_per_frame, burst_ticks;
	uint64_t paid_until; /* the moment at which the bucket is full again */
};

static inline void dp_police_init(struct dp_police *p, uint64_t hz, uint32_t frames_per_s, uint32_t burst)
{
	p->ticks_per_frame = hz / frames_per_s;
	p->burst_ticks = p->ticks_per_frame * burst;
	p->paid_until = 0;
}

/* May one more frame pass now? */
static inline bool dp_police_pass(struct dp_police *p, uint64_t now_tsc)
{
	uint64_t from = p->paid_until > now_tsc ? p->paid_until : now_tsc;
	if (from + p->ticks_per_frame > now_tsc + p->burst_ticks)
		return false;
	p->paid_until = from + p->ticks_per_frame;
	return true;
}

#endif
