/* The media table and arena: telephony-ready frames in wire order, written by the cache, read by workers.
 *
 * An item's frames lie one after the other from `offset` in the arena, frame_bytes each. The cache fills
 * them, then raises frames_ready with release; a worker plays only what frames_ready says, with acquire. When
 * the state turns READY, frames_ready is the length. generation changes before a slot is used for another
 * item; memory is used again only when no leg plays the item and every worker has passed two poll loops since
 * (tg_worker_stats.loops), or is not running. */
#ifndef TG_CONTRACT_MEDIA_H
#define TG_CONTRACT_MEDIA_H

#include <stdatomic.h>
#include <stdint.h>

enum tg_media_state { TG_MEDIA_FREE, TG_MEDIA_FILLING, TG_MEDIA_READY, TG_MEDIA_BROKEN, TG_MEDIA_RETIRED };
enum tg_media_codec { TG_CODEC_PCMU = 0, TG_CODEC_PCMA = 8 };

struct tg_media_item {
	_Atomic uint32_t generation; /* 0: never used */
	_Atomic uint32_t state;      /* enum tg_media_state */
	_Atomic uint32_t frames_ready;
	uint16_t frame_bytes;  /* payload of one frame: 160 */
	uint8_t frame_ms;      /* 20 */
	uint8_t codec;         /* enum tg_media_codec: the static payload type */
	uint64_t offset;       /* from the arena's start */
	uint64_t bytes;        /* reserved in the arena */
	uint8_t digest[32];    /* SHA-256 of the persistent address; zero: not to be found again */
	uint32_t version;      /* of the content under that address */
	_Atomic uint32_t pins; /* leases that are open; by the cache, for the command line */
	uint64_t made_ns;
	_Atomic uint64_t hits;
	_Atomic uint64_t fresh_ns; /* time until which the cache serves it without asking its origin */
	uint8_t pad[32];
};
_Static_assert(sizeof(struct tg_media_item) == 128, "media item");

#endif
