/* When which leg reports next: a timing wheel of its own, apart from that of the plays. 200,000 legs make
 * 40,000 reports a second, each at a time of its own, and none that minds being some milliseconds late. Each
 * slot is a chain of legs through two arrays, so that adding and taking out cost the same with any number. */
#ifndef TG_DATAPLANE_RTCP_WHEEL_H
#define TG_DATAPLANE_RTCP_WHEEL_H

#include <stdbool.h>
#include <stdint.h>

#define DP_RTCP_SLOT_MS 8
#define DP_RTCP_SLOTS   1024 /* 8.2 s; who is due later comes up then, and is put in again */

struct dp_rtcp_wheel {
	uint32_t head[DP_RTCP_SLOTS]; /* TG_NONE: nobody */
	/* By leg. slot: DP_RTCP_SLOTS where it is in none. */
	uint32_t *next, *previous;
	uint16_t *slot;
	uint64_t done; /* slots before this one are empty; never wraps */
	uint64_t start_tsc, slot_ticks;
	uint32_t legs; /* in all slots */
};

/* rows: of the region. Returns 0 or -ENOMEM. */
int dp_rtcp_wheel_open(struct dp_rtcp_wheel *wheel, uint32_t rows, uint64_t hz, uint64_t now_tsc);
void dp_rtcp_wheel_close(struct dp_rtcp_wheel *wheel);

/* A leg that is in a slot already moves. */
void dp_rtcp_wheel_add(struct dp_rtcp_wheel *wheel, uint32_t leg, uint64_t due_tsc);
void dp_rtcp_wheel_remove(struct dp_rtcp_wheel *wheel, uint32_t leg);
/* Takes out the next leg that is due by now; TG_NONE: nobody is. */
uint32_t dp_rtcp_wheel_due(struct dp_rtcp_wheel *wheel, uint64_t now_tsc);

#endif
