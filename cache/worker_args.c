#include "cache/worker_args.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CODEC, HINT, RATE, CHANNELS, MAX_SECONDS, MEMORY_MIB, CPU_SECONDS };

static const char *const key[CACHE_WORKER_ARGS] = {
	"codec", "hint", "rate", "channels", "max-seconds", "memory-mib", "cpu-seconds"};

void cache_worker_args_format(
	const struct cache_worker_args *a, char out[static CACHE_WORKER_ARGS][CACHE_WORKER_ARG_BYTES])
{
	unsigned v[CACHE_WORKER_ARGS] = {[CODEC] = a->codec,
		[HINT] = a->type.hint,
		[RATE] = a->type.rate,
		[CHANNELS] = a->type.channels,
		[MAX_SECONDS] = a->max_seconds,
		[MEMORY_MIB] = a->sandbox.memory_mib,
		[CPU_SECONDS] = a->sandbox.cpu_seconds};
	for (int i = 0; i < CACHE_WORKER_ARGS; i++)
		snprintf(out[i], CACHE_WORKER_ARG_BYTES, "%s=%u", key[i], v[i]);
}

static int value(const char *arg, const char *name, unsigned long *v)
{
	size_t n = strlen(name);
	if (strncmp(arg, name, n) || arg[n] != '=' || arg[n + 1] < '0' || arg[n + 1] > '9')
		return -EINVAL;
	char *end;
	errno = 0;
	*v = strtoul(arg + n + 1, &end, 10);
	return *end || errno || *v > UINT32_MAX ? -EINVAL : 0;
}

int cache_worker_args_parse(int argc, char **argv, struct cache_worker_args *args)
{
	unsigned long v[CACHE_WORKER_ARGS];
	if (argc != CACHE_WORKER_ARGS + 1)
		return -EINVAL;
	for (int i = 0; i < CACHE_WORKER_ARGS; i++)
		if (value(argv[i + 1], key[i], &v[i]))
			return -EINVAL;
	if (v[CODEC] > UINT8_MAX || v[HINT] >= CACHE_HINTS || !v[MAX_SECONDS] || !v[MEMORY_MIB] ||
		!v[CPU_SECONDS])
		return -EINVAL;
	*args = (struct cache_worker_args){
		.codec = (uint8_t)v[CODEC],
		.type = {(enum cache_hint)v[HINT], (unsigned)v[RATE], (unsigned)v[CHANNELS]},
		.max_seconds = (uint32_t)v[MAX_SECONDS],
		.sandbox = {(unsigned)v[MEMORY_MIB], (unsigned)v[CPU_SECONDS]},
	};
	return 0;
}
