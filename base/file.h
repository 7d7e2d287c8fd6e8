/* Small durable files: whole reads and writes that either happened or did not. */
#ifndef TG_BASE_FILE_H
#define TG_BASE_FILE_H

#include <stddef.h>

/* Reads a whole regular file of at most max bytes; *data is the caller's to free and ends with a NUL that is
 * not counted. Returns 0, -EFBIG, or -errno. */
int file_read(const char *path, size_t max, char **data, size_t *len);
/* Writes all of data to fd, over short writes and EINTR. Returns 0 or -errno. */
int file_write_all(int fd, const void *data, size_t len);
/* Replaces path by a file with this content: temporary name, fsync, rename, fsync of the directory. */
int file_replace(const char *path, const void *data, size_t len);
/* fsync of the directory that holds path, so that a create or rename in it is durable. */
int file_sync_parent(const char *path);
/* Like mkdir -p, mode 0750. Returns 0 or -errno. */
int file_make_dirs(const char *path);

#endif
