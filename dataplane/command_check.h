/* Whether values that the control plane or the cache wrote can be used: pure. */
#ifndef TG_DATAPLANE_COMMAND_CHECK_H
#define TG_DATAPLANE_COMMAND_CHECK_H

#include <stdbool.h>
#include <stdint.h>

#include "contract/region.h"

#define DP_FRAME_BYTES_MAX 1400

/* Returns 0 or TG_REFUSED_PROGRAM. family: the leg's. No far end yet: no address, and port 0. */
int dp_check_program(const struct tg_leg_program *program, enum tg_family family);
/* The same for what an egress record kept of one. */
int dp_check_terms(const struct tg_leg_terms *terms, enum tg_family family);

/* What a media item is at this moment. */
struct dp_item {
	uint32_t generation, state;
	uint32_t frames; /* that lie inside the item and the arena and are filled */
	uint16_t frame_bytes;
	uint8_t codec;
	uint64_t offset;
};
/* False for an item that can't be played: wrong frame time or size, or not inside the arena. */
bool dp_item_read(const struct tg_media_item *shared, uint64_t arena_bytes, struct dp_item *item);
/* Filling or ready. */
static inline bool dp_item_playable(const struct dp_item *item)
{
	return item->state == TG_MEDIA_FILLING || item->state == TG_MEDIA_READY;
}

/* Returns 0 or TG_REFUSED_SOURCE: whether a play of this item fits a leg that expects these payload types. */
int dp_check_play(const struct tg_leg_source *source, const struct dp_item *item, struct tg_payload_types tx);

#endif
