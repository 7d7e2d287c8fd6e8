#include "tools/arena.h"

struct arena arena_read(const struct tg_region *region)
{
	const struct tg_capacity *cap = tg_region_capacity(region);
	struct arena a = {.items = cap->media_items, .bytes = cap->arena_bytes};
	for (uint32_t i = 0; i < a.items; i++) {
		const struct tg_media_item *item = tg_region_media(region, i);
		if (atomic_load_explicit(&item->state, memory_order_acquire) == TG_MEDIA_FREE)
			continue;
		a.items_used++;
		a.bytes_used += item->bytes;
	}
	return a;
}

json_t *arena_json(const struct arena *a)
{
	return json_pack("{s:I, s:I, s:o, s:o}", "items", (json_int_t)a->items, "items_used",
		(json_int_t)a->items_used, "arena_bytes", tool_u64(a->bytes), "arena_bytes_used",
		tool_u64(a->bytes_used));
}
