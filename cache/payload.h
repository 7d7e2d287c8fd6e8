/* Sending an item's frames over HTTP, straight from the arena. */
#ifndef TG_CACHE_PAYLOAD_H
#define TG_CACHE_PAYLOAD_H

#include <microhttpd.h>

#include "cache/store.h"

struct tg_region;

struct cache_payload_ask {
	struct tg_region *region;
	struct cache_store *store;
	uint32_t item;          /* complete */
	const char *etag_known; /* If-None-Match, or NULL */
};

/* Pins the item until it is sent. */
enum MHD_Result cache_payload_send(struct MHD_Connection *connection, const struct cache_payload_ask *ask);

#endif
