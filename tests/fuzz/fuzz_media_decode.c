/* A body of any kind is decoded or refused, as the media worker does it. The first byte chooses hint and
 * codec; what comes out keeps to what was announced and to the limit of length. */
#include <stdint.h>
#include <stdlib.h>

#include "cache/decode.h"
#include "cache/request.h"

#define SECONDS 5u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

struct seen {
	unsigned begins;
	uint32_t announced, frames, sum;
};

static int on_begin(void *arg, uint32_t frames)
{
	struct seen *s = arg;
	s->begins++;
	s->announced = frames;
	return 0;
}

static int on_frames(void *arg, const uint8_t *payload, uint32_t n)
{
	struct seen *s = arg;
	if (!n || n > CACHE_DECODE_FRAMES)
		abort();
	for (uint32_t i = 0; i < n * CACHE_FRAME_BYTES; i++)
		s->sum += payload[i];
	s->frames += n;
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	if (!len)
		return 0;
	struct cache_decode in = {.data = data + 1,
		.bytes = len - 1,
		.type = {(enum cache_hint)(data[0] % CACHE_HINTS), 8000u << (data[0] >> 6),
			1 + (data[0] >> 4 & 1)},
		.codec = data[0] & 8,
		.max_seconds = SECONDS};
	struct seen seen = {0};
	struct cache_decode_sink sink = {on_begin, on_frames, &seen};
	struct cache_failure failure = {0};
	uint32_t frames = 0;
	int e = cache_decode(&in, &sink, &frames, &failure);
	if ((e != 0) != (failure.error != CACHE_OK) || seen.begins > 1 || seen.frames > SECONDS * 50 + 1)
		abort();
	if (!e && (frames != seen.frames || (seen.announced && seen.announced != frames) || !seen.begins))
		abort();
	return 0;
}
