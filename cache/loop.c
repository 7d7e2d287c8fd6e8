#include "cache/loop.h"

#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

int cache_loop_open(struct cache_loop *loop)
{
	loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	return loop->epoll_fd < 0 ? -errno : 0;
}

void cache_loop_close(struct cache_loop *loop)
{
	if (loop->epoll_fd >= 0)
		close(loop->epoll_fd);
	loop->epoll_fd = -1;
}

int cache_loop_watch(struct cache_loop *loop, struct cache_watch *watch, uint32_t events)
{
	struct epoll_event ev = {.events = events, .data.ptr = watch};
	if (!epoll_ctl(loop->epoll_fd, EPOLL_CTL_MOD, watch->fd, &ev))
		return 0;
	if (errno != ENOENT)
		return -errno;
	return epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, watch->fd, &ev) ? -errno : 0;
}

void cache_loop_unwatch(struct cache_loop *loop, struct cache_watch *watch)
{
	epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, watch->fd, NULL);
}

/* One event per wait: what is told may free other watches, of which a longer list could still hold events.
 * The kernel's ready list goes round, so none starves. */
void cache_loop_wait(struct cache_loop *loop, int timeout_ms)
{
	struct epoll_event ev;
	if (epoll_wait(loop->epoll_fd, &ev, 1, timeout_ms) != 1)
		return;
	struct cache_watch *watch = ev.data.ptr;
	watch->ready(watch, ev.events);
}
