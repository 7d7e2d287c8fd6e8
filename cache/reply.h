/* The JSON bodies of the media layer's answers. All return a text to free, or NULL when out of memory. */
#ifndef TG_CACHE_REPLY_H
#define TG_CACHE_REPLY_H

#include <stdbool.h>

#include "base/id.h"
#include "cache/http.h"

/* Items that a list shows at most. */
#define CACHE_LIST_MAX 1000

char *cache_reply_failure(const struct cache_failure *failure);
char *cache_reply_item(const struct cache_http_parts *parts, uint32_t item, const struct id *lease, bool hit);
char *cache_reply_list(const struct cache_http_parts *parts);
char *cache_reply_stats(const struct cache_http_parts *parts);

#endif
