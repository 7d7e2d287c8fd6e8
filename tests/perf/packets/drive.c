/* The control plane's part in the packet benches: programs the legs of the plan through the region of a
 * running tollgate-dataplane, and measures from there what its workers do.
 *
 *     drive SETTINGS relay LEGS SECONDS [LEGS_FROM]   LEGS legs, and as many from LEGS_FROM on
 *     drive SETTINGS control LEGS SECONDS             as relay, and commands as fast as they are taken
 *
 * Prints one JSON object. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "contract/region_open.h"
#include "settings/settings.h"
#include "tests/perf/packets/plan.h"

#define WAIT_S      10
#define COMMANDED   10000u /* control: from here on are the legs that it is about; packets go to others */
#define WARM_UP_MS  500
#define SAMPLES_MAX 1000000

static struct drive {
	struct tg_region *region;
	const struct tg_capacity *cap;
	uint32_t generation; /* of all legs */
	uint64_t hz, records;
} d;

/* What a worker has done, at a moment. */
struct figures {
	uint64_t tsc, rx, tx, busy, drops[TG_DROPS], commands, refusals;
};

static void fail(const char *what)
{
	fprintf(stderr, "drive: %s\n", what);
	exit(1);
}

static void nap_ms(long ms)
{
	struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
	nanosleep(&t, NULL);
}

static struct figures look(uint32_t worker)
{
	const struct tg_worker_stats *s = tg_region_stats(d.region, worker);
	struct figures f = {.tsc = tg_tsc(),
		.rx = tg_counter_read(&s->rx_frames),
		.tx = tg_counter_read(&s->tx_frames),
		.busy = tg_counter_read(&s->busy_cycles),
		.commands = tg_counter_read(&s->commands),
		.refusals = tg_counter_read(&s->refusals)};
	for (int i = 0; i < TG_DROPS; i++)
		f.drops[i] = tg_counter_read(&s->drops[i]);
	return f;
}

static uint64_t dropped(const struct figures *f)
{
	uint64_t n = 0;
	for (int i = 0; i < TG_DROPS; i++)
		n += f->drops[i];
	return n;
}

static void tell(const struct tg_command *c)
{
	uint64_t end = tg_tsc() + WAIT_S * d.hz;
	while (tg_ring_push(tg_region_commands(d.region, tg_capacity_worker(d.cap, c->leg)), c))
		if (tg_tsc() > end)
			fail("the command ring stays full");
}

static void settle(void)
{
	uint64_t end = tg_tsc() + WAIT_S * d.hz;
	for (uint32_t w = 0; w < d.cap->workers; w++)
		while (tg_ring_waiting(tg_region_commands(d.region, w)))
			if (tg_tsc() > end)
				fail("commands aren't taken");
}

static struct tg_command program(uint32_t leg)
{
	return (struct tg_command){
		.kind = TG_CMD_PROGRAM, .leg = leg, .generation = d.generation, .program = plan_program(leg)};
}

static struct tg_command relay(uint32_t leg)
{
	return (struct tg_command){.kind = TG_CMD_SOURCE,
		.leg = leg,
		.generation = d.generation,
		.source = {.kind = TG_SOURCE_RELAY, .peer = leg ^ 1, .generation = d.generation}};
}

static void relay_all(uint32_t from, uint32_t legs)
{
	for (uint32_t leg = from; leg < from + legs; leg++) {
		struct tg_command c = program(leg);
		tell(&c);
	}
	for (uint32_t leg = from; leg < from + legs; leg++) {
		struct tg_command c = relay(leg);
		tell(&c);
	}
	settle();
}

static void wait_for_links(uint32_t worker)
{
	const struct tg_next_hop *hop = tg_region_next_hops(d.region, worker);
	uint64_t end = tg_tsc() + WAIT_S * d.hz;
	for (uint32_t i = 0; i < TG_NEXT_HOPS; i++)
		while (atomic_load(&hop[i].state) == TG_NEXT_HOP_WANTED && !atomic_load(&hop[i].link))
			if (tg_tsc() > end)
				fail("a next hop stays unknown: is there a route to 198.19.100.0/24?");
}

static void print_figures(const struct figures *a, const struct figures *b, uint32_t workers)
{
	double mpps = 0, cycles = 0;
	uint64_t unknown = 0;
	printf("\"drops\": {");
	bool first = true;
	for (int i = 0; i < TG_DROPS; i++) {
		uint64_t n = 0;
		for (uint32_t w = 0; w < workers; w++)
			n += b[w].drops[i] - a[w].drops[i];
		if (n)
			printf("%s\"%s\": %llu", first ? "" : ", ", tg_drop_info[i].name,
				(unsigned long long)n);
		first = first && !n;
	}
	for (uint32_t w = 0; w < workers; w++) {
		mpps += (double)(b[w].tx - a[w].tx) / ((double)(b[w].tsc - a[w].tsc) / (double)d.hz) / 1e6;
		cycles += (double)(b[w].busy - a[w].busy) / (double)(b[w].tx - a[w].tx) / workers;
		unknown += b[w].rx - a[w].rx;
		unknown -= b[w].tx - a[w].tx + dropped(&b[w]) - dropped(&a[w]);
	}
	printf("}, \"mpps\": %.3f, \"cycles_per_packet\": %.1f, \"unaccounted\": %lld", mpps, cycles,
		(long long)unknown);
}

static void measure(double seconds)
{
	struct figures a[TG_WORKERS_MAX], b[TG_WORKERS_MAX];
	nap_ms(WARM_UP_MS);
	for (uint32_t w = 0; w < d.cap->workers; w++)
		a[w] = look(w);
	nap_ms((long)(seconds * 1000));
	for (uint32_t w = 0; w < d.cap->workers; w++)
		b[w] = look(w);
	printf("{");
	print_figures(a, b, d.cap->workers);
	printf("}\n");
}

/* --- commands ------------------------------------------------------------------------------------------- */

/* The n-th command: a change of program, a change of source, a new stint, a release and what opens it again.
 */
static struct tg_command command(uint32_t legs, uint64_t n)
{
	uint32_t leg = COMMANDED + (uint32_t)(n / 6 * 7919 % legs);
	struct tg_command c = {.leg = leg, .generation = d.generation};
	switch (n % 6) {
	case 0:
		return program(leg);
	case 1:
		c.kind = TG_CMD_SOURCE;
		return c;
	case 2:
		return relay(leg);
	case 3:
		c.kind = TG_CMD_STINT;
		c.stint = (uint32_t)(n / 6);
		return c;
	case 4:
		c.kind = TG_CMD_RELEASE;
		return c;
	}
	return program(leg);
}

/* As the journal would: out of the ring, and counted. */
static void take_records(void)
{
	struct tg_meter_record r[64];
	struct tg_event e[64];
	d.records += tg_ring_pop(tg_region_meters(d.region, 0), r, 64);
	tg_ring_pop(tg_region_events(d.region, 0), e, 64);
}

static int compare(const void *x, const void *y)
{
	uint64_t a = *(const uint64_t *)x, b = *(const uint64_t *)y;
	return (a > b) - (a < b);
}

static void command_all(uint32_t legs, double seconds)
{
	const struct tg_ring *ring = tg_region_commands(d.region, 0);
	uint64_t *wait = malloc(SAMPLES_MAX * sizeof(*wait)), samples = 0, sent = 0, watched = 0, since = 0;
	if (!wait)
		fail("no memory");
	nap_ms(WARM_UP_MS);
	struct figures a = look(0);
	uint64_t end = a.tsc + (uint64_t)(seconds * (double)d.hz), now = a.tsc;
	while (now < end) {
		/* A few at a time are under way, as from one thread that has calls to serve. */
		if (tg_ring_waiting(ring) < 64) {
			struct tg_command c = command(legs, sent);
			sent += !tg_ring_push(ring, &c);
		}
		now = tg_tsc();
		if (!since) {
			watched = sent;
			since = now;
		} else if (sent - tg_ring_waiting(ring) >= watched && sent > watched) {
			if (samples < SAMPLES_MAX)
				wait[samples++] = now - since;
			since = 0;
		}
		take_records();
	}
	settle();
	struct figures b = look(0);
	qsort(wait, samples, sizeof(*wait), compare);
	uint64_t p50 = wait[samples / 2], p99 = wait[samples * 99 / 100];
	printf("{\"commands_per_s\": %.0f, \"refused\": %llu, \"records\": %llu, \"p50_us\": %.1f, "
	       "\"p99_us\": %.1f, ",
		(double)(b.commands - a.commands) / ((double)(b.tsc - a.tsc) / (double)d.hz),
		(unsigned long long)(b.refusals - a.refusals), (unsigned long long)d.records,
		(double)p50 * 1e6 / (double)d.hz, (double)p99 * 1e6 / (double)d.hz);
	print_figures(&a, &b, 1);
	printf("}\n");
	free(wait);
}

static void open_region(const char *path)
{
	static struct settings s;
	struct tg_capacity cap;
	char why[1024];
	if (settings_load(path, &s, why, sizeof(why)))
		fail(why);
	settings_capacity(&s, &cap);
	if (tg_region_open_or_fallback(
		    &d.region, s.region.dir, s.region.name, &cap, TG_ROLE_CONTROL, why, sizeof(why)))
		fail(why);
	d.cap = tg_region_capacity(d.region);
	d.generation = tg_region_next_generation(d.region);
	d.hz = atomic_load(&tg_region_timebase(d.region)->ticks_per_s);
}

int main(int argc, char **argv)
{
	if (argc < 5)
		return 2;
	open_region(argv[1]);
	uint32_t legs = (uint32_t)atoi(argv[3]);
	relay_all(0, legs);
	if (!strcmp(argv[2], "control"))
		relay_all(COMMANDED, legs);
	if (argc > 5)
		relay_all((uint32_t)atoi(argv[5]), legs);
	for (uint32_t w = 0; w < d.cap->workers; w++)
		wait_for_links(w);
	if (!strcmp(argv[2], "control"))
		command_all(legs, atof(argv[4]));
	else
		measure(atof(argv[4]));
	tg_region_close(d.region);
	return 0;
}
