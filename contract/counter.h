/* Counters with one writer and any number of readers: relaxed loads and stores, never a read-modify-write. */
#ifndef TG_CONTRACT_COUNTER_H
#define TG_CONTRACT_COUNTER_H

#include <stdatomic.h>
#include <stdint.h>

typedef _Atomic uint64_t tg_counter;

static inline uint64_t tg_counter_read(const tg_counter *c)
{
	return atomic_load_explicit(c, memory_order_relaxed);
}

static inline void tg_counter_set(tg_counter *c, uint64_t v)
{
	atomic_store_explicit(c, v, memory_order_relaxed);
}

/* By the one writer only. */
static inline void tg_counter_add(tg_counter *c, uint64_t n)
{
	tg_counter_set(c, tg_counter_read(c) + n);
}

#endif
