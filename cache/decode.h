/* Untrusted bytes to telephony frames: decode, mix down, resample, encode. Runs in the media worker's
 * sandbox, and in the fuzz harness. Opens no files. */
#ifndef TG_CACHE_DECODE_H
#define TG_CACHE_DECODE_H

#include <stddef.h>
#include <stdint.h>

#include "cache/error.h"
#include "cache/hint.h"

/* Frames that are handed on at a time: one second. */
#define CACHE_DECODE_FRAMES 50u

struct cache_decode {
	const uint8_t *data;
	size_t bytes;
	struct cache_body_type type;
	uint8_t codec;        /* enum tg_media_codec */
	uint32_t max_seconds; /* a longer sound is an error */
};

/* Where the frames go. A callback that returns other than 0 ends the decoding. */
struct cache_decode_sink {
	/* Once, first. frames: exactly how many will follow; 0: not known yet. */
	int (*begin)(void *arg, uint32_t frames);
	/* n frames of CACHE_FRAME_BYTES, at most CACHE_DECODE_FRAMES. */
	int (*frames)(void *arg, const uint8_t *payload, uint32_t n);
	void *arg;
};

/* Returns 0 and the number of frames; -EINVAL with the failure; or what a callback returned. */
int cache_decode(const struct cache_decode *in, const struct cache_decode_sink *sink, uint32_t *frames,
	struct cache_failure *failure);

#endif
