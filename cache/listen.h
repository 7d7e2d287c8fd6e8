/* The Unix socket of the media layer. */
#ifndef TG_CACHE_LISTEN_H
#define TG_CACHE_LISTEN_H

#include <stddef.h>

/* Listens at path, mode 0660, and takes a socket file away that nobody listens on any more. Returns the
 * descriptor, or -errno with a sentence for the operator in why; -EADDRINUSE: somebody listens there. */
int cache_listen(const char *path, char *why, size_t why_bytes);

#endif
