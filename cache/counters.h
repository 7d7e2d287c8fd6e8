/* The media layer's counters. Its own thread alone touches them. */
#ifndef TG_CACHE_COUNTERS_H
#define TG_CACHE_COUNTERS_H

#include <stdint.h>

#include "cache/error.h"

struct cache_counters {
#define COUNTER(name, help) uint64_t name;
#include "cache/counters.def"
#undef COUNTER
	uint64_t failures[CACHE_ERRORS]; /* failed requests by cause */
};

#endif
