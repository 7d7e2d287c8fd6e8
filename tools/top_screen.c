#include "tools/top_screen.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "tools/text.h"

#define DROPS_SHOWN 3

struct screen {
	FILE *out;
	int lines, columns;
	const char *end;
};

int top_look(struct top_look *l, const struct tg_region *region)
{
	memset(l, 0, sizeof(*l));
	l->mono_ns = clock_mono_ns();
	l->utc_ns = clock_utc_ns();
	l->workers = tg_region_capacity(region)->workers;
	l->rows = tg_region_legs(region);
	for (uint32_t w = 0; w < l->workers; w++) {
		const struct tg_worker_stats *s = tg_region_stats(region, w);
		struct top_worker *t = &l->worker[w];
		t->state = planes_worker(region, w);
		t->loops = tg_counter_read(&s->loops);
		t->busy = tg_counter_read(&s->busy_cycles);
		t->idle = tg_counter_read(&s->idle_cycles);
		t->rx = tg_counter_read(&s->rx_frames);
		t->tx = tg_counter_read(&s->tx_frames);
		t->legs = tg_counter_read(&s->legs_open);
		t->plays = tg_counter_read(&s->plays_active);
		t->late = tg_counter_read(&s->plays_late);
		for (int i = 0; i < TG_DROPS; i++)
			t->drops[i] = tg_counter_read(&s->drops[i]);
	}
	uint64_t now = planes_now(region);
	l->control = plane_read(region, TG_ROLE_CONTROL, now);
	l->dataplane = plane_read(region, TG_ROLE_DATAPLANE, now);
	l->arena = arena_read(region);
	int e = legs_read(region, now, &l->legs, &l->leg_count);
	if (!e)
		legs_sort(l->legs, l->leg_count);
	return e;
}

void top_look_free(struct top_look *l)
{
	free(l->legs);
	l->legs = NULL;
	l->leg_count = 0;
}

static void line(struct screen *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void line(struct screen *s, const char *fmt, ...)
{
	char text[512];
	if (s->lines <= 0)
		return;
	s->lines--;
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	fprintf(s->out, "%.*s%s", s->columns, text, s->end);
}

/* Counters begin anew when the region is made anew. */
static uint64_t per_second(uint64_t before, uint64_t now, uint64_t ns)
{
	return now > before && ns ? (uint64_t)((double)(now - before) * 1e9 / (double)ns) : 0;
}

static void draw_workers(struct screen *s, const struct top_look *b, const struct top_look *n, uint64_t ns)
{
	line(s, "%-6s %-11s %5s %9s %9s %9s %6s %6s %9s", "WORKER", "STATE", "BUSY", "LOOPS/S", "RX/S",
		"TX/S", "LEGS", "PLAYS", "LATE");
	for (uint32_t w = 0; w < n->workers; w++) {
		const struct top_worker *x = &b->worker[w], *y = &n->worker[w];
		uint64_t busy = y->busy > x->busy ? y->busy - x->busy : 0;
		uint64_t idle = y->idle > x->idle ? y->idle - x->idle : 0;
		double share = busy ? 100.0 * (double)busy / ((double)busy + (double)idle) : 0;
		line(s,
			"%-6u %-11s %4.0f%% %9" PRIu64 " %9" PRIu64 " %9" PRIu64 " %6" PRIu64 " %6" PRIu64
			" %9" PRIu64,
			w, tg_worker_state_name[y->state], share, per_second(x->loops, y->loops, ns),
			per_second(x->rx, y->rx, ns), per_second(x->tx, y->tx, ns), y->legs, y->plays,
			y->late);
	}
}

static void draw_drops(struct screen *s, const struct top_look *b, const struct top_look *n, uint64_t ns)
{
	uint64_t rate[TG_DROPS] = {0}, all = 0;
	char text[256];
	for (int i = 0; i < TG_DROPS; i++) {
		for (uint32_t w = 0; w < n->workers; w++)
			rate[i] += per_second(b->worker[w].drops[i], n->worker[w].drops[i], ns);
		all += rate[i];
	}
	int used = snprintf(text, sizeof(text), "drops/s %" PRIu64, all);
	for (int k = 0; k < DROPS_SHOWN; k++) {
		int most = 0;
		for (int i = 1; i < TG_DROPS; i++)
			if (rate[i] > rate[most])
				most = i;
		if (!rate[most])
			break;
		used += snprintf(text + used, sizeof(text) - (size_t)used, "  %s %" PRIu64,
			tg_drop_info[most].name, rate[most]);
		rate[most] = 0;
	}
	line(s, "%s", text);
}

static void draw_legs(struct screen *s, const struct top_look *n)
{
	char time[32];
	line(s, "%-8s %-3s %-9s %-12s %-11s %-8s %7s %7s %7s", "SESSION", "DIR", "MODULE", "FROM", "TO",
		"STATE", "TIME", "RX", "TX");
	for (size_t i = 0; i < n->leg_count; i++) {
		const struct leg *l = &n->legs[i];
		if (s->lines == 1 && i + 1 < n->leg_count) {
			line(s, "... %zu more", n->leg_count - i);
			return;
		}
		line(s, "%-8.8s %-3s %-9.9s %-12.12s %-11.11s %-8s %7s %7" PRIu64 " %7" PRIu64, l->session,
			l->outbound ? "out" : "in", l->module, l->from, l->to, l->state,
			text_seconds(l->seconds, time, sizeof(time)), l->rx_packets, l->tx_packets);
	}
}

void top_draw(const struct top_look *b, const struct top_look *n, int lines, int columns, const char *end,
	FILE *out)
{
	struct screen s = {.out = out, .lines = lines, .columns = columns, .end = end};
	char when[CLOCK_TEXT_BYTES], text[96], used[32], all[32];
	uint64_t ns = n->mono_ns > b->mono_ns ? n->mono_ns - b->mono_ns : 0;
	clock_format_utc(n->utc_ns, when);
	line(&s, "tollgate %s  %.19sZ", TG_VERSION, when);
	line(&s, "control    %s", plane_text(&n->control, text, sizeof(text)));
	line(&s, "dataplane  %s", plane_text(&n->dataplane, text, sizeof(text)));
	line(&s, "legs %zu of %u   media %u of %u items, %s of %s", n->leg_count, n->rows,
		n->arena.items_used, n->arena.items, text_bytes(n->arena.bytes_used, used, sizeof(used)),
		text_bytes(n->arena.bytes, all, sizeof(all)));
	line(&s, "%s", "");
	draw_workers(&s, b, n, ns);
	draw_drops(&s, b, n, ns);
	line(&s, "%s", "");
	draw_legs(&s, n);
}
