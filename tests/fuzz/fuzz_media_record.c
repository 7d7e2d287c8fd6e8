/* What a media worker that was taken over may write to its parent. */
#include <stdint.h>
#include <stdlib.h>

#include "cache/worker_record.h"

#define FRAMES_MAX 200u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct cache_record_stream s = {.max_frames = FRAMES_MAX};
	struct cache_record r;
	uint32_t frames = 0;
	int n;
	while ((n = cache_record_next(&s, data, len, &r)) > 0) {
		if ((size_t)n > len)
			abort();
		if (r.kind == CACHE_RECORD_FRAMES) {
			frames += r.frames;
			if (r.payload < data || r.payload + r.frames * CACHE_FRAME_BYTES > data + len)
				abort();
		}
		if (frames > FRAMES_MAX || (r.kind == CACHE_RECORD_END && r.frames != frames))
			abort();
		data += n;
		len -= (size_t)n;
	}
	return 0;
}
