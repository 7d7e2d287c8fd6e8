#include "cache/worker_pool.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "cache/worker_path.h"
#include "cache/worker_spawn.h"
#include "settings/settings.h"

/* A worker may wait for the processor, and for room in the arena, longer than it computes. */
#define WALL_EXTRA_S 10

struct cache_run {
	struct cache_run *prev, *next; /* running, or waiting */
	struct cache_pool *pool;
	struct cache_run_client client; /* done NULL: nobody listens any more */
	int body_fd;                    /* while it waits */
	struct cache_worker_args args;
	struct cache_watch exit_watch, pipe_watch; /* fd -1: over */
	uint64_t deadline_ns;
	bool started, paused, timed_out;
	struct cache_record_stream stream;
	struct cache_failure failure; /* the first thing that went wrong */
	size_t fill;
	uint8_t buf[2 * CACHE_RECORD_MAX];
};

struct run_list {
	struct cache_run *first, *last;
	unsigned count;
};

struct cache_pool {
	const struct settings *settings;
	struct cache_loop *loop;
	struct cache_counters *counters;
	struct run_list running, waiting;
	char path[PATH_MAX];
};

static void list_add(struct run_list *list, struct cache_run *r)
{
	r->prev = list->last;
	r->next = NULL;
	if (list->last)
		list->last->next = r;
	else
		list->first = r;
	list->last = r;
	list->count++;
}

static void list_remove(struct run_list *list, struct cache_run *r)
{
	if (r->prev)
		r->prev->next = r->next;
	else
		list->first = r->next;
	if (r->next)
		r->next->prev = r->prev;
	else
		list->last = r->prev;
	list->count--;
}

static void end_watch(struct cache_pool *p, struct cache_watch *w)
{
	if (w->fd < 0)
		return;
	cache_loop_unwatch(p->loop, w);
	close(w->fd);
	w->fd = -1;
}

static void run_free(struct cache_run *r)
{
	end_watch(r->pool, &r->pipe_watch);
	end_watch(r->pool, &r->exit_watch);
	if (r->body_fd >= 0)
		close(r->body_fd);
	free(r);
}

/* Tells the client, once. */
static void tell(struct cache_run *r, const struct cache_failure *result)
{
	void (*done)(void *, const struct cache_failure *) = r->client.done;
	r->client.done = NULL;
	if (done)
		done(r->client.arg, result);
}

/* Nothing that the child still says matters. */
static void abandon(struct cache_run *r)
{
	end_watch(r->pool, &r->pipe_watch);
	r->fill = 0;
	r->paused = false;
	if (r->exit_watch.fd >= 0)
		pidfd_send_signal(r->exit_watch.fd, SIGKILL, NULL, 0);
}

static void start_waiting(struct cache_pool *p);

/* Ends the run when both the process and its pipe are over. */
static void finish_if_over(struct cache_run *r)
{
	struct cache_pool *p = r->pool;
	if (r->exit_watch.fd >= 0 || r->pipe_watch.fd >= 0)
		return;
	list_remove(&p->running, r);
	if (!r->failure.error)
		cache_fail(&r->failure, CACHE_ERROR_DECODE, "the media worker ended before the sound did");
	tell(r, &r->failure);
	run_free(r);
	start_waiting(p);
}

static int take_record(struct cache_run *r, const struct cache_record *record)
{
	switch (record->kind) {
	case CACHE_RECORD_BEGIN:
	case CACHE_RECORD_FRAMES:
		return r->client.done ? r->client.record(r->client.arg, record) : 0;
	case CACHE_RECORD_END:
		tell(r, &(struct cache_failure){.error = CACHE_OK});
		return 0;
	case CACHE_RECORD_FAIL:
		r->failure = record->failure;
		return 0;
	}
	return -EBADMSG;
}

/* Takes what is in the buffer, up to a record that the client doesn't want yet. */
static void take_records(struct cache_run *r)
{
	size_t at = 0;
	while (!r->paused) {
		struct cache_record record;
		struct cache_record_stream before = r->stream;
		int n = cache_record_next(&r->stream, r->buf + at, r->fill - at, &record);
		if (!n)
			break;
		int e = n < 0 ? n : take_record(r, &record);
		if (e == -EAGAIN) {
			r->stream = before;
			r->paused = true;
			break;
		}
		if (e) {
			cache_fail(
				&r->failure, CACHE_ERROR_DECODE, "the media worker wrote what it must not");
			abandon(r);
			return;
		}
		at += (size_t)n;
	}
	memmove(r->buf, r->buf + at, r->fill - at);
	r->fill -= at;
}

static void pipe_ready(struct cache_watch *w, uint32_t events)
{
	struct cache_run *r = (struct cache_run *)((char *)w - offsetof(struct cache_run, pipe_watch));
	ssize_t n = read(w->fd, r->buf + r->fill, sizeof(r->buf) - r->fill);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		end_watch(r->pool, w);
	} else {
		r->fill += (size_t)n;
		take_records(r);
		if (r->paused)
			cache_loop_unwatch(r->pool->loop, w);
	}
	finish_if_over(r);
}

static void judge_signal(struct cache_run *r, int sig)
{
	r->pool->counters->workers_killed++;
	if (r->failure.error || r->stream.ended || !r->client.done)
		return;
	if (r->timed_out)
		cache_fail(&r->failure, CACHE_ERROR_DECODE, "decoding took too long and was stopped");
	else if (sig == SIGXCPU || sig == SIGKILL)
		cache_fail(&r->failure, CACHE_ERROR_DECODE,
			"the media worker was killed: out of its CPU time or memory (cache.worker_seconds, "
			"cache.worker_mib)");
	else
		cache_fail(&r->failure, CACHE_ERROR_DECODE, "the media worker crashed (SIG%s)",
			sigabbrev_np(sig) ? sigabbrev_np(sig) : "?");
	log_warn(cache, NULL, "worker-killed",
		"signal=%d timeout=%d what=\"a media worker died over a sound; that one request fails\"", sig,
		r->timed_out);
}

static void exit_ready(struct cache_watch *w, uint32_t events)
{
	struct cache_run *r = (struct cache_run *)((char *)w - offsetof(struct cache_run, exit_watch));
	siginfo_t info = {0};
	if (waitid(P_PIDFD, (id_t)w->fd, &info, WEXITED | WNOHANG) && errno == EINTR)
		return;
	if (info.si_code == CLD_KILLED || info.si_code == CLD_DUMPED)
		judge_signal(r, info.si_status);
	end_watch(r->pool, w);
	finish_if_over(r); /* what is left in the pipe is read first */
}

static int start(struct cache_run *r)
{
	struct cache_pool *p = r->pool;
	struct cache_child child;
	int e = cache_worker_spawn(p->path, &r->args, r->body_fd, &child);
	close(r->body_fd);
	r->body_fd = -1;
	if (e) {
		log_error(cache, NULL, "worker-spawn", "path=%s error=%s", log_quote(p->path),
			log_quote(strerror(-e)));
		return e;
	}
	r->exit_watch = (struct cache_watch){child.pid_fd, exit_ready};
	r->pipe_watch = (struct cache_watch){child.pipe_fd, pipe_ready};
	e = cache_loop_watch(p->loop, &r->exit_watch, EPOLLIN);
	if (!e)
		e = cache_loop_watch(p->loop, &r->pipe_watch, EPOLLIN);
	if (e) {
		abandon(r);
		waitid(P_PIDFD, (id_t)child.pid_fd, NULL, WEXITED);
		return e;
	}
	r->started = true;
	r->deadline_ns = clock_mono_ns() +
			 (uint64_t)(p->settings->cache.worker_seconds + WALL_EXTRA_S) * CLOCK_NS_PER_S;
	list_add(&p->running, r);
	p->counters->decodes++;
	return 0;
}

static bool has_place(const struct cache_pool *p)
{
	return p->running.count < (unsigned)p->settings->cache.workers;
}

static void start_waiting(struct cache_pool *p)
{
	while (p->waiting.first && has_place(p)) {
		struct cache_run *r = p->waiting.first;
		list_remove(&p->waiting, r);
		if (!start(r))
			continue;
		cache_fail(&r->failure, CACHE_ERROR_INTERNAL, "the media worker could not be started");
		tell(r, &r->failure);
		run_free(r);
	}
}

int cache_run_start(struct cache_pool *p, const struct cache_run_ask *ask, struct cache_run **run)
{
	const struct settings *s = p->settings;
	struct cache_run *r = calloc(1, sizeof(*r));
	if (!r) {
		close(ask->body_fd);
		return -ENOMEM;
	}
	r->pool = p;
	r->client = ask->client;
	r->body_fd = ask->body_fd;
	r->exit_watch.fd = r->pipe_watch.fd = -1;
	r->stream.max_frames = (uint32_t)s->cache.max_seconds * (1000 / CACHE_PTIME) + 1;
	r->args = (struct cache_worker_args){
		.codec = ask->codec,
		.type = ask->type,
		.max_seconds = (uint32_t)s->cache.max_seconds,
		.sandbox = {(unsigned)s->cache.worker_mib, (unsigned)s->cache.worker_seconds},
	};
	if (!has_place(p)) {
		list_add(&p->waiting, r);
	} else {
		int e = start(r);
		if (e) {
			run_free(r);
			return e;
		}
	}
	*run = r;
	return 0;
}

void cache_run_resume(struct cache_run *r)
{
	if (!r->paused)
		return;
	r->paused = false;
	take_records(r);
	if (!r->paused && r->pipe_watch.fd >= 0 && cache_loop_watch(r->pool->loop, &r->pipe_watch, EPOLLIN)) {
		cache_fail(&r->failure, CACHE_ERROR_INTERNAL, NULL);
		abandon(r);
	}
	finish_if_over(r);
}

void cache_run_cancel(struct cache_run *r)
{
	r->client.done = NULL;
	if (!r->started) {
		list_remove(&r->pool->waiting, r);
		run_free(r);
		return;
	}
	abandon(r);
	finish_if_over(r);
}

void cache_pool_tick(struct cache_pool *p, uint64_t now_ns)
{
	for (struct cache_run *r = p->running.first, *next; r; r = next) {
		next = r->next;
		if (r->timed_out || now_ns < r->deadline_ns)
			continue;
		r->timed_out = true;
		abandon(r); /* its end is told by exit_ready() */
	}
}

unsigned cache_pool_busy(const struct cache_pool *p)
{
	return p->running.count;
}

int cache_pool_open(struct cache_pool **pool, const struct settings *settings, struct cache_loop *loop,
	struct cache_counters *counters)
{
	struct cache_pool *p = calloc(1, sizeof(*p));
	if (!p)
		return -ENOMEM;
	p->settings = settings;
	p->loop = loop;
	p->counters = counters;
	int e = cache_worker_path(settings->cache.worker, p->path, sizeof(p->path));
	if (e) {
		free(p);
		return e;
	}
	*pool = p;
	return 0;
}

void cache_pool_close(struct cache_pool *p)
{
	if (!p)
		return;
	for (struct cache_run *r = p->waiting.first, *next; r; r = next) {
		next = r->next;
		run_free(r);
	}
	for (struct cache_run *r = p->running.first, *next; r; r = next) {
		next = r->next;
		abandon(r);
		if (r->exit_watch.fd >= 0)
			waitid(P_PIDFD, (id_t)r->exit_watch.fd, NULL, WEXITED);
		run_free(r);
	}
	free(p);
}
