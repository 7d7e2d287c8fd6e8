/* The media layer by itself, for tests/e2e/media_layer.py: media_host SETTINGS-FILE. Makes the region, starts
 * the service, prints "ready", and stops at SIGTERM or when its standard input ends. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "cache/service.h"
#include "contract/region.h"
#include "settings/settings.h"

static struct settings settings;

static void wait_for_term(struct tg_region *region, int loop_ms)
{
	struct tg_worker_stats *stats = tg_region_stats(region, 0);
	struct timespec wait = {.tv_nsec = (loop_ms ? loop_ms : 1) * 1000000L};
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	if (loop_ms < 0)
		wait = (struct timespec){.tv_sec = 3600};
	while (sigtimedwait(&set, NULL, &wait) != SIGTERM) {
		if (loop_ms > 0)
			tg_counter_add(&stats->loops, 1);
		if (loop_ms >= 0)
			atomic_store(&stats->alive_ns, clock_utc_ns());
	}
}

int main(int argc, char **argv)
{
	char why[512] = "usage: media_host SETTINGS-FILE [MS]", path[512];
	struct tg_region *region = NULL;
	struct cache_service *service = NULL;
	struct tg_capacity cap;
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	int e = argc >= 2 ? settings_load(argv[1], &settings, why, sizeof(why)) : -1;
	if (!e) {
		settings_capacity(&settings, &cap);
		e = tg_region_open(&region, settings.region.dir, settings.region.name, &cap, TG_ROLE_CONTROL,
			why, sizeof(why));
	}
	if (!e) {
		snprintf(path, sizeof(path), "%s/media.sock", settings.node.run_dir);
		e = cache_service_start(&service, &settings, region, path, why, sizeof(why));
	}
	if (e) {
		fprintf(stderr, "media_host: %s\n", why);
		tg_region_close(region);
		return 1;
	}
	int loop_ms = argc == 3 ? atoi(argv[2]) : -1;
	if (loop_ms >= 0)
		atomic_store(&tg_region_stats(region, 0)->alive_ns, clock_utc_ns());
	puts("ready");
	fflush(stdout);
	wait_for_term(region, loop_ms);
	cache_service_stop(service);
	tg_region_close(region);
	return 0;
}
