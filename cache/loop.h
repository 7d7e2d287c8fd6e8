/* The media layer's event loop: descriptors and who is told when they are ready. One thread. */
#ifndef TG_CACHE_LOOP_H
#define TG_CACHE_LOOP_H

#include <stdint.h>

struct cache_loop {
	int epoll_fd;
};

/* Embedded in its owner. */
struct cache_watch {
	int fd;
	void (*ready)(struct cache_watch *watch, uint32_t events); /* EPOLL*; may free the watch */
};

/* Returns 0 or -errno. */
int cache_loop_open(struct cache_loop *loop);
void cache_loop_close(struct cache_loop *loop);
/* events: EPOLLIN, EPOLLOUT; replaces what was set. Returns 0 or -errno. */
int cache_loop_watch(struct cache_loop *loop, struct cache_watch *watch, uint32_t events);
/* Before the descriptor is closed. */
void cache_loop_unwatch(struct cache_loop *loop, struct cache_watch *watch);
/* Waits at most timeout_ms (-1: for ever) and tells one watch. */
void cache_loop_wait(struct cache_loop *loop, int timeout_ms);

#endif
