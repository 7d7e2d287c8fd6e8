/* Sizes and sentinels that every part of the region shares. */
#ifndef TG_CONTRACT_BOUNDS_H
#define TG_CONTRACT_BOUNDS_H

#include <stdint.h>

#define TG_CACHE_LINE  64
#define TG_WORKERS_MAX 16
#define TG_ADDRS_MAX   64
/* "No leg", "no item", "no next hop": an index that is never valid. */
#define TG_NONE UINT32_MAX

#endif
