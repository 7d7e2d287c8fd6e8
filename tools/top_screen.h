/* One screen of `tollgate top`: two looks at the region, and the lines that they make. */
#ifndef TG_TOOLS_TOP_SCREEN_H
#define TG_TOOLS_TOP_SCREEN_H

#include <stdio.h>

#include "tools/arena.h"
#include "tools/legs.h"
#include "tools/planes.h"

struct top_worker {
	enum tg_worker_state state;
	uint64_t loops, busy, idle, rx, tx, legs, plays, late;
	uint64_t drops[TG_DROPS];
};

struct top_look {
	uint64_t mono_ns, utc_ns;
	uint32_t workers, rows;
	struct top_worker worker[TG_WORKERS_MAX];
	struct plane control, dataplane;
	struct arena arena;
	struct leg *legs;
	size_t leg_count;
};

/* Returns 0 or -ENOMEM. top_look_free() also takes one that is all zero. */
int top_look(struct top_look *look, const struct tg_region *region);
void top_look_free(struct top_look *look);

/* At most `lines` lines of at most `columns` characters, each ended by `end`. Rates are those between the
 * two. */
void top_draw(const struct top_look *before, const struct top_look *now, int lines, int columns,
	const char *end, FILE *out);

#endif
