#include "contract/timebase.h"

#include <stdbool.h>
#include <time.h>

#define SLEW_MAX_PPM 500
#define READ_TRIES   100000
#define PAIR_TRIES   16
#define CALIBRATE_NS 20000000

uint64_t tg_tsc(void)
{
#if defined(__x86_64__)
	return __builtin_ia32_rdtsc();
#elif defined(__aarch64__)
	uint64_t v;
	__asm__ volatile("mrs %0, cntvct_el0" : "=r"(v));
	return v;
#else
#error "no time stamp counter known for this processor"
#endif
}

static uint64_t read_ns(clockid_t id)
{
	struct timespec ts;
	clock_gettime(id, &ts);
	return (uint64_t)ts.tv_sec * 1000000000ull + (uint64_t)ts.tv_nsec;
}

static void publish(struct tg_timebase *tb, uint64_t tsc, uint64_t utc_ns, uint64_t q32)
{
	uint32_t v = atomic_load_explicit(&tb->version, memory_order_relaxed) | 1;
	atomic_store_explicit(&tb->version, v, memory_order_relaxed);
	atomic_thread_fence(memory_order_release);
	atomic_store_explicit(&tb->base_tsc, tsc, memory_order_relaxed);
	atomic_store_explicit(&tb->base_utc_ns, utc_ns, memory_order_relaxed);
	atomic_store_explicit(&tb->ns_per_tick_q32, q32, memory_order_relaxed);
	atomic_store_explicit(&tb->version, v + 1, memory_order_release);
}

static uint64_t nominal_q32(uint64_t ticks_per_s)
{
	return (uint64_t)(((unsigned __int128)1000000000ull << 32) / ticks_per_s);
}

/* The counter and the clock at one moment: of several pairs the one that was least interrupted. A pause
 * between the two readings would otherwise become a wrong rate for the region's whole life. */
static void read_pair(clockid_t id, uint64_t *tsc, uint64_t *ns)
{
	uint64_t best = UINT64_MAX;
	*tsc = *ns = 0;
	for (int i = 0; i < PAIR_TRIES; i++) {
		uint64_t before = tg_tsc(), now = read_ns(id), width = tg_tsc() - before;
		if (width >= best)
			continue;
		best = width;
		*tsc = before + width / 2;
		*ns = now;
	}
}

void tg_timebase_start(struct tg_timebase *tb)
{
	uint64_t t0, m0, t1, m1, utc;
	read_pair(CLOCK_MONOTONIC, &t0, &m0);
	struct timespec wait = {.tv_nsec = CALIBRATE_NS};
	nanosleep(&wait, NULL);
	read_pair(CLOCK_MONOTONIC, &t1, &m1);
	uint64_t hz = (uint64_t)((unsigned __int128)(t1 - t0) * 1000000000ull / (m1 - m0));
	atomic_store_explicit(&tb->ticks_per_s, hz, memory_order_relaxed);
	read_pair(CLOCK_REALTIME, &t1, &utc);
	publish(tb, t1, utc, nominal_q32(hz));
}

static uint64_t extrapolate(uint64_t base_tsc, uint64_t base_utc, uint64_t q32, uint64_t tsc)
{
	/* A reading from just before the last refresh, by another thread, must not wrap. */
	if (tsc < base_tsc)
		return base_utc - (uint64_t)(((unsigned __int128)(base_tsc - tsc) * q32) >> 32);
	return base_utc + (uint64_t)(((unsigned __int128)(tsc - base_tsc) * q32) >> 32);
}

uint64_t tg_timebase_utc_ns(const struct tg_timebase *tb, uint64_t tsc)
{
	for (int tries = 0;; tries++) {
		uint32_t before = atomic_load_explicit(&tb->version, memory_order_acquire);
		uint64_t base = atomic_load_explicit(&tb->base_tsc, memory_order_relaxed);
		uint64_t utc = atomic_load_explicit(&tb->base_utc_ns, memory_order_relaxed);
		uint64_t q32 = atomic_load_explicit(&tb->ns_per_tick_q32, memory_order_relaxed);
		atomic_thread_fence(memory_order_acquire);
		int torn = (before & 1) || atomic_load_explicit(&tb->version, memory_order_relaxed) != before;
		/* A writer that was killed inside leaves an odd version behind; a survivor's next refresh
		 * repairs it. Don't spin for ever for a dead one. */
		if (!torn || tries == READ_TRIES)
			return extrapolate(base, utc, q32, tsc);
	}
}

uint64_t tg_timebase_now(const struct tg_timebase *tb)
{
	return tg_timebase_utc_ns(tb, tg_tsc());
}

int64_t tg_timebase_step_ns(const struct tg_timebase *tb)
{
	return atomic_load_explicit(&tb->step_ns, memory_order_relaxed);
}

static bool is_step(int64_t ns)
{
	return ns >= TG_CLOCK_STEP_NS || ns <= -TG_CLOCK_STEP_NS;
}

int64_t tg_timebase_refresh(struct tg_timebase *tb, uint64_t tsc, uint64_t wall_utc_ns)
{
	uint64_t here = tg_timebase_utc_ns(tb, tsc);
	int64_t away = (int64_t)(wall_utc_ns - here), step = tg_timebase_step_ns(tb), off = away - step;
	if (is_step(off)) {
		/* A wall clock that is back where it was is followed again. Two that refresh at a time store
		 * the same. */
		step = is_step(away) ? away : 0;
		atomic_store_explicit(&tb->step_ns, step, memory_order_relaxed);
	}
	/* Close the distance within the next second if 500 ppm allow it. */
	int64_t ppb = away - step;
	if (ppb > SLEW_MAX_PPM * 1000)
		ppb = SLEW_MAX_PPM * 1000;
	if (ppb < -SLEW_MAX_PPM * 1000)
		ppb = -SLEW_MAX_PPM * 1000;
	uint64_t nominal = nominal_q32(atomic_load_explicit(&tb->ticks_per_s, memory_order_relaxed));
	int64_t adjust = (int64_t)((__int128)nominal * ppb / 1000000000);
	publish(tb, tsc, here, nominal + (uint64_t)adjust);
	return off;
}

int64_t tg_timebase_keep(struct tg_timebase *tb)
{
	uint64_t tsc, wall;
	/* As at the start: a process that is stopped between the two readings would see a step. */
	read_pair(CLOCK_REALTIME, &tsc, &wall);
	int64_t off = tg_timebase_refresh(tb, tsc, wall);
	return is_step(off) ? off : 0;
}
