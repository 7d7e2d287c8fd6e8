#include "contract/leg.h"

#include <errno.h>
#include <string.h>

#define READ_TRIES 1000

int tg_desired_read(const struct tg_desired *row, struct tg_desired *copy)
{
	for (int i = 0; i < READ_TRIES; i++) {
		uint32_t before = atomic_load_explicit(&row->version, memory_order_acquire);
		if (before & 1)
			continue;
		memcpy((void *)copy, (const void *)row, sizeof(*copy));
		atomic_thread_fence(memory_order_acquire);
		if (atomic_load_explicit(&row->version, memory_order_relaxed) == before)
			return 0;
	}
	return -EAGAIN;
}

void tg_desired_write_begin(struct tg_desired *row)
{
	uint32_t v = atomic_load_explicit(&row->version, memory_order_relaxed);
	/* A writer that was killed inside leaves it odd: then it stays odd until this write ends. */
	atomic_store_explicit(&row->version, v | 1, memory_order_relaxed);
	atomic_thread_fence(memory_order_release);
}

void tg_desired_write_end(struct tg_desired *row)
{
	uint32_t v = atomic_load_explicit(&row->version, memory_order_relaxed);
	atomic_store_explicit(&row->version, v + 1, memory_order_release);
}
