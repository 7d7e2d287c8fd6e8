/* The paths of the media layer's HTTP interface, and persistent addresses in text. */
#ifndef TG_CACHE_ADDRESS_H
#define TG_CACHE_ADDRESS_H

#include <stdint.h>

#include "base/id.h"
#include "cache/request.h"

#define CACHE_HEX_BYTES     (2 * CACHE_DIGEST_BYTES + 1)
#define CACHE_ADDRESS_BYTES 100
#define CACHE_ID_KIND_LEASE "LE"

enum cache_route_kind {
	CACHE_ROUTE_UNKNOWN,
	CACHE_ROUTE_MEDIA, /* /v1/media: resolve with a query, list without */
	CACHE_ROUTE_STATS, /* /v1/media/stats */
	CACHE_ROUTE_ITEM,  /* /v1/media/<digest>.<codec>, /v1/media/<digest>/<version>.<codec> */
	CACHE_ROUTE_LEASE, /* /v1/leases/<id> */
};

struct cache_route {
	enum cache_route_kind kind;
	uint8_t digest[CACHE_DIGEST_BYTES];
	uint32_t version; /* 0: the current one */
	uint8_t codec;
	struct id lease;
};

/* path: without query. Anything that is not exactly one of the forms above is UNKNOWN. */
void cache_route_parse(const char *path, struct cache_route *route);

void cache_digest_format(const uint8_t digest[CACHE_DIGEST_BYTES], char out[static CACHE_HEX_BYTES]);
/* "/v1/media/<digest>/<version>.<codec>" */
void cache_address_format(const uint8_t digest[CACHE_DIGEST_BYTES], uint32_t version, uint8_t codec,
	char out[static CACHE_ADDRESS_BYTES]);

#endif
