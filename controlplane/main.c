/* tollgate-control: SIP, calls, modules, records. Starts the parts in the order in which they need each other
 * and stops them in reverse. */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/notify.h"
#include "cache/service.h"
#include "contract/region_open.h"
#include "controlplane/api/api.h"
#include "controlplane/calls/engine.h"
#include "controlplane/calls/shelf.h"
#include "controlplane/journal/journal.h"
#include "controlplane/modules/registry.h"
#include "controlplane/records/records.h"
#include "controlplane/sip/loop.h"

/* Time for far ends to answer our BYEs before the process ends all the same. */
#define STOP_GRACE_MS 5000

struct control {
	const char *settings_path;
	struct settings settings;
	struct tg_region *region;
	struct registry *registry;
	struct shelf *shelf;
	struct loop *loop;
	struct usage *usage;
	struct recovery *recovery;
	struct records *records;
	struct journal *journal;
	struct cache_service *cache;
	_Atomic(struct engine *) engine; /* the journal's thread looks */
	struct api *api;
	int signals, alive;
	struct notify notify;
	char journal_dir[PATH_MAX], cdr_dir[PATH_MAX], media_socket[PATH_MAX], control_socket[PATH_MAX];
};

static int fail(const char *why)
{
	/* Not by stderr, which may be the SIP stack's by now. */
	dprintf(STDERR_FILENO, "tollgate-control: %s\n", why);
	return -1;
}

/* --- the journal's callbacks ------------------------------------------------------------------------- */

static uint64_t journal_time(void *ctx)
{
	struct control *c = ctx;
	return tg_timebase_now(tg_region_timebase(c->region));
}

static void on_synced(void *ctx, uint64_t sequence)
{
	struct control *c = ctx;
	struct engine *e = atomic_load_explicit(&c->engine, memory_order_acquire);
	if (e)
		engine_synced(e, sequence);
}

static void on_trouble(void *ctx, int error)
{
	struct control *c = ctx;
	struct engine *e = atomic_load_explicit(&c->engine, memory_order_acquire);
	if (e)
		engine_journal_trouble(e, error);
}

/* While the journal is being opened: from the main thread, what was there. Later: from the journal's. */
static void on_record(void *ctx, const struct journal_record *record)
{
	struct control *c = ctx;
	records_feed(c->records, record);
}

static uint64_t cdr_open_rows(void *ctx, uint64_t *age_ms)
{
	struct control *c = ctx;
	struct cdr_open_rows open = records_open_rows(c->records);
	uint64_t now = journal_time(c);
	*age_ms = now > open.since_ns ? (now - open.since_ns) / 1000000u : 0;
	return open.rows;
}

/* --- signals ----------------------------------------------------------------------------------------- */

static void reload_registry(struct control *c)
{
	struct registry *r;
	char why[512];
	if (registry_load(c->settings.registry, &r, why, sizeof(why))) {
		log_error(modules, NULL, "registry-kept", "reason=%s", log_quote(why));
		return;
	}
	engine_set_registry(atomic_load(&c->engine), r);
	log_info(modules, NULL, "registry-loaded", "file=%s", log_quote(c->settings.registry));
}

static void on_signal(void *ctx)
{
	struct control *c = ctx;
	struct signalfd_siginfo info;
	if (read(c->signals, &info, sizeof(info)) != sizeof(info))
		return;
	if (info.ssi_signo == SIGHUP) {
		reload_registry(c);
		return;
	}
	log_info(calls, NULL, "stopping", "signal=%u", info.ssi_signo);
	notify_say(&c->notify, "STOPPING=1\nSTATUS=ending calls");
	engine_stop(atomic_load(&c->engine), STOP_GRACE_MS);
}

static int open_signals(struct control *c)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	/* Before any thread is made, so that every one of them leaves these to the loop. */
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	c->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return c->signals < 0 ? -errno : 0;
}

/* A connection per request that is under way, and some more. */
static void raise_limits(void)
{
	struct rlimit files;
	if (getrlimit(RLIMIT_NOFILE, &files) || files.rlim_cur == files.rlim_max)
		return;
	files.rlim_cur = files.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &files))
		log_warn(base, NULL, "limit-kept", "resource=files");
}

static void on_stopped(void *ctx)
{
	struct control *c = ctx;
	loop_stop(c->loop);
}

/* --- the watchdog ------------------------------------------------------------------------------------ */

/* From the loop that owns all calls: one that is stuck gives no sign of life. */
static void on_alive(void *ctx)
{
	struct control *c = ctx;
	uint64_t times;
	if (read(c->alive, &times, sizeof(times)) == sizeof(times))
		notify_alive(&c->notify, clock_mono_ns(), "taking calls");
}

static int watch_alive(struct control *c)
{
	if (!c->notify.watchdog_ns)
		return 0;
	/* Oftener than signs are given: those go by the time, and each comes at the first turn after it. */
	uint64_t ns = c->notify.watchdog_ns / 8;
	struct timespec every = {
		.tv_sec = (time_t)(ns / CLOCK_NS_PER_S), .tv_nsec = (long)(ns % CLOCK_NS_PER_S)};
	struct itimerspec timer = {.it_interval = every, .it_value = every};
	c->alive = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (c->alive < 0 || timerfd_settime(c->alive, 0, &timer, NULL))
		return -errno;
	return loop_watch(c->loop, c->alive, on_alive, c);
}

/* --- start and stop ---------------------------------------------------------------------------------- */

static int make_paths(struct control *c, char *why, size_t n)
{
	snprintf(c->journal_dir, sizeof(c->journal_dir), "%s/journal", c->settings.node.state_dir);
	snprintf(c->cdr_dir, sizeof(c->cdr_dir), "%s/cdr", c->settings.node.state_dir);
	snprintf(c->media_socket, sizeof(c->media_socket), "%s/media.sock", c->settings.node.run_dir);
	snprintf(c->control_socket, sizeof(c->control_socket), "%s/control.sock", c->settings.node.run_dir);
	const char *dirs[] = {c->journal_dir, c->cdr_dir, c->settings.node.run_dir};
	for (size_t i = 0; i < sizeof(dirs) / sizeof(*dirs); i++) {
		int e = file_make_dirs(dirs[i]);
		if (e) {
			snprintf(why, n, "cannot make the directory %s: %s", dirs[i], strerror(-e));
			return e;
		}
	}
	return 0;
}

static int open_region(struct control *c, char *why, size_t n)
{
	struct tg_capacity cap;
	settings_capacity(&c->settings, &cap);
	int e = tg_region_open_or_fallback(
		&c->region, c->settings.region.dir, c->settings.region.name, &cap, TG_ROLE_CONTROL, why, n);
	if (!e && tg_region_moved_aside(c->region))
		log_error(region, NULL, "region-damaged", "reason=%s",
			log_quote(tg_region_moved_aside(c->region)));
	if (!e)
		e = tg_region_claim(c->region, c->settings.node.name, why, n);
	if (!e && !tg_region_on_huge_pages(c->region))
		log_warn(region, NULL, "no-huge-pages",
			"effect=\"slower\" advice=\"sysctl -w vm.nr_hugepages=N; mount -t hugetlbfs nodev "
			"%s\"",
			c->settings.region.dir);
	return e;
}

/* What is kept of sessions is read and parsed while the journal is. */
static int open_shelf(struct control *c, char *why, size_t n)
{
	char dir[PATH_MAX];
	shelf_place(c->settings.node.run_dir, c->settings.region.name, dir, sizeof(dir));
	int e = shelf_open(&c->shelf, dir);
	if (!e)
		e = shelf_read_ahead(c->shelf);
	if (e)
		snprintf(why, n, "cannot open the sessions' directory %s: %s", dir, strerror(-e));
	return e;
}

static int open_records(struct control *c, char *why, size_t n)
{
	struct records_options ro = {.journal_dir = c->journal_dir,
		.cdr_dir = c->cdr_dir,
		.node = c->settings.node.name,
		.every = (unsigned)c->settings.journal.checkpoint_records};
	int e = records_open(&c->records, &ro, why, n);
	if (e)
		return e;
	struct journal_options o = {.dir = c->journal_dir,
		.node = c->settings.node.name,
		.after = records_mark(c->records),
		.segment_bytes = (uint64_t)c->settings.journal.segment_mib << 20,
		.sync_ms = (unsigned)c->settings.journal.sync_ms,
		.now = journal_time,
		.now_ctx = c,
		.synced = on_synced,
		.synced_ctx = c,
		.record = on_record,
		.record_ctx = c,
		.trouble = on_trouble,
		.trouble_ctx = c};
	e = journal_open(&c->journal, &o, why, n);
	if (e)
		return e;
	e = records_replayed(c->records, &c->usage, &c->recovery);
	if (e) {
		snprintf(why, n, "cannot keep what the journal says: %s", strerror(-e));
		return e;
	}
	journal_append(c->journal, FACT_node_start,
		json_pack("{s:s, s:s, s:I, s:b, s:i}", "node", c->settings.node.name, "version", TG_VERSION,
			"region", (json_int_t)tg_region_id(c->region), "created",
			(int)tg_region_created(c->region), "max_rows", c->settings.cdr.max_rows));
	return 0;
}

static int open_engine(struct control *c, char *why, size_t n)
{
	struct engine_options o = {.settings = &c->settings,
		.region = c->region,
		.journal = c->journal,
		.loop = c->loop,
		.registry = c->registry,
		.media_socket = c->media_socket,
		.shelf = c->shelf,
		.usage = c->usage,
		.recovery = c->recovery,
		.cdr_open_rows = cdr_open_rows,
		.cdr_ctx = c,
		.stopped = on_stopped,
		.stopped_ctx = c};
	struct engine *e = NULL;
	int err = engine_create(&e, &o, why, n);
	c->registry = NULL; /* the engine's, also when it failed */
	c->shelf = NULL;
	if (err)
		return err;
	atomic_store_explicit(&c->engine, e, memory_order_release);
	engine_synced(e, journal_durable(c->journal));
	return 0;
}

static int start(struct control *c, char *why, size_t n)
{
	int e = settings_load(c->settings_path, &c->settings, why, n);
	if (!e)
		e = registry_load(c->settings.registry, &c->registry, why, n);
	if (!e)
		e = make_paths(c, why, n);
	if (!e)
		e = open_region(c, why, n);
	if (!e)
		e = loop_create(&c->loop);
	if (!e)
		e = open_shelf(c, why, n);
	if (!e)
		e = open_records(c, why, n);
	if (!e)
		e = cache_service_start(&c->cache, &c->settings, c->region, c->media_socket, why, n);
	if (!e)
		e = open_engine(c, why, n);
	if (!e)
		e = api_start(&c->api, c->control_socket, atomic_load(&c->engine), c->loop, why, n);
	if (!e)
		e = loop_watch(c->loop, c->signals, on_signal, c);
	if (!e)
		e = watch_alive(c);
	return e;
}

static void stop(struct control *c)
{
	api_stop(c->api);
	struct engine *e = atomic_exchange(&c->engine, NULL);
	if (c->journal && e) {
		journal_append(c->journal, FACT_cdr_rotate, json_pack("{s:s}", "reason", "stop"));
		journal_append(c->journal, FACT_node_stop, json_pack("{s:s}", "node", c->settings.node.name));
	}
	uint64_t durable = 0;
	if (c->journal && !journal_wait(c->journal, journal_appended(c->journal), STOP_GRACE_MS))
		durable = journal_appended(c->journal);
	/* Its thread may still be telling the engine that something is durable: it ends first. */
	journal_close(c->journal);
	if (e && durable)
		engine_synced(e, durable);
	engine_destroy(e);
	cache_service_stop(c->cache);
	records_close(c->records);
	recovery_destroy(c->recovery);
	usage_destroy(c->usage);
	loop_destroy(c->loop);
	shelf_close(c->shelf);
	registry_unref(c->registry);
	tg_region_close(c->region);
	if (c->signals >= 0)
		close(c->signals);
	if (c->alive >= 0)
		close(c->alive);
	notify_close(&c->notify);
}

/* Reads settings and registry as a start would, and says what is wrong. Returns the exit status. */
static int check_files(const char *path)
{
	struct control *c = calloc(1, sizeof(*c));
	char why[1024] = "out of memory";
	int e = c ? settings_load(path, &c->settings, why, sizeof(why)) : -ENOMEM;
	if (!e)
		e = registry_load(c->settings.registry, &c->registry, why, sizeof(why));
	if (!e)
		registry_unref(c->registry);
	free(c);
	if (e)
		fail(why);
	return e ? 1 : 0;
}

static const char *parse_arguments(int argc, char **argv, bool *check, int *exit_now)
{
	static const struct option options[] = {{"settings", required_argument, NULL, 's'},
		{"check", no_argument, NULL, 'c'}, {"help", no_argument, NULL, 'h'},
		{"version", no_argument, NULL, 'v'}, {0}};
	const char *path = "/etc/tollgate/gateway.conf";
	*exit_now = -1;
	for (int o; (o = getopt_long(argc, argv, "s:chv", options, NULL)) != -1;) {
		switch (o) {
		case 's':
			path = optarg;
			break;
		case 'c':
			*check = true;
			break;
		case 'h':
			printf("usage: tollgate-control [--check] [--settings FILE]\n"
			       "Signalling, calls, modules, media layer and records of a Tollgate node.\n"
			       "  --settings FILE  node settings (default %s)\n"
			       "  --check          reads settings and registry, says what is wrong, and "
			       "ends\n"
			       "SIGHUP reads the registry again; SIGTERM ends the calls and stops.\n",
				path);
			*exit_now = 0;
			return path;
		case 'v':
			printf("tollgate-control %s\n", TG_VERSION);
			*exit_now = 0;
			return path;
		default:
			*exit_now = 2;
			return path;
		}
	}
	return path;
}

int main(int argc, char **argv)
{
	static struct control c; /* large; zeroed */
	int exit_now;
	uint64_t begun = clock_mono_ns();
	c.signals = c.alive = -1;
	bool check = false;
	c.settings_path = parse_arguments(argc, argv, &check, &exit_now);
	if (exit_now >= 0)
		return exit_now;
	if (check)
		return check_files(c.settings_path);
	char why[1024] = "";
	notify_open(&c.notify);
	raise_limits();
	int e = open_signals(&c);
	if (!e)
		e = start(&c, why, sizeof(why));
	if (e) {
		fail(why[0] ? why : strerror(-e));
		stop(&c);
		return 1;
	}
	log_info(calls, NULL, "ready", "node=%s sip=%s:%d region=%s/%s ms=%llu", c.settings.node.name,
		c.settings.sip.address, c.settings.sip.port,
		tg_region_on_huge_pages(c.region) ? c.settings.region.dir : "/dev/shm",
		c.settings.region.name, (unsigned long long)((clock_mono_ns() - begun) / CLOCK_NS_PER_MS));
	notify_say(&c.notify, "READY=1\nSTATUS=taking calls");
	loop_run(c.loop);
	stop(&c);
	log_info(calls, NULL, "stopped", "node=%s", c.settings.node.name);
	return 0;
}
