/* Token buckets: how many frames may pass per second. Pure. */
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

/* The same for many legs at one rate: of each bucket there is only one word, the moment at which it is full
 * again. Time in units of 1,024 ticks, modulo 2^32: some 28 minutes, so a bucket that is not looked at for
 * long must be settled before it seems to lie in the future. */
struct dp_rate {
	uint32_t cost;  /* of a frame; 0: there is no limit */
	uint32_t burst; /* that may be owed */
};

#define DP_RATE_SHIFT 10

static inline uint32_t dp_rate_now(uint64_t now_tsc)
{
	return (uint32_t)(now_tsc >> DP_RATE_SHIFT);
}

/* A burst is what may come in one second. frames_per_s 0: no limit. */
static inline void dp_rate_init(struct dp_rate *r, uint64_t hz, uint32_t frames_per_s)
{
	uint32_t second = (uint32_t)(hz >> DP_RATE_SHIFT);
	r->cost = frames_per_s ? second / frames_per_s : 0;
	if (frames_per_s && !r->cost)
		r->cost = 1;
	r->burst = frames_per_s ? r->cost * frames_per_s : INT32_MAX;
}

static inline uint32_t dp_rate_owed(uint32_t paid_until, uint32_t now)
{
	int32_t owed = (int32_t)(paid_until - now);
	return owed > 0 ? (uint32_t)owed : 0;
}

static inline bool dp_rate_allows(const struct dp_rate *r, uint32_t paid_until, uint32_t now)
{
	return dp_rate_owed(paid_until, now) + r->cost <= r->burst;
}

/* The bucket after one frame more. */
static inline uint32_t dp_rate_pay(const struct dp_rate *r, uint32_t paid_until, uint32_t now)
{
	return now + dp_rate_owed(paid_until, now) + r->cost;
}

/* The bucket, brought near if it was full for long. */
static inline uint32_t dp_rate_settle(uint32_t paid_until, uint32_t now)
{
	return now - paid_until >= 1u << 29 && (int32_t)(now - paid_until) > 0 ? now : paid_until;
}

#endif
