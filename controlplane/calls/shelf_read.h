/* Reading all files of a shelf: the other half of shelf.c, which writes them. */
#ifndef TG_CALLS_SHELF_READ_H
#define TG_CALLS_SHELF_READ_H

#include <jansson.h>

/* As shelf_each(), of the directory that dir is open on. A thread of its own reads and parses ahead, a
 * bounded way, while the callbacks run on the caller's. Returns 0 or -errno. */
int shelf_read(int dir, void (*found)(void *ctx, const char *name, const json_t *value), void *ctx);

#endif
