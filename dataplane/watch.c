#include "dataplane/watch.h"

static uint64_t loops_of(const struct tg_region *region, uint32_t worker)
{
	return tg_counter_read(&tg_region_stats(region, worker)->loops);
}

void dp_watch_begin(struct dp_watch *watch, const struct tg_region *region, uint64_t now_ns)
{
	*watch = (struct dp_watch){.workers = tg_region_capacity(region)->workers, .looked_ns = now_ns};
	for (uint32_t w = 0; w < watch->workers; w++) {
		watch->worker[w].loops = loops_of(region, w);
		watch->worker[w].since_ns = now_ns;
	}
}

static struct dp_watch_news stood_still(struct dp_watch *watch, uint64_t ns)
{
	for (uint32_t w = 0; w < watch->workers; w++)
		watch->worker[w].since_ns += ns;
	return (struct dp_watch_news){.kind = DP_WATCH_STOOD_STILL, .ns = ns};
}

struct dp_watch_news dp_watch_look(struct dp_watch *watch, const struct tg_region *region, uint64_t now_ns)
{
	uint64_t gap = now_ns - watch->looked_ns;
	watch->looked_ns = now_ns;
	if (gap >= TG_STUCK_NS)
		return stood_still(watch, gap);
	for (uint32_t w = 0; w < watch->workers; w++) {
		uint64_t loops = loops_of(region, w), ns = now_ns - watch->worker[w].since_ns;
		if (loops != watch->worker[w].loops) {
			watch->worker[w].loops = loops;
			watch->worker[w].since_ns = now_ns;
			if (!watch->worker[w].stuck)
				continue;
			watch->worker[w].stuck = false;
			watch->stuck--;
			return (struct dp_watch_news){DP_WATCH_ALIVE, w, ns};
		}
		if (!watch->worker[w].stuck && ns >= TG_STUCK_NS) {
			watch->worker[w].stuck = true;
			watch->stuck++;
			return (struct dp_watch_news){DP_WATCH_STUCK, w, ns};
		}
	}
	return (struct dp_watch_news){.kind = DP_WATCH_NOTHING};
}

uint64_t dp_watch_behind(const struct dp_watch *watch)
{
	uint64_t most = 0;
	for (uint32_t w = 0; w < watch->workers; w++) {
		uint64_t ns = watch->looked_ns - watch->worker[w].since_ns;
		most = ns > most ? ns : most;
	}
	return most;
}
