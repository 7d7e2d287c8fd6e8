/* What the media worker writes to its parent: records of a header and a body, native byte order.
 *
 *   BEGIN   u32 frames to come, 0: unknown          first, once
 *   FRAMES  1 to CACHE_DECODE_FRAMES frames         any number
 *   END     u32 frames that were sent               last, or
 *   FAIL    u32 enum cache_error, then a sentence   last
 *
 * The reader believes nothing: a worker may have been taken over by what it decoded. */
#ifndef TG_CACHE_WORKER_RECORD_H
#define TG_CACHE_WORKER_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cache/decode.h"
#include "cache/error.h"
#include "cache/request.h"

enum cache_record_kind { CACHE_RECORD_BEGIN = 1, CACHE_RECORD_FRAMES, CACHE_RECORD_END, CACHE_RECORD_FAIL };

struct cache_record_header {
	uint32_t kind, bytes; /* bytes: of the body */
};

#define CACHE_RECORD_BODY_MAX (CACHE_DECODE_FRAMES * CACHE_FRAME_BYTES)
#define CACHE_RECORD_MAX      (sizeof(struct cache_record_header) + CACHE_RECORD_BODY_MAX)

struct cache_record {
	enum cache_record_kind kind;
	uint32_t frames;              /* BEGIN, END: the number; FRAMES: in payload */
	const uint8_t *payload;       /* FRAMES: in the caller's buffer */
	struct cache_failure failure; /* FAIL */
};

/* How far a stream of records has come. Zeroed, with max_frames set, at its start. */
struct cache_record_stream {
	uint32_t max_frames; /* more are refused */
	uint32_t announced, seen;
	bool begun, ended;
};

/* Takes the first record of buf. Returns its length; 0: more bytes are needed; -EBADMSG: not what the
 * protocol allows at this point. The stream advances only with a record. */
int cache_record_next(
	struct cache_record_stream *stream, const uint8_t *buf, size_t n, struct cache_record *record);

#endif
