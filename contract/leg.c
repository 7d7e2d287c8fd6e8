#include "contract/leg.h"

#include <errno.h>
#include <string.h>

#define READ_TRIES 1000

struct tg_leg_terms tg_leg_terms_of(const struct tg_leg_program *p)
{
	return (struct tg_leg_terms){.remote_ip_be = tg_addr_ipv4_be(&p->remote),
		.remote_port_be = p->remote_port_be,
		.flags = p->flags,
		.frame_ms = p->frame_ms,
		.rx = p->rx,
		.tx = p->tx,
		.clock_khz = p->clock_khz,
		.dscp = p->dscp,
		.rtcp_port_be = p->rtcp_port_be,
		.ssrc = p->ssrc,
		.media_timeout_ms = p->media_timeout_ms};
}

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
