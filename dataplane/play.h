/* Playing media items: which frame leaves next. */
#ifndef TG_DATAPLANE_PLAY_H
#define TG_DATAPLANE_PLAY_H

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/legs.h"

/* The next frame that is due by now. Looks at up to *budget legs and lowers it by those it looked at. True:
 * *out and *frame (in the arena, out->rtp_bytes - 12 bytes) are to be sent. False: nothing more is due, or
 * the budget is used up. Legs that wait for their item, are on hold or have no next hop are passed over. */
bool dp_play_next(struct dp_legs *legs, uint64_t now_tsc, uint32_t *budget, struct dp_outgoing *out,
	const uint8_t **frame);

#endif
