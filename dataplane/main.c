/* tollgate-dataplane: start-up in the order in which things depend on each other, the main lcore's loop, and
 * the same way back. After "ready" nothing ends the process but a signal. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_launch.h>
#include <rte_lcore.h>
#include <rte_mbuf.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/notify.h"
#include "contract/region_open.h"
#include "dataplane/environment.h"
#include "dataplane/kernel.h"
#include "dataplane/link_state.h"
#include "dataplane/neighbour.h"
#include "dataplane/port.h"
#include "dataplane/telemetry.h"
#include "dataplane/watch.h"
#include "dataplane/worker.h"
#include "settings/settings.h"

#define WHY_BYTES 1024
/* The main lcore's rounds: with a tap it looks at the rings of the workers, who can't wake it. */
#define ROUND_NS      (5 * CLOCK_NS_PER_MS)
#define ROUND_TAP_NS  (1 * CLOCK_NS_PER_MS)
#define ROUND_BUSY_NS (CLOCK_NS_PER_MS / 10)
#define BUSY_FOR_NS   (20 * CLOCK_NS_PER_MS)
#define BEAT_NS       (100 * CLOCK_NS_PER_MS)
#define REFRESH_NS    CLOCK_NS_PER_S
/* A worker that has not looped for so long may be stuck soon: the watchdog is told when it has looped again.
 */
#define LATE_NS    (3 * BEAT_NS)
#define MBUF_CACHE 256
/* Beside what the ports' queues hold: bursts, rings between lcores. */
#define POOL_SPARE 2048u
/* A buffer of 2,176 bytes with its headers; small pages hold one each, since none may cross a page. */
#define BUFFER_BYTES 2496
#define PAGE_BYTES   4096

struct dataplane {
	struct settings settings;
	struct tg_capacity cap;
	struct tg_region *region;
	bool environment;
	struct rte_mempool *pool[TG_WORKERS_MAX];
	struct dp_exchange exchange;
	struct dp_port port[SETTINGS_PORTS_MAX];
	uint32_t ports; /* that are open */
	struct dp_kernel kernel;
	struct dp_link_state link_state;
	struct dp_neighbour *neighbour;
	struct dp_capture *capture;
	struct dp_worker *worker;
	uint32_t workers; /* that are open */
	atomic_bool stop;
	struct notify notify;
	struct dp_watch watch;
};

/* The one thing that a signal handler can reach. */
static volatile sig_atomic_t ended;

static void on_signal(int signal_number)
{
	ended = 1;
}

static int open_region(struct dataplane *d, char *why)
{
	const struct settings *s = &d->settings;
	int e = tg_region_open_or_fallback(
		&d->region, s->region.dir, s->region.name, &d->cap, TG_ROLE_DATAPLANE, why, WHY_BYTES);
	if (e)
		return e;
	if (tg_region_moved_aside(d->region))
		log_error(region, NULL, "region-damaged", "reason=%s",
			log_quote(tg_region_moved_aside(d->region)));
	e = tg_region_claim(d->region, s->node.name, why, WHY_BYTES);
	if (e)
		return e;
	if (!tg_region_on_huge_pages(d->region))
		log_warn(region, NULL, "no-huge-pages",
			"dir=%s instead=%s effect=\"slower\" repair=\"sysctl -w vm.nr_hugepages=512; mount "
			"-t "
			"hugetlbfs nodev /dev/hugepages\"",
			s->region.dir, tg_region_place(s->region.dir, s->region.name));
	return 0;
}

/* Where the worker's processor has its memory; workers take the lcores in order (launch()). */
static int socket_of(uint32_t worker)
{
	uint32_t w = 0;
	unsigned lcore;
	RTE_LCORE_FOREACH_WORKER(lcore)
	{
		if (w++ == worker)
			return (int)rte_lcore_to_socket_id(lcore);
	}
	return SOCKET_ID_ANY;
}

static int make_pools(struct dataplane *d, char *why)
{
	/* Keep an eighth for everything else. */
	uint64_t each = tg_region_on_huge_pages(d->region) ? BUFFER_BYTES : PAGE_BYTES;
	uint64_t n = (uint64_t)d->settings.eal.memory_mib * 1024 * 1024 / 8 * 7 / each / d->cap.workers;
	uint64_t need = (uint64_t)DP_PORT_BUFFERS * (uint32_t)d->settings.ports + POOL_SPARE;
	if (n < need) {
		snprintf(why, WHY_BYTES,
			"eal.memory_mib = %d is too little for %d ports and %u workers: at least %llu",
			d->settings.eal.memory_mib, d->settings.ports, d->cap.workers,
			(unsigned long long)(need * d->cap.workers * each / 7 * 8 / 1024 / 1024 + 1));
		return -EINVAL;
	}
	for (uint32_t w = 0; w < d->cap.workers; w++) {
		char name[32];
		snprintf(name, sizeof(name), "frames_%u", w);
		d->pool[w] = rte_pktmbuf_pool_create(
			name, (unsigned)n, MBUF_CACHE, 0, RTE_MBUF_DEFAULT_BUF_SIZE, socket_of(w));
		if (!d->pool[w]) {
			snprintf(why, WHY_BYTES,
				"no memory for packet buffers: make eal.memory_mib larger (now %d), or "
				"reserve more huge "
				"pages (sysctl vm.nr_hugepages)",
				d->settings.eal.memory_mib);
			return -ENOMEM;
		}
	}
	return 0;
}

static int open_ports(struct dataplane *d, char *why)
{
	for (int p = 0; p < d->settings.ports; p++) {
		d->port[p].settings = &d->settings.port[p];
		d->port[p].index = (uint32_t)p;
		int e = dp_port_open(&d->port[p], &d->cap, d->pool, why, WHY_BYTES);
		if (e)
			return e;
		d->ports++;
	}
	return 0;
}

static enum dp_checksum checksum_of(const char *setting)
{
	return !strcmp(setting, "zero")    ? DP_CHECKSUM_ZERO
	       : !strcmp(setting, "carry") ? DP_CHECKSUM_CARRY
					   : DP_CHECKSUM_FULL;
}

static int open_workers(struct dataplane *d, char *why)
{
	struct dp_worker_options o = {.region = d->region,
		.exchange = &d->exchange,
		.port = d->port,
		.ports = d->ports,
		.capture = d->capture,
		.checksum = (uint8_t)checksum_of(d->settings.media.udp_checksum),
		.packets_per_s = (uint32_t)d->settings.media.rate,
		.rtcp_interval_ms = (uint32_t)d->settings.media.rtcp_interval_ms,
		.adaptive = strcmp(d->settings.media.idle, "spin") != 0,
		.stop = &d->stop};
	d->worker = aligned_alloc(TG_CACHE_LINE, d->cap.workers * sizeof(*d->worker));
	for (uint32_t w = 0; d->worker && w < d->cap.workers; w++) {
		if (dp_worker_open(&d->worker[w], w, &o, d->pool[w]))
			break;
		d->workers++;
	}
	if (d->workers == d->cap.workers)
		return 0;
	snprintf(why, WHY_BYTES, "out of memory for %u workers", d->cap.workers);
	return -ENOMEM;
}

static int start(struct dataplane *d, char *why)
{
	settings_capacity(&d->settings, &d->cap);
	int e = open_region(d, why);
	if (!e)
		e = dp_environment_start(&d->settings, tg_region_on_huge_pages(d->region), why, WHY_BYTES);
	d->environment = !e;
	if (!e)
		e = make_pools(d, why);
	if (!e && dp_exchange_open(&d->exchange, d->cap.workers)) {
		snprintf(why, WHY_BYTES, "no memory for rings: make eal.memory_mib larger");
		e = -ENOMEM;
	}
	if (!e)
		e = open_ports(d, why);
	if (!e) {
		d->kernel = (struct dp_kernel){
			.exchange = &d->exchange, .pool = d->pool[0], .port = d->port, .ports = d->ports};
		e = dp_kernel_open(&d->kernel, why, WHY_BYTES);
	}
	if (!e) {
		e = dp_neighbour_open(&d->neighbour, d->region, d->port, d->ports);
		if (e)
			snprintf(why, WHY_BYTES, "no netlink socket: %s", strerror(-e));
	}
	if (!e && dp_capture_open(&d->capture, d->region, d->settings.node.run_dir)) {
		snprintf(why, WHY_BYTES, "out of memory");
		e = -ENOMEM;
	}
	if (!e)
		e = open_workers(d, why);
	if (!e) {
		e = dp_telemetry_open(d->region, d->port, d->ports, d->capture);
		if (e)
			snprintf(why, WHY_BYTES, "DPDK takes no telemetry endpoints: %s", strerror(-e));
	}
	if (!e)
		dp_link_state_open(&d->link_state, d->port, d->ports);
	return e;
}

static void launch(struct dataplane *d)
{
	uint32_t w = 0;
	unsigned lcore;
	RTE_LCORE_FOREACH_WORKER(lcore)
	{
		if (w < d->workers)
			rte_eal_remote_launch(dp_worker_run, &d->worker[w++], lcore);
	}
}

/* Sleeps until something is to be read or the round is over. */
static void wait_round(struct dataplane *d, uint64_t ns)
{
	struct pollfd fd[SETTINGS_PORTS_MAX + 1] = {{.fd = dp_neighbour_fd(d->neighbour), .events = POLLIN}};
	nfds_t n = 1;
	for (uint32_t p = 0; p < d->ports; p++)
		if (d->kernel.fd[p] >= 0)
			fd[n++] = (struct pollfd){.fd = d->kernel.fd[p], .events = POLLIN};
	struct timespec t = {.tv_nsec = (long)ns};
	ppoll(fd, n, &t, NULL);
}

static void keep_clock(struct dataplane *d)
{
	struct tg_timebase *tb = tg_region_timebase(d->region);
	int64_t by = tg_timebase_keep(tb);
	if (by)
		log_warn(region, NULL, "clock-stepped",
			"by_ms=%lld away_ms=%lld effect=\"new sessions are dated by the new clock, open ones "
			"by "
			"the old\"",
			(long long)(by / 1000000), (long long)(tg_timebase_step_ns(tb) / 1000000));
}

static void tell(const struct dp_watch_news *news)
{
	unsigned long long ms = news->ns / CLOCK_NS_PER_MS;
	switch (news->kind) {
	case DP_WATCH_STOOD_STILL:
		log_warn(dataplane, NULL, "stood-still",
			"ms=%llu advice=\"find out what stopped the process or the machine\"", ms);
		break;
	case DP_WATCH_STUCK:
		log_error(dataplane, NULL, "worker-stuck",
			"worker=%u since_ms=%llu effect=\"its legs are silent; the watchdog is not told that "
			"all is "
			"well\"",
			news->worker, ms);
		break;
	case DP_WATCH_ALIVE:
		log_info(dataplane, NULL, "worker-alive", "worker=%u after_ms=%llu", news->worker, ms);
		break;
	case DP_WATCH_NOTHING:
		break;
	}
}

/* The unit's watchdog hears of us only while every worker loops: a stuck one gets the process replaced. */
static void look_after_workers(struct dataplane *d, uint64_t now)
{
	struct dp_watch_news news;
	while ((news = dp_watch_look(&d->watch, d->region, now)).kind != DP_WATCH_NOTHING)
		tell(&news);
	if (dp_watch_behind(&d->watch) < LATE_NS)
		notify_alive(&d->notify, now, "all workers run");
}

static void run_main(struct dataplane *d)
{
	struct tg_timebase *tb = tg_region_timebase(d->region);
	uint64_t beat = 0, refresh = 0, served = 0, neighbours = 0;
	dp_watch_begin(&d->watch, d->region, clock_mono_ns());
	while (!ended) {
		uint64_t now = clock_mono_ns();
		if (dp_kernel_serve(&d->kernel))
			served = now;
		if (now - neighbours >= ROUND_NS) {
			dp_neighbour_serve(d->neighbour, now);
			dp_capture_serve(d->capture);
			neighbours = now;
		}
		if (now - refresh >= REFRESH_NS) {
			keep_clock(d);
			for (uint32_t p = 0; p < d->ports; p++)
				dp_port_refresh_mtu(&d->port[p]);
			refresh = now;
		}
		if (now - beat >= BEAT_NS) {
			tg_region_beat(d->region, TG_ROLE_DATAPLANE, tg_timebase_now(tb));
			look_after_workers(d, now);
			dp_link_state_look(&d->link_state);
			beat = now;
		}
		wait_round(d, !d->kernel.taps              ? ROUND_NS
			      : now - served < BUSY_FOR_NS ? ROUND_BUSY_NS
							   : ROUND_TAP_NS);
	}
}

static void stop(struct dataplane *d)
{
	if (d->capture)
		dp_capture_refuse(d->capture);
	dp_telemetry_close();
	atomic_store(&d->stop, true);
	if (d->environment)
		rte_eal_mp_wait_lcore();
	dp_capture_close(d->capture);
	for (uint32_t w = 0; w < d->workers; w++)
		dp_worker_close(&d->worker[w]);
	free(d->worker);
	dp_link_state_close(&d->link_state);
	dp_neighbour_close(d->neighbour);
	dp_kernel_close(&d->kernel);
	for (uint32_t p = 0; p < d->ports; p++)
		dp_port_close(&d->port[p]);
	if (d->environment) {
		dp_exchange_close(&d->exchange);
		for (uint32_t w = 0; w < d->cap.workers; w++)
			rte_mempool_free(d->pool[w]);
		dp_environment_stop();
	}
	tg_region_close(d->region);
}

/* Short outages leave no other line of ours. */
static void say_what_was_taken_over(const struct dataplane *d)
{
	uint32_t legs = 0;
	for (uint32_t w = 0; w < d->workers; w++)
		legs += d->worker[w].legs.open_count;
	if (legs)
		log_warn(dataplane, NULL, "legs-taken-over",
			"legs=%u effect=\"silent since the dataplane before this one ended: their records "
			"say so\"",
			legs);
}

static int run(const char *path)
{
	char why[WHY_BYTES] = "";
	struct dataplane *d = calloc(1, sizeof(*d));
	if (!d)
		return EXIT_FAILURE;
	for (int p = 0; p < SETTINGS_PORTS_MAX; p++)
		d->kernel.fd[p] = d->port[p].claim = -1;
	notify_open(&d->notify);
	d->link_state.socket = -1;
	int e = settings_load(path, &d->settings, why, sizeof(why));
	if (!e)
		e = start(d, why);
	if (e) {
		log_error(dataplane, NULL, "not-started", "reason=%s", log_quote(why));
	} else {
		say_what_was_taken_over(d);
		launch(d);
		log_info(dataplane, NULL, "ready", "region=%s created=%d workers=%u ports=%u legs=%u",
			d->settings.region.name, tg_region_created(d->region), d->workers, d->ports,
			tg_region_legs(d->region));
		notify_say(&d->notify, "READY=1\nSTATUS=all workers run");
		run_main(d);
		notify_say(&d->notify, "STOPPING=1\nSTATUS=closing ports");
		log_info(dataplane, NULL, "ending", "workers=%u", d->workers);
	}
	stop(d);
	notify_close(&d->notify);
	free(d);
	return e ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	if (argc != 3 || strcmp(argv[1], "--settings")) {
		fprintf(stderr, "usage: tollgate-dataplane --settings FILE\n");
		return argc == 2 && !strcmp(argv[1], "--help") ? EXIT_SUCCESS : 2;
	}
	struct sigaction end = {.sa_handler = on_signal}, ignore = {.sa_handler = SIG_IGN};
	sigaction(SIGTERM, &end, NULL);
	sigaction(SIGINT, &end, NULL);
	sigaction(SIGPIPE, &ignore, NULL);
	return run(argv[2]);
}
