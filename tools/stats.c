#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "tools/arena.h"
#include "tools/planes.h"
#include "tools/table.h"
#include "tools/text.h"
#include "tools/views.h"

static const struct {
	const char *name, *help;
} fields[] = {
#define STAT(name, help) {#name, help},
	TG_WORKER_STATS(STAT)
#undef STAT
};
#define FIELDS (sizeof(fields) / sizeof(*fields))

static void read_fields(const struct tg_worker_stats *s, uint64_t v[static FIELDS])
{
	size_t i = 0;
#define STAT(name, help) v[i++] = tg_counter_read(&s->name);
	TG_WORKER_STATS(STAT)
#undef STAT
}

static json_t *meters(const tg_counter *counter)
{
	json_t *o = json_object();
	for (int i = 0; i < TG_METERS; i++)
		json_object_set_new(o, tg_meter_name[i], tool_u64(tg_counter_read(&counter[i])));
	return o;
}

static json_t *worker_json(const struct tg_region *region, uint32_t worker)
{
	const struct tg_worker_stats *s = tg_region_stats(region, worker);
	uint64_t v[FIELDS];
	json_t *o = json_object(), *drops = json_object();
	json_object_set_new(o, "worker", json_integer(worker));
	json_object_set_new(o, "state", json_string(tg_worker_state_name[planes_worker(region, worker)]));
	json_object_set_new(o, "alive", tool_time(atomic_load_explicit(&s->alive_ns, memory_order_relaxed)));
	read_fields(s, v);
	for (size_t i = 0; i < FIELDS; i++)
		json_object_set_new(o, fields[i].name, tool_u64(v[i]));
	for (int i = 0; i < TG_DROPS; i++)
		json_object_set_new(drops, tg_drop_info[i].name, tool_u64(tg_counter_read(&s->drops[i])));
	json_object_set_new(o, "drops", drops);
	json_object_set_new(o, "total", meters(s->total));
	json_object_set_new(o, "closed", meters(s->closed));
	return o;
}

json_t *stats_json(const struct tg_region *region)
{
	uint64_t now = planes_now(region);
	uint32_t n = tg_region_capacity(region)->workers;
	struct plane control = plane_read(region, TG_ROLE_CONTROL, now);
	struct plane dataplane = plane_read(region, TG_ROLE_DATAPLANE, now);
	struct arena arena = arena_read(region);
	json_t *workers = json_array();
	for (uint32_t w = 0; w < n; w++)
		json_array_append_new(workers, worker_json(region, w));
	char id[20];
	snprintf(id, sizeof(id), "%016" PRIx64, tg_region_id(region));
	return json_pack("{s:s, s:b, s:o, s:o, s:I, s:o, s:o}", "region", id, "huge_pages",
		(int)tg_region_on_huge_pages(region), "control", plane_json(&control), "dataplane",
		plane_json(&dataplane), "legs", (json_int_t)tg_region_legs(region), "media",
		arena_json(&arena), "workers", workers);
}

/* One line per figure: its name, what each worker says, what it means. */
static struct table figures(const char *const *titles, uint32_t workers)
{
	return (struct table){.titles = titles, .columns = workers + 2};
}

static void print_workers(const struct tg_region *region)
{
	uint32_t n = tg_region_capacity(region)->workers;
	char title[TG_WORKERS_MAX][16];
	const char *titles[TG_WORKERS_MAX + 2] = {"COUNTER"},
					    *drop_titles[TG_WORKERS_MAX + 2] = {"DROPPED BECAUSE"};
	uint64_t v[TG_WORKERS_MAX][FIELDS];
	for (uint32_t w = 0; w < n; w++) {
		snprintf(title[w], sizeof(title[w]), ">WORKER %u", w);
		titles[w + 1] = drop_titles[w + 1] = title[w];
		read_fields(tg_region_stats(region, w), v[w]);
	}
	titles[n + 1] = drop_titles[n + 1] = "";
	struct table t = figures(titles, n), drops = figures(drop_titles, n);
	table_add(&t, "state");
	for (uint32_t w = 0; w < n; w++)
		table_add(&t, "%s", tg_worker_state_name[planes_worker(region, w)]);
	table_add(&t, "stuck: has not looped for a second");
	for (size_t i = 0; i < FIELDS; i++) {
		table_add(&t, "%s", fields[i].name);
		for (uint32_t w = 0; w < n; w++)
			table_add(&t, "%" PRIu64, v[w][i]);
		table_add(&t, "%s", fields[i].help);
	}
	table_print(&t, stdout);
	fputc('\n', stdout);
	for (int i = 0; i < TG_DROPS; i++) {
		table_add(&drops, "%s", tg_drop_info[i].name);
		for (uint32_t w = 0; w < n; w++)
			table_add(&drops, "%" PRIu64, tg_counter_read(&tg_region_stats(region, w)->drops[i]));
		table_add(&drops, "%s", tg_drop_info[i].help);
	}
	table_print(&drops, stdout);
}

int command_stats(const struct tool *tool)
{
	struct tg_region *region;
	int status = tool_region(tool, &region);
	if (status)
		return status;
	if (tool->json) {
		status = tool_print(stats_json(region));
		tg_region_close(region);
		return status;
	}
	char text[96], used[32], all[32];
	uint64_t now = planes_now(region);
	struct plane control = plane_read(region, TG_ROLE_CONTROL, now);
	struct plane dataplane = plane_read(region, TG_ROLE_DATAPLANE, now);
	struct arena arena = arena_read(region);
	printf("control    %s\n", plane_text(&control, text, sizeof(text)));
	printf("dataplane  %s\n", plane_text(&dataplane, text, sizeof(text)));
	printf("region     %016" PRIx64 ", %s, %u legs\n", tg_region_id(region),
		tg_region_on_huge_pages(region) ? "on huge pages" : "not on huge pages",
		tg_region_legs(region));
	printf("media      %u of %u items, %s of %s\n\n", arena.items_used, arena.items,
		text_bytes(arena.bytes_used, used, sizeof(used)), text_bytes(arena.bytes, all, sizeof(all)));
	print_workers(region);
	tg_region_close(region);
	return tool_done();
}
