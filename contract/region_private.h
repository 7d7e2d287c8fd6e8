/* This process' view of a region. For region.c, which opens and closes it, and region_access.c. */
#ifndef TG_CONTRACT_REGION_PRIVATE_H
#define TG_CONTRACT_REGION_PRIVATE_H

#include <limits.h>

#include "contract/region_layout.h"

struct tg_region {
	uint8_t *base;
	size_t bytes;
	int fd;
	enum tg_role role;
	bool created, huge, gave_up;
	char moved[PATH_MAX + 1024]; /* what was moved aside by this open; "": nothing */
	struct tg_header *header;
	/* Copies of what was checked: noise in the header later on leads nobody astray. */
	uint64_t id;
	struct tg_capacity capacity;
	struct tg_part_span part[TG_PARTS];
	struct tg_ring commands[TG_WORKERS_MAX], events[TG_WORKERS_MAX], meters[TG_WORKERS_MAX];
};

#endif
