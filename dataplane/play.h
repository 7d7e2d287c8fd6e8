/* Playing media items: which frame leaves next. */
#ifndef TG_DATAPLANE_PLAY_H
#define TG_DATAPLANE_PLAY_H

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/legs.h"

/* A leg whose turn it is, and when that was. */
struct dp_due {
	uint32_t leg;
	uint64_t tsc;
};

/* In three steps, so that memory is there when it is needed: up to n legs that are due by now, in their
 * order; what one of them will play; its turn, as below. Nothing else may be done to the legs in between. */
#define DP_PLAY_EXPECTED 192 /* bytes of a frame that are fetched beforehand */
uint32_t dp_play_gather(struct dp_legs *legs, uint64_t now_tsc, struct dp_due *due, uint32_t n);
void dp_play_expect(const struct dp_legs *legs, const struct dp_due *due);
bool dp_play_turn(struct dp_legs *legs, const struct dp_due *due, uint64_t now_tsc, struct dp_outgoing *out,
	const uint8_t **frame);

/* The next frame that is due by now. Looks at up to *budget legs and lowers it by those it looked at. True:
 * *out and *frame (in the arena, out->rtp_bytes - 12 bytes) are to be sent. False: nothing more is due, or
 * the budget is used up. Legs that wait for their item, are on hold or have no next hop are passed over. */
bool dp_play_next(struct dp_legs *legs, uint64_t now_tsc, uint32_t *budget, struct dp_outgoing *out,
	const uint8_t **frame);

#endif
