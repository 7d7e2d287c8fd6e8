/* Signs of life of the planes. */
#ifndef TG_TOOLS_PLANES_H
#define TG_TOOLS_PLANES_H

#include "tools/tool.h"

struct plane {
	uint64_t beat_ns; /* UTC; 0: never ran */
	int pid;
	bool running; /* the last beat is fresh */
};

/* Now by the region's clock, which times in the region are compared with; the wall clock may have been
 * stepped. */
uint64_t planes_now(const struct tg_region *region);
struct plane plane_read(const struct tg_region *region, enum tg_role role, uint64_t now_ns);
enum tg_worker_state planes_worker(const struct tg_region *region, uint32_t worker);
/* "running (pid 17)", "not running since 2026-11-22T13:00:00.123Z", "never ran". */
const char *plane_text(const struct plane *plane, char *out, size_t bytes);
json_t *plane_json(const struct plane *plane);

#endif
