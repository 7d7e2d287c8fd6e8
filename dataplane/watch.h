/* Whether the workers still loop, as the main lcore sees it. Pure: it is given the time, and says what is
 * news.
 *
 * A worker whose count of loops has not changed for TG_STUCK_NS is stuck. Where the main lcore itself comes
 * so late that it may be the whole process, or the machine, that stood still, all workers get that time
 * again. */
#ifndef TG_DATAPLANE_WATCH_H
#define TG_DATAPLANE_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "contract/region.h"

struct dp_watch {
	uint32_t workers, stuck;
	uint64_t looked_ns;
	struct {
		uint64_t loops, since_ns;
		bool stuck;
	} worker[TG_WORKERS_MAX];
};

enum dp_watch_kind { DP_WATCH_NOTHING, DP_WATCH_STOOD_STILL, DP_WATCH_STUCK, DP_WATCH_ALIVE };

struct dp_watch_news {
	enum dp_watch_kind kind;
	uint32_t worker;
	uint64_t ns; /* for how long */
};

/* now_ns: monotonic, here and below. */
void dp_watch_begin(struct dp_watch *watch, const struct tg_region *region, uint64_t now_ns);
/* Several times per second. Returns one piece of news; to be called again at the same time until it returns
 * DP_WATCH_NOTHING. */
struct dp_watch_news dp_watch_look(struct dp_watch *watch, const struct tg_region *region, uint64_t now_ns);
/* For how long the worker that is furthest behind has not looped, as of the last look. */
uint64_t dp_watch_behind(const struct dp_watch *watch);

#endif
