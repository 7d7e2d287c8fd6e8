/* Which queue a media packet should arrive at: pure. A device that can match a destination brings each leg's
 * packets straight to the worker that owns it; the remote address says nothing, for it is not known when a
 * leg is offered, and a latch changes it. */
#ifndef TG_DATAPLANE_STEER_PLAN_H
#define TG_DATAPLANE_STEER_PLAN_H

#include <stdint.h>

#include "contract/region.h"

/* UDP to this address, to ports that agree with `port` in the bits of `mask` (host order; 0: all ports). */
struct dp_steer_rule {
	struct tg_addr address;
	uint16_t port, mask;
	uint32_t worker;
};

/* A range of 16-bit ports needs at most 30 masks; shares are made where there are fewer addresses than
 * workers. */
#define DP_STEER_RULES_MAX ((TG_WORKERS_MAX - 1) * TG_WORKERS_MAX * 30)

/* Every media port of every address matches exactly one rule, and it names the owner. Returns how many rules;
 * 0 with one worker, who gets everything anyway. */
uint32_t dp_steer_plan(const struct tg_capacity *cap, struct dp_steer_rule rule[static DP_STEER_RULES_MAX]);

#endif
