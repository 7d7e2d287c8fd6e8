/* The timing wheel: which legs are to be sent a frame when. Slots of 20 us over one frame time, each an array
 * of leg indexes; a leg stays in its slot, so it comes up once per frame time. All memory is taken at the
 * start. A slot takes only so many legs: others move to the next one with room, which keeps the load even. */
#ifndef TG_DATAPLANE_WHEEL_H
#define TG_DATAPLANE_WHEEL_H

#include <stdbool.h>
#include <stdint.h>

#define DP_WHEEL_SLOT_US 20
#define DP_WHEEL_SLOTS   1000 /* 20 ms */
/* After a longer stall whole frame times are left out instead of being caught up. */
#define DP_WHEEL_CATCH_UP_FRAMES 5

struct dp_wheel {
	uint32_t *entry; /* DP_WHEEL_SLOTS times room */
	uint32_t count[DP_WHEEL_SLOTS];
	uint32_t room;     /* of a slot */
	uint32_t active;   /* legs in all slots */
	uint32_t cursor;   /* entries of slot `next` that have come up already */
	uint64_t next;     /* number of the slot that is not done yet; never wraps */
	uint64_t next_due; /* moment of that slot */
	uint64_t start_tsc, hz;
};

/* legs: how many there can be. Returns 0 or -ENOMEM. */
int dp_wheel_open(struct dp_wheel *wheel, uint32_t legs, uint64_t hz, uint64_t now_tsc);
void dp_wheel_close(struct dp_wheel *wheel);

/* Puts a leg into the first slot with room that is due at not_before_tsc or later, within one frame time from
 * where dp_wheel_advance() left the wheel. Returns the slot. */
uint32_t dp_wheel_add(struct dp_wheel *wheel, uint32_t leg, uint64_t not_before_tsc);
/* Takes it out again; slot: what add returned. False if it wasn't there. */
bool dp_wheel_remove(struct dp_wheel *wheel, uint32_t slot, uint32_t leg);

/* Call once before a run of dp_wheel_due(): leaves out what lies too far back. */
void dp_wheel_advance(struct dp_wheel *wheel, uint64_t now_tsc);
/* The next leg that is due by now, and the moment it was due. False if there is none. */
bool dp_wheel_due(struct dp_wheel *wheel, uint64_t now_tsc, uint32_t *leg, uint64_t *due_tsc);
/* When the next leg is due, or until_tsc if none is before that. */
uint64_t dp_wheel_quiet_until(const struct dp_wheel *wheel, uint64_t until_tsc);

#endif
