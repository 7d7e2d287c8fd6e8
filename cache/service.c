#include "cache/service.h"

#include <curl/curl.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "cache/http.h"
#include "cache/listen.h"
#include "contract/region.h"
#include "settings/settings.h"

#define TICK_SOON_MS 10
#define TICK_MS      1000

struct cache_service {
	const struct settings *settings;
	struct tg_region *region;
	struct cache_loop loop;
	struct cache_counters counters;
	struct cache_store *store;
	struct cache_leases *leases;
	struct cache_fetcher *fetcher;
	struct cache_pool *pool;
	struct cache_resolver resolver;
	struct cache_http *http;
	struct cache_watch stop_watch; /* an eventfd */
	bool stopping;
	uint64_t tick_ns;
	char *socket_path;
	pthread_t thread;
	bool has_thread, has_curl;
};

static void on_stop(struct cache_watch *w, uint32_t events)
{
	struct cache_service *s =
		(struct cache_service *)((char *)w - offsetof(struct cache_service, stop_watch));
	s->stopping = true;
}

static int sooner(int a, int b)
{
	return a < 0 ? b : b < 0 || a < b ? a : b;
}

static int ms_until(uint64_t when_ns, uint64_t now_ns)
{
	if (when_ns == UINT64_MAX)
		return -1;
	return when_ns <= now_ns ? 0 : (int)((when_ns - now_ns + CLOCK_NS_PER_MS - 1) / CLOCK_NS_PER_MS);
}

static void tick(struct cache_service *s, uint64_t now_ns)
{
	cache_store_tick(s->store, cache_store_now_ns(s->store));
	cache_pool_tick(s->pool, now_ns);
	cache_resolver_tick(&s->resolver, now_ns);
	s->counters.leases_expired += cache_leases_expire(s->leases, now_ns);
	s->tick_ns = now_ns + TICK_MS * CLOCK_NS_PER_MS;
}

static void turn(struct cache_service *s)
{
	uint64_t now = clock_mono_ns();
	if (cache_store_waits(s->store) || cache_resolver_waits(&s->resolver)) {
		uint64_t soon = now + TICK_SOON_MS * CLOCK_NS_PER_MS;
		s->tick_ns = s->tick_ns < soon ? s->tick_ns : soon;
	}
	int wait = ms_until(s->tick_ns, now);
	wait = sooner(wait, ms_until(cache_fetcher_deadline_ns(s->fetcher), now));
	wait = sooner(wait, cache_http_timeout_ms(s->http));
	cache_loop_wait(&s->loop, wait);
	cache_fetcher_run(s->fetcher);
	now = clock_mono_ns();
	if (now >= s->tick_ns)
		tick(s, now);
	cache_http_run(s->http);
}

static void *run(void *arg)
{
	struct cache_service *s = arg;
	while (!s->stopping)
		turn(s);
	cache_resolver_stop(&s->resolver);
	return NULL;
}

static int open_parts(struct cache_service *s, char *why, size_t n)
{
	int e = cache_loop_open(&s->loop);
	if (!e)
		e = cache_store_open(&s->store, s->region, tg_timebase_now(tg_region_timebase(s->region)));
	if (!e)
		e = cache_leases_open(&s->leases, s->store);
	if (!e)
		e = cache_fetcher_open(&s->fetcher, s->settings, &s->loop, &s->counters);
	if (e) {
		snprintf(why, n, "the media layer cannot start: %s", strerror(-e));
		return e;
	}
	e = cache_pool_open(&s->pool, s->settings, &s->loop, &s->counters);
	if (e)
		snprintf(why, n,
			"media worker program %s not found beside this program, in ../cache or in PATH: "
			"install it or "
			"set cache.worker (%s)",
			s->settings->cache.worker, strerror(-e));
	return e;
}

static int open_http(struct cache_service *s, char *why, size_t n)
{
	s->resolver.settings = s->settings;
	s->resolver.store = s->store;
	s->resolver.fetcher = s->fetcher;
	s->resolver.pool = s->pool;
	s->resolver.counters = &s->counters;
	struct cache_http_parts parts = {s->region, &s->loop, &s->resolver, s->leases, &s->counters};
	int fd = cache_listen(s->socket_path, why, n);
	if (fd < 0) {
		free(s->socket_path); /* not ours to remove */
		s->socket_path = NULL;
		return fd;
	}
	int e = cache_http_open(&s->http, &parts, fd);
	if (e)
		snprintf(why, n, "the media layer's HTTP server cannot start: %s", strerror(-e));
	return e;
}

/* The thread takes no signals: they are for the program's own loop. */
static int start_thread(struct cache_service *s, char *why, size_t n)
{
	s->stop_watch = (struct cache_watch){eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), on_stop};
	int e = s->stop_watch.fd < 0 ? -errno : cache_loop_watch(&s->loop, &s->stop_watch, EPOLLIN);
	if (!e) {
		sigset_t all, before;
		sigfillset(&all);
		pthread_sigmask(SIG_SETMASK, &all, &before);
		e = -pthread_create(&s->thread, NULL, run, s);
		pthread_sigmask(SIG_SETMASK, &before, NULL);
	}
	if (e)
		snprintf(why, n, "the media layer's thread cannot start: %s", strerror(-e));
	s->has_thread = !e;
	return e;
}

int cache_service_start(struct cache_service **service, const struct settings *settings,
	struct tg_region *region, const char *socket_path, char *why, size_t n)
{
	struct cache_service *s = calloc(1, sizeof(*s));
	if (!s) {
		snprintf(why, n, "out of memory");
		return -ENOMEM;
	}
	s->settings = settings;
	s->region = region;
	s->loop.epoll_fd = s->stop_watch.fd = -1;
	s->socket_path = strdup(socket_path);
	s->has_curl = !curl_global_init(CURL_GLOBAL_DEFAULT);
	int e = s->socket_path && s->has_curl ? 0 : -ENOMEM;
	if (e)
		snprintf(why, n, "out of memory");
	else
		e = open_parts(s, why, n);
	if (!e)
		e = open_http(s, why, n);
	if (!e)
		e = start_thread(s, why, n);
	if (e) {
		cache_service_stop(s);
		return e;
	}
	struct cache_store_figures f = cache_store_figures(s->store);
	log_info(cache, NULL, "media-started", "socket=%s arena_bytes=%llu items=%u items_found=%u",
		log_quote(socket_path), (unsigned long long)f.bytes, f.items, f.items_ready);
	*service = s;
	return 0;
}

void cache_service_stop(struct cache_service *s)
{
	if (!s)
		return;
	if (s->has_thread) {
		eventfd_write(s->stop_watch.fd, 1);
		pthread_join(s->thread, NULL);
	}
	/* HTTP first: answers that are being sent hold pins. */
	if (s->http && s->socket_path)
		unlink(s->socket_path);
	cache_http_close(s->http);
	cache_fetcher_close(s->fetcher);
	cache_pool_close(s->pool);
	cache_leases_close(s->leases);
	cache_store_close(s->store);
	if (s->stop_watch.fd >= 0)
		close(s->stop_watch.fd);
	cache_loop_close(&s->loop);
	if (s->has_curl)
		curl_global_cleanup();
	free(s->socket_path);
	free(s);
}
