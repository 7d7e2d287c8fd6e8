/* The media table, as totals and item by item. */
#ifndef TG_TOOLS_ARENA_H
#define TG_TOOLS_ARENA_H

#include "tools/tool.h"

struct arena {
	uint32_t items, items_used; /* entries of the table; those that aren't free */
	uint64_t bytes, bytes_used;
};

struct arena arena_read(const struct tg_region *region);
json_t *arena_json(const struct arena *arena);

#endif
