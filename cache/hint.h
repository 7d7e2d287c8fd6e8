/* What the origin's Content-Type and the URI's ending say about a body. Containers (WAV, FLAC, MP3...) are
 * told by their own first bytes; a hint decides only for bodies that have none. Pure. */
#ifndef TG_CACHE_HINT_H
#define TG_CACHE_HINT_H

#include <stdbool.h>

enum cache_hint {
	CACHE_HINT_NONE,
	CACHE_HINT_ULAW, /* audio/basic, audio/pcmu: 8000 Hz, one channel */
	CACHE_HINT_ALAW,
	CACHE_HINT_L16, /* RFC 3551 section 4.5.11: big-endian, rate in the type; 8000 Hz assumed */
	CACHE_HINT_GSM, /* 33-byte frames */
	CACHE_HINTS
};

struct cache_body_type {
	enum cache_hint hint;
	unsigned rate, channels; /* of a raw body */
};

/* Could a body of this Content-Type be a sound? Text, HTML, JSON, XML, images and so on could not. NULL and
 * unknown types could. */
bool cache_type_may_be_audio(const char *content_type);
/* content_type: may be NULL; uri: of the body. */
struct cache_body_type cache_type_hint(const char *content_type, const char *uri);

#endif
