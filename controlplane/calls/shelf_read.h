/* Reading all files of a shelf: the other half of shelf.c, which writes them. */
#ifndef TG_CALLS_SHELF_READ_H
#define TG_CALLS_SHELF_READ_H

#include <jansson.h>

struct shelf_reader;

/* A thread of its own begins to read and parse what lies in the directory that dir is open on, a bounded way
 * ahead of whoever takes it. Returns 0 or -errno. */
int shelf_reader_start(struct shelf_reader **reader, int dir);
/* As shelf_each(): the callbacks run on the caller's thread. Ends the reader. */
int shelf_reader_finish(struct shelf_reader *reader,
	void (*found)(void *ctx, const char *name, const json_t *value), void *ctx);
/* Ends it without. NULL is allowed. */
void shelf_reader_stop(struct shelf_reader *reader);

#endif
