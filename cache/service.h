/* The media layer, embedded: a thread that owns the media table and arena and answers HTTP on a Unix socket
 * (http.h). Everything else speaks to it over that socket. */
#ifndef TG_CACHE_SERVICE_H
#define TG_CACHE_SERVICE_H

#include <stddef.h>

struct cache_service;
struct settings;
struct tg_region;

/* Rebuilds the index from the region, listens at socket_path and starts the thread. settings and region (open
 * for writing) must live until the stop. Returns 0, or -errno with a sentence for the operator in why. */
int cache_service_start(struct cache_service **service, const struct settings *settings,
	struct tg_region *region, const char *socket_path, char *why, size_t why_bytes);
/* Fails what is under way, ends the thread and its workers, removes the socket. Items stay. NULL is allowed.
 */
void cache_service_stop(struct cache_service *service);

#endif
