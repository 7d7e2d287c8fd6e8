#include "tools/planes.h"

#include <stdio.h>

#include "base/clock.h"

/* Planes beat about once per second. */
#define FRESH_NS (3 * CLOCK_NS_PER_S)

struct plane plane_read(const struct tg_region *region, enum tg_role role, uint64_t now_ns)
{
	struct plane p;
	p.beat_ns = tg_region_last_beat(region, role, &p.pid);
	p.running = p.beat_ns && now_ns < p.beat_ns + FRESH_NS;
	return p;
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
