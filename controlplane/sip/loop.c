#include "controlplane/sip/loop.h"

#include <errno.h>
#include <stdlib.h>

struct loop;
#define SU_ROOT_MAGIC_T struct loop
#define SU_TIMER_ARG_T  struct loop
#define SU_WAKEUP_ARG_T struct loop_watch
struct loop_watch;
#include <sofia-sip/su.h>
#include <sofia-sip/su_wait.h>

#include "controlplane/sip/sofia_clock.h"
#include "controlplane/sip/sofia_send.h"

struct loop_watch {
	void (*readable)(void *ctx);
	void *ctx;
	int index; /* of su_root_register(); -1: free */
};

struct loop {
	su_root_t *root;
	su_timer_t *timer;
	unsigned tick_ms;
	void (*tick)(void *ctx);
	void *tick_ctx;
	struct loop_watch watch[LOOP_WATCHES_MAX];
	int watches;
};

int loop_create(struct loop **loop)
{
	sofia_clock_take();
	(void)sofia_send_lost(); /* links it in */
	if (su_init())
		return -EIO;
	struct loop *l = calloc(1, sizeof(*l));
	if (!l)
		return -ENOMEM;
	l->root = su_root_create(l);
	if (!l->root) {
		free(l);
		return -ENOMEM;
	}
	/* One thread for all of SIP: the resolver must not make its own. */
	su_root_threading(l->root, 0);
	*loop = l;
	return 0;
}

void loop_destroy(struct loop *l)
{
	if (!l)
		return;
	if (l->timer)
		su_timer_destroy(l->timer);
	for (int i = 0; i < l->watches; i++)
		su_root_deregister(l->root, l->watch[i].index);
	su_root_destroy(l->root);
	free(l);
	su_deinit();
}

struct su_root_t *loop_root(struct loop *l)
{
	return (struct su_root_t *)l->root;
}

static int on_readable(su_root_magic_t *magic, su_wait_t *wait, struct loop_watch *watch)
{
	watch->readable(watch->ctx);
	return 0;
}

int loop_watch(struct loop *l, int fd, void (*readable)(void *ctx), void *ctx)
{
	if (l->watches == LOOP_WATCHES_MAX)
		return -ENOSPC;
	su_wait_t wait[1] = {SU_WAIT_INIT};
	if (su_wait_create(wait, fd, SU_WAIT_IN))
		return -errno;
	struct loop_watch *w = &l->watch[l->watches];
	w->readable = readable;
	w->ctx = ctx;
	w->index = su_root_register(l->root, wait, on_readable, w, 0);
	if (w->index < 0) {
		su_wait_destroy(wait);
		return -EIO;
	}
	l->watches++;
	return 0;
}

static void on_timer(su_root_magic_t *magic, su_timer_t *timer, struct loop *l)
{
	/* Armed again before the callback, which may change the interval. Ticks missed in a stall are not
	 * made up for. */
	su_timer_set_interval(timer, on_timer, l, (su_duration_t)l->tick_ms);
	l->tick(l->tick_ctx);
}

int loop_tick(struct loop *l, unsigned ms, void (*tick)(void *ctx), void *ctx)
{
	l->tick = tick;
	l->tick_ctx = ctx;
	if (l->timer && ms == l->tick_ms)
		return 0;
	if (!l->timer)
		l->timer = su_timer_create(su_root_task(l->root), ms);
	if (!l->timer)
		return -ENOMEM;
	l->tick_ms = ms;
	return su_timer_set_interval(l->timer, on_timer, l, (su_duration_t)ms) ? -EIO : 0;
}

void loop_run(struct loop *l)
{
	su_root_run(l->root);
}

void loop_stop(struct loop *l)
{
	su_root_break(l->root);
}
