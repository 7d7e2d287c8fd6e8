/* Where the media worker's program is. */
#ifndef TG_CACHE_WORKER_PATH_H
#define TG_CACHE_WORKER_PATH_H

#include <stddef.h>

/* name with a slash: that path. A bare name: beside this process' own program, then in ../cache from there (a
 * build tree), then in PATH. Returns 0 and the path of an executable file, or -ENOENT, -ENAMETOOLONG. */
int cache_worker_path(const char *name, char *path, size_t path_bytes);

#endif
