#include "base/clock.h"
#include "base/log.h"
#include "controlplane/calls/engine_private.h"

/* How long a start of both planes may take before a missing dataplane is worth a warning. */
#define DATAPLANE_START_NS (5 * CLOCK_NS_PER_S)

void watch_begin(struct engine *e, uint64_t now)
{
	e->watch = (struct watch){.silent_at_ns = now + DATAPLANE_START_NS};
}

void watch_tick(struct engine *e, uint64_t now)
{
	uint64_t before = e->watch.ticked_ns, ns = now - before;
	e->watch.ticked_ns = now;
	if (!before || now < before || ns < TG_STUCK_NS)
		return;
	log_warn(calls, NULL, "stood-still",
		"ms=%llu sessions=%u advice=\"find out what stopped the process or the machine\"",
		(unsigned long long)(ns / CLOCK_NS_PER_MS), e->sessions);
	/* If it was the machine, the dataplane stood still too: it gets time to beat. */
	if (e->watch.silent_at_ns < now + TG_SILENT_NS)
		e->watch.silent_at_ns = now + TG_SILENT_NS;
}

static void keep_clock(const struct engine *e)
{
	struct tg_timebase *tb = tg_region_timebase(e->region);
	int64_t by = tg_timebase_keep(tb);
	if (by)
		log_warn(region, NULL, "clock-stepped",
			"by_ms=%lld away_ms=%lld effect=\"new sessions are dated by the new clock, open ones "
			"by "
			"the old\"",
			(long long)(by / 1000000), (long long)(tg_timebase_step_ns(tb) / 1000000));
}

static void look_at_workers(struct engine *e, uint64_t beat, uint64_t now)
{
	for (uint32_t w = 0; w < tg_region_capacity(e->region)->workers; w++) {
		const struct tg_worker_stats *s = tg_region_stats(e->region, w);
		/* At two looks in a row: a process that goes on after it stood still beats before its workers
		 * have looped. */
		bool suspect = tg_worker_state(s, beat, now) == TG_WORKER_STUCK;
		bool stuck = suspect && e->watch.suspect[w];
		e->watch.suspect[w] = suspect;
		if (stuck == e->watch.stuck[w])
			continue;
		e->watch.stuck[w] = stuck;
		uint64_t alive = atomic_load_explicit(&s->alive_ns, memory_order_relaxed);
		if (e->watch.stuck[w])
			log_warn(link, NULL, "worker-stuck", "worker=%u since_ms=%llu", w,
				(unsigned long long)(now > alive ? (now - alive) / CLOCK_NS_PER_MS : 0));
		else
			log_info(link, NULL, "worker-alive", "worker=%u", w);
	}
}

void watch_second(struct engine *e, uint64_t now)
{
	int pid;
	uint64_t beat = tg_region_last_beat(e->region, TG_ROLE_DATAPLANE, &pid);
	bool alive = beat && (now < beat || now - beat < TG_SILENT_NS);
	if (!alive)
		keep_clock(e);
	if (!alive && now < e->watch.silent_at_ns)
		return;
	if (alive == e->watch.silent) {
		e->watch.silent = !alive;
		if (alive)
			log_info(link, NULL, "dataplane-alive", "pid=%d", pid);
		else
			log_warn(link, NULL, "dataplane-silent",
				"advice=\"start tollgate-dataplane: calls get no media\"");
	}
	if (alive)
		look_at_workers(e, beat, now);
}
