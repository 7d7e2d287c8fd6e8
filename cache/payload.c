#include "cache/payload.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "contract/region.h"

#define BLOCK_BYTES 32768

struct sending {
	struct cache_store *store;
	uint32_t item;
	const uint8_t *data;
	uint64_t bytes;
};

static ssize_t on_read(void *arg, uint64_t at, char *out, size_t room)
{
	const struct sending *s = arg;
	if (at >= s->bytes)
		return MHD_CONTENT_READER_END_OF_STREAM;
	size_t n = s->bytes - at < room ? (size_t)(s->bytes - at) : room;
	memcpy(out, s->data + at, n);
	return (ssize_t)n;
}

static void on_sent(void *arg)
{
	struct sending *s = arg;
	cache_store_unpin(s->store, s->item);
	free(s);
}

static struct MHD_Response *body(const struct cache_payload_ask *a, const struct tg_media_item *m)
{
	struct sending *s = malloc(sizeof(*s));
	if (!s)
		return NULL;
	uint64_t frames = atomic_load_explicit(&m->frames_ready, memory_order_acquire);
	*s = (struct sending){
		a->store, a->item, tg_region_arena(a->region) + m->offset, frames * m->frame_bytes};
	cache_store_pin(a->store, a->item);
	struct MHD_Response *r = MHD_create_response_from_callback(
		s->bytes, BLOCK_BYTES, on_read, s, on_sent);
	if (!r)
		on_sent(s);
	return r;
}

/* One address and version has one content, so the version is the entity tag. */
enum MHD_Result cache_payload_send(struct MHD_Connection *connection, const struct cache_payload_ask *a)
{
	const struct tg_media_item *m = tg_region_media(a->region, a->item);
	char etag[16];
	snprintf(etag, sizeof(etag), "\"%u\"", m->version);
	bool known = a->etag_known && (strstr(a->etag_known, etag) || !strcmp(a->etag_known, "*"));
	struct MHD_Response *r = known ? MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT)
				       : body(a, m);
	if (!r)
		return MHD_NO;
	MHD_add_response_header(r, MHD_HTTP_HEADER_ETAG, etag);
	if (!known)
		MHD_add_response_header(r, MHD_HTTP_HEADER_CONTENT_TYPE,
			m->codec == TG_CODEC_PCMA ? "audio/x-alaw-basic" : "audio/basic");
	enum MHD_Result done = MHD_queue_response(connection, known ? MHD_HTTP_NOT_MODIFIED : MHD_HTTP_OK, r);
	MHD_destroy_response(r);
	return done;
}
