/* The media worker's command line: one "key=value" per argument, written and read here. */
#ifndef TG_CACHE_WORKER_ARGS_H
#define TG_CACHE_WORKER_ARGS_H

#include <stdint.h>

#include "cache/hint.h"
#include "cache/sandbox.h"

#define CACHE_WORKER_ARGS      7
#define CACHE_WORKER_ARG_BYTES 32

struct cache_worker_args {
	uint8_t codec; /* enum tg_media_codec */
	struct cache_body_type type;
	uint32_t max_seconds;
	struct cache_sandbox sandbox;
};

void cache_worker_args_format(
	const struct cache_worker_args *args, char out[static CACHE_WORKER_ARGS][CACHE_WORKER_ARG_BYTES]);
/* argv[0] is the program. Every argument must be there, in order. Returns 0 or -EINVAL. */
int cache_worker_args_parse(int argc, char **argv, struct cache_worker_args *args);

#endif
