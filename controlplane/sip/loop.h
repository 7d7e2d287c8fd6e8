/* The event loop that owns all calls: Sofia's, behind descriptors, one repeating timer and a stop. */
#ifndef TG_SIP_LOOP_H
#define TG_SIP_LOOP_H

struct loop;
struct su_root_t;

/* ctx is passed to every callback of this loop. Returns 0 or -errno. */
int loop_create(struct loop **loop);
/* NULL is allowed. */
void loop_destroy(struct loop *loop);
struct su_root_t *loop_root(struct loop *loop);

/* Calls back when fd is readable; at most LOOP_WATCHES_MAX. Returns 0 or -errno. */
#define LOOP_WATCHES_MAX 8
int loop_watch(struct loop *loop, int fd, void (*readable)(void *ctx), void *ctx);
/* Calls back every `ms`; a later call changes the interval. */
int loop_tick(struct loop *loop, unsigned ms, void (*tick)(void *ctx), void *ctx);

/* Runs until loop_stop(), which may be called from a callback. */
void loop_run(struct loop *loop);
void loop_stop(struct loop *loop);

#endif
