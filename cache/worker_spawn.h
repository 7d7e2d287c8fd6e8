/* Starting one media worker's process. */
#ifndef TG_CACHE_WORKER_SPAWN_H
#define TG_CACHE_WORKER_SPAWN_H

#include "cache/worker_args.h"

struct cache_child {
	int pid_fd;  /* readable when it has ended */
	int pipe_fd; /* its records, non-blocking */
};

/* The child has body_fd as 0, a pipe as 1, nothing as 2, no other descriptor, no environment, and its own
 * process group. Returns 0 or -errno. */
int cache_worker_spawn(
	const char *path, const struct cache_worker_args *args, int body_fd, struct cache_child *child);

#endif
