#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>

#include "base/clock.h"
#include "cache/fetch_private.h"

struct socket_watch {
	struct cache_watch watch;
	struct cache_fetcher *fetcher;
};

static void take_ended(struct cache_fetcher *f)
{
	CURLMsg *m;
	int left;
	while ((m = curl_multi_info_read(f->multi, &left))) {
		struct cache_fetch *fetch = NULL;
		CURLcode result = m->data.result;
		if (m->msg == CURLMSG_DONE && !curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &fetch) &&
			fetch)
			cache_fetch_ended(fetch, result);
	}
}

static void socket_ready(struct cache_watch *watch, uint32_t events)
{
	struct socket_watch *w = (struct socket_watch *)watch;
	struct cache_fetcher *f = w->fetcher;
	int what = (events & EPOLLIN ? CURL_CSELECT_IN : 0) | (events & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
		   (events & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0);
	int running;
	curl_multi_socket_action(f->multi, watch->fd, what, &running); /* may free w */
	take_ended(f);
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *socket_arg)
{
	struct cache_fetcher *f = arg;
	struct socket_watch *w = socket_arg;
	if (what == CURL_POLL_REMOVE) {
		if (w)
			cache_loop_unwatch(f->loop, &w->watch);
		free(w);
		curl_multi_assign(f->multi, fd, NULL);
		return 0;
	}
	if (!w) {
		w = calloc(1, sizeof(*w));
		if (!w)
			return -1;
		w->watch = (struct cache_watch){fd, socket_ready};
		w->fetcher = f;
		curl_multi_assign(f->multi, fd, w);
	}
	uint32_t events = (what & CURL_POLL_IN ? EPOLLIN : 0u) | (what & CURL_POLL_OUT ? EPOLLOUT : 0u);
	return cache_loop_watch(f->loop, &w->watch, events) ? -1 : 0;
}

static int on_timer(CURLM *multi, long timeout_ms, void *arg)
{
	struct cache_fetcher *f = arg;
	f->deadline_ns = timeout_ms < 0 ? UINT64_MAX
					: clock_mono_ns() + (uint64_t)timeout_ms * CLOCK_NS_PER_MS;
	return 0;
}

int cache_fetcher_open(struct cache_fetcher **fetcher, const struct settings *settings,
	struct cache_loop *loop, struct cache_counters *counters)
{
	struct cache_fetcher *f = calloc(1, sizeof(*f));
	if (!f)
		return -ENOMEM;
	*f = (struct cache_fetcher){
		.settings = settings, .loop = loop, .counters = counters, .deadline_ns = UINT64_MAX};
	f->multi = curl_multi_init();
	if (!f->multi) {
		free(f);
		return -ENOMEM;
	}
	curl_multi_setopt(f->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
	curl_multi_setopt(f->multi, CURLMOPT_SOCKETDATA, f);
	curl_multi_setopt(f->multi, CURLMOPT_TIMERFUNCTION, on_timer);
	curl_multi_setopt(f->multi, CURLMOPT_TIMERDATA, f);
	curl_multi_setopt(f->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, (long)CACHE_CONNECTIONS_MAX);
	*fetcher = f;
	return 0;
}

void cache_fetcher_close(struct cache_fetcher *f)
{
	if (!f)
		return;
	while (f->first)
		cache_fetch_cancel(f->first);
	curl_multi_cleanup(f->multi);
	free(f);
}

uint64_t cache_fetcher_deadline_ns(const struct cache_fetcher *f)
{
	return f->deadline_ns;
}

void cache_fetcher_run(struct cache_fetcher *f)
{
	int running;
	if (clock_mono_ns() < f->deadline_ns)
		return;
	f->deadline_ns = UINT64_MAX; /* libcurl sets the next */
	curl_multi_socket_action(f->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	take_ended(f);
}
