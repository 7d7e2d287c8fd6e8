/* DPDK 22.11 counts rte_pcapng as experimental; its functions are as they are in later releases but for
 * comments. */
#define ALLOW_EXPERIMENTAL_API
#include "dataplane/capture.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include <rte_cycles.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <rte_pcapng.h>
#include <rte_ring.h>

#include "base/clock.h"
#include "base/log.h"

#define COPIES     2047u
#define RING       1024u
#define BURST      32u
#define SNAP_BYTES 2048u

enum phase { IDLE, STARTING, CAPTURING, STOPPING };

struct dp_capture {
	const struct tg_region *region;
	const char *dir;
	/* What workers look at. */
	_Atomic uint32_t what;
	struct rte_mempool
		*pool; /* these two are there before `what` says so, and go after workers have seen it */
	struct rte_ring *ring[TG_WORKERS_MAX];
	_Atomic uint64_t lost[TG_WORKERS_MAX];
	/* Between the thread that asks and the main lcore. */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	enum phase phase;
	uint32_t asked;
	int error;
	bool closing;
	/* The main lcore's. */
	int fd;
	rte_pcapng_t *file;
	uint64_t bytes, until_ns;
	uint64_t loops[TG_WORKERS_MAX];
	struct dp_capture_state state;
};

int dp_capture_open(struct dp_capture **capture, const struct tg_region *region, const char *dir)
{
	struct dp_capture *c = calloc(1, sizeof(*c));
	if (!c)
		return -ENOMEM;
	c->region = region;
	c->dir = dir;
	c->fd = -1;
	pthread_mutex_init(&c->lock, NULL);
	pthread_cond_init(&c->changed, NULL);
	*capture = c;
	return 0;
}

uint32_t dp_capture_wanted(const struct dp_capture *c)
{
	return atomic_load_explicit(&c->what, memory_order_relaxed);
}

void dp_capture_frame(struct dp_capture *c, uint32_t worker, const struct rte_mbuf *frame, bool out)
{
	/* Pairs with the release by which `what` was set: pool and ring are there. */
	if (atomic_load_explicit(&c->what, memory_order_acquire) == DP_CAPTURE_NOTHING)
		return;
	struct rte_mbuf *copy = rte_pcapng_copy(frame->port, worker, frame, c->pool, SNAP_BYTES, rte_rdtsc(),
		out ? RTE_PCAPNG_DIRECTION_OUT : RTE_PCAPNG_DIRECTION_IN);
	if (copy && !rte_ring_sp_enqueue(c->ring[worker], copy))
		return;
	rte_pktmbuf_free(copy);
	atomic_store_explicit(&c->lost[worker],
		atomic_load_explicit(&c->lost[worker], memory_order_relaxed) + 1, memory_order_relaxed);
}

/* --- the main lcore ------------------------------------------------------------------------------------- */

static uint32_t workers_of(const struct dp_capture *c)
{
	return tg_region_capacity(c->region)->workers;
}

static void free_memory(struct dp_capture *c)
{
	for (uint32_t w = 0; w < TG_WORKERS_MAX; w++) {
		rte_ring_free(c->ring[w]);
		c->ring[w] = NULL;
	}
	rte_mempool_free(c->pool);
	c->pool = NULL;
}

static int make_memory(struct dp_capture *c)
{
	c->pool = rte_pktmbuf_pool_create(
		"capture", COPIES, 64, 0, (uint16_t)rte_pcapng_mbuf_size(SNAP_BYTES), SOCKET_ID_ANY);
	bool whole = c->pool;
	for (uint32_t w = 0; w < workers_of(c) && whole; w++) {
		char name[24];
		snprintf(name, sizeof(name), "capture_%u", w);
		c->ring[w] = rte_ring_create(name, RING, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
		whole = c->ring[w];
	}
	if (whole)
		return 0;
	free_memory(c);
	return -ENOMEM;
}

static int make_file(struct dp_capture *c)
{
	char when[32], subject[24] = "drops";
	struct tm tm;
	struct utsname os;
	time_t now = time(NULL);
	strftime(when, sizeof(when), "%Y%m%dT%H%M%SZ", gmtime_r(&now, &tm));
	if (c->asked >= DP_CAPTURE_LEG)
		snprintf(subject, sizeof(subject), "leg%u", c->asked - DP_CAPTURE_LEG);
	snprintf(c->state.path, sizeof(c->state.path), "%s/capture-%s-%s.pcapng", c->dir, when, subject);
	c->fd = open(c->state.path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, S_IRUSR | S_IWUSR);
	if (c->fd < 0)
		return -errno;
	uname(&os);
	c->file = rte_pcapng_fdopen(c->fd, os.sysname, os.machine, "tollgate-dataplane " TG_VERSION, NULL);
	if (c->file)
		return 0;
	close(c->fd);
	c->fd = -1;
	return -EIO;
}

static int begin(struct dp_capture *c)
{
	int e = make_memory(c);
	if (!e) {
		e = make_file(c);
		if (e)
			free_memory(c);
	}
	if (e)
		return e;
	c->bytes = 0;
	c->state.frames = 0;
	c->state.what = c->asked;
	for (uint32_t w = 0; w < TG_WORKERS_MAX; w++)
		atomic_store_explicit(&c->lost[w], 0, memory_order_relaxed);
	c->until_ns = clock_mono_ns() + DP_CAPTURE_SECONDS_MAX * CLOCK_NS_PER_S;
	atomic_store_explicit(&c->what, c->asked, memory_order_release);
	log_info(dataplane, NULL, "capture-started", "file=%s", log_quote(c->state.path));
	return 0;
}

/* Returns false when the disk takes nothing more. */
static bool write_burst(struct dp_capture *c, struct rte_mbuf **copy, uint32_t n)
{
	ssize_t bytes = rte_pcapng_write_packets(c->file, copy, (uint16_t)n);
	rte_pktmbuf_free_bulk(copy, n);
	if (bytes < 0)
		return false;
	c->bytes += (uint64_t)bytes;
	c->state.frames += n;
	return true;
}

static bool write_all(struct dp_capture *c)
{
	struct rte_mbuf *copy[BURST];
	bool taken = true;
	for (uint32_t w = 0; w < workers_of(c); w++) {
		/* What is in the ring now: a flood of drops must not keep the main lcore here. */
		for (uint32_t bursts = RING / BURST, n = BURST; bursts && n; bursts--) {
			n = rte_ring_sc_dequeue_burst(c->ring[w], (void **)copy, BURST, NULL);
			taken = (!n || write_burst(c, copy, n)) && taken;
		}
	}
	return taken;
}

static uint64_t lost_by_now(const struct dp_capture *c)
{
	uint64_t n = 0;
	for (uint32_t w = 0; w < workers_of(c); w++)
		n += atomic_load_explicit(&c->lost[w], memory_order_relaxed);
	return n;
}

/* No worker begins a copy from now on; those under way are over when each has begun two more loops. */
static void ask_workers_off(struct dp_capture *c)
{
	atomic_store_explicit(&c->what, DP_CAPTURE_NOTHING, memory_order_release);
	for (uint32_t w = 0; w < workers_of(c); w++)
		c->loops[w] = tg_counter_read(&tg_region_stats(c->region, w)->loops);
}

static bool workers_are_off(const struct dp_capture *c)
{
	for (uint32_t w = 0; w < workers_of(c); w++)
		if (tg_counter_read(&tg_region_stats(c->region, w)->loops) < c->loops[w] + 2)
			return false;
	return true;
}

static void end(struct dp_capture *c)
{
	write_all(c);
	rte_pcapng_close(c->file); /* closes the descriptor too */
	c->file = NULL;
	c->fd = -1;
	c->state.lost = lost_by_now(c);
	c->state.what = DP_CAPTURE_NOTHING;
	free_memory(c);
	log_info(dataplane, NULL, "capture-ended", "file=%s frames=%llu lost=%llu", log_quote(c->state.path),
		(unsigned long long)c->state.frames, (unsigned long long)c->state.lost);
}

static void run(struct dp_capture *c)
{
	bool taken = write_all(c);
	c->state.lost = lost_by_now(c);
	if (taken && c->bytes < DP_CAPTURE_BYTES_MAX && clock_mono_ns() < c->until_ns)
		return;
	if (!taken)
		log_warn(dataplane, NULL, "capture-not-written",
			"file=%s advice=\"make room in its directory\"", log_quote(c->state.path));
	ask_workers_off(c);
	c->phase = STOPPING;
}

void dp_capture_serve(struct dp_capture *c)
{
	pthread_mutex_lock(&c->lock);
	enum phase before = c->phase;
	if (c->phase == STARTING) {
		c->error = begin(c);
		c->phase = c->error ? IDLE : CAPTURING;
	} else if (c->phase == CAPTURING) {
		run(c);
	} else if (c->phase == STOPPING && workers_are_off(c)) {
		end(c);
		c->phase = IDLE;
	}
	if (c->phase != before)
		pthread_cond_broadcast(&c->changed);
	pthread_mutex_unlock(&c->lock);
}

void dp_capture_refuse(struct dp_capture *c)
{
	pthread_mutex_lock(&c->lock);
	c->closing = true;
	pthread_cond_broadcast(&c->changed);
	pthread_mutex_unlock(&c->lock);
}

void dp_capture_close(struct dp_capture *c)
{
	if (!c)
		return;
	if (c->phase == CAPTURING || c->phase == STOPPING)
		end(c);
	pthread_cond_destroy(&c->changed);
	pthread_mutex_destroy(&c->lock);
	free(c);
}

/* --- the thread that asks ---------------------------------------------------------------------------------
 */

int dp_capture_start(struct dp_capture *c, uint32_t what, char *text, size_t n)
{
	pthread_mutex_lock(&c->lock);
	int e = c->closing ? -ESHUTDOWN : c->phase == IDLE ? 0 : -EBUSY;
	if (!e) {
		c->asked = what;
		c->phase = STARTING;
		while (c->phase == STARTING && !c->closing)
			pthread_cond_wait(&c->changed, &c->lock);
		e = c->closing ? -ESHUTDOWN : c->error;
	}
	if (!e)
		snprintf(text, n, "%s", c->state.path);
	else if (e == -EBUSY)
		snprintf(text, n, "a capture runs already: stop it first");
	else
		snprintf(text, n, "%s: %s", c->dir,
			e == -ENOMEM ? "no memory for copies: make eal.memory_mib larger" : strerror(-e));
	pthread_mutex_unlock(&c->lock);
	return e;
}

int dp_capture_stop(struct dp_capture *c, char *text, size_t n)
{
	pthread_mutex_lock(&c->lock);
	int e = c->phase == IDLE ? -ESRCH : 0;
	if (c->phase == CAPTURING) {
		ask_workers_off(c);
		c->phase = STOPPING;
	}
	while (c->phase != IDLE && !c->closing)
		pthread_cond_wait(&c->changed, &c->lock);
	snprintf(text, n, "%s", e ? "no capture runs" : c->state.path);
	pthread_mutex_unlock(&c->lock);
	return e;
}

void dp_capture_look(struct dp_capture *c, struct dp_capture_state *state)
{
	pthread_mutex_lock(&c->lock);
	*state = c->state;
	pthread_mutex_unlock(&c->lock);
}
