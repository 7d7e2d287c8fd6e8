#include "contract/stats.h"

const char *const tg_worker_state_name[TG_WORKER_STATES] = {
	[TG_WORKER_OFF] = "not running", [TG_WORKER_RUNS] = "running", [TG_WORKER_STUCK] = "stuck"};

/* From one moment to another; 0 if the second isn't later. */
static uint64_t since(uint64_t then_ns, uint64_t now_ns)
{
	return now_ns > then_ns ? now_ns - then_ns : 0;
}

enum tg_worker_state tg_worker_state(const struct tg_worker_stats *s, uint64_t beat_ns, uint64_t now_ns)
{
	uint64_t alive = atomic_load_explicit(&s->alive_ns, memory_order_relaxed);
	if (!alive || !beat_ns || since(beat_ns, now_ns) >= TG_SILENT_NS)
		return TG_WORKER_OFF;
	return since(alive, beat_ns) >= TG_STUCK_NS ? TG_WORKER_STUCK : TG_WORKER_RUNS;
}
