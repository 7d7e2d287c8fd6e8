#include "tools/planes.h"

#include <stdio.h>

#include "base/clock.h"

uint64_t planes_now(const struct tg_region *region)
{
	return tg_timebase_now(tg_region_timebase(region));
}

struct plane plane_read(const struct tg_region *region, enum tg_role role, uint64_t now_ns)
{
	struct plane p;
	p.beat_ns = tg_region_last_beat(region, role, &p.pid);
	p.running = p.beat_ns && now_ns < p.beat_ns + TG_SILENT_NS;
	if (p.beat_ns)
		p.beat_ns += (uint64_t)tg_timebase_step_ns(tg_region_timebase(region));
	return p;
}

enum tg_worker_state planes_worker(const struct tg_region *region, uint32_t worker)
{
	int pid;
	uint64_t beat = tg_region_last_beat(region, TG_ROLE_DATAPLANE, &pid);
	return tg_worker_state(tg_region_stats(region, worker), beat, planes_now(region));
}

const char *plane_text(const struct plane *p, char *out, size_t bytes)
{
	char when[CLOCK_TEXT_BYTES];
	if (!p->beat_ns) {
		snprintf(out, bytes, "never ran");
	} else if (p->running) {
		snprintf(out, bytes, "running (pid %d)", p->pid);
	} else {
		clock_format_utc(p->beat_ns, when);
		snprintf(out, bytes, "not running since %s", when);
	}
	return out;
}

json_t *plane_json(const struct plane *p)
{
	return json_pack("{s:b, s:i, s:o}", "running", (int)p->running, "pid", p->pid, "last_beat",
		tool_time(p->beat_ns));
}
