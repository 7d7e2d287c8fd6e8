#include "cache/worker_record.h"

#include <errno.h>
#include <string.h>

static int take_begin(struct cache_record_stream *s, const uint8_t *body, size_t n, struct cache_record *r)
{
	if (s->begun || n != sizeof(r->frames))
		return -EBADMSG;
	memcpy(&r->frames, body, sizeof(r->frames));
	if (r->frames > s->max_frames)
		return -EBADMSG;
	s->begun = true;
	s->announced = r->frames;
	return 0;
}

static int take_frames(struct cache_record_stream *s, const uint8_t *body, size_t n, struct cache_record *r)
{
	uint32_t frames = (uint32_t)(n / CACHE_FRAME_BYTES);
	uint32_t most = s->announced ? s->announced : s->max_frames;
	if (!s->begun || !frames || n % CACHE_FRAME_BYTES || frames > most - s->seen)
		return -EBADMSG;
	s->seen += frames;
	r->frames = frames;
	r->payload = body;
	return 0;
}

static int take_end(struct cache_record_stream *s, const uint8_t *body, size_t n, struct cache_record *r)
{
	if (!s->begun || n != sizeof(r->frames))
		return -EBADMSG;
	memcpy(&r->frames, body, sizeof(r->frames));
	if (!r->frames || r->frames != s->seen || (s->announced && s->announced != s->seen))
		return -EBADMSG;
	s->ended = true;
	return 0;
}

/* The sentence goes into answers and logs: printable ASCII only. */
static int take_failure(struct cache_record_stream *s, const uint8_t *body, size_t n, struct cache_record *r)
{
	uint32_t error;
	if (n < sizeof(error))
		return -EBADMSG;
	memcpy(&error, body, sizeof(error));
	if (error == CACHE_OK || error >= CACHE_ERRORS)
		return -EBADMSG;
	cache_fail(&r->failure, (enum cache_error)error, NULL);
	n -= sizeof(error);
	if (n > sizeof(r->failure.sentence) - 1)
		n = sizeof(r->failure.sentence) - 1;
	for (size_t i = 0; i < n; i++) {
		uint8_t c = body[sizeof(error) + i];
		r->failure.sentence[i] = c >= ' ' && c < 0x7f ? (char)c : '?';
	}
	if (n)
		r->failure.sentence[n] = '\0';
	s->ended = true;
	return 0;
}

int cache_record_next(
	struct cache_record_stream *s, const uint8_t *buf, size_t n, struct cache_record *record)
{
	struct cache_record_header h;
	if (n < sizeof(h))
		return 0;
	memcpy(&h, buf, sizeof(h));
	if (s->ended || h.bytes > CACHE_RECORD_BODY_MAX)
		return -EBADMSG;
	if (n - sizeof(h) < h.bytes)
		return 0;
	const uint8_t *body = buf + sizeof(h);
	int e = -EBADMSG;
	*record = (struct cache_record){.kind = (enum cache_record_kind)h.kind};
	switch (h.kind) {
	case CACHE_RECORD_BEGIN:
		e = take_begin(s, body, h.bytes, record);
		break;
	case CACHE_RECORD_FRAMES:
		e = take_frames(s, body, h.bytes, record);
		break;
	case CACHE_RECORD_END:
		e = take_end(s, body, h.bytes, record);
		break;
	case CACHE_RECORD_FAIL:
		e = take_failure(s, body, h.bytes, record);
		break;
	}
	return e ? e : (int)(sizeof(h) + h.bytes);
}
