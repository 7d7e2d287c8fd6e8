#include "tests/perf/packets/renumber.h"

#include <errno.h>
#include <stdlib.h>

#include <rte_cycles.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>

#define SEQUENCE_AT 44
#define FRAME_UNITS 160

struct state {
	uint32_t frames, at, round;
	uint64_t ticks_per_packet, next; /* when one more may pass; 0: at any time */
};

typedef uint16_t __attribute__((may_alias, aligned(1))) be16;
typedef uint32_t __attribute__((may_alias, aligned(1))) be32;

static uint16_t renumber(
	uint16_t port, uint16_t queue, struct rte_mbuf **m, uint16_t n, uint16_t max, void *arg)
{
	struct state *s = arg;
	if (s->ticks_per_packet) {
		uint64_t now = rte_rdtsc();
		if (s->next > now) {
			rte_pktmbuf_free_bulk(m, n);
			return 0;
		}
		s->next = (s->next ? s->next : now) + n * s->ticks_per_packet;
	}
	for (uint16_t i = 0; i < n; i++) {
		uint8_t *frame = rte_pktmbuf_mtod(m[i], uint8_t *);
		be16 *sequence = (be16 *)(frame + SEQUENCE_AT);
		be32 *timestamp = (be32 *)(frame + SEQUENCE_AT + 2);
		*sequence = rte_cpu_to_be_16((uint16_t)(rte_be_to_cpu_16(*sequence) + s->round));
		*timestamp = rte_cpu_to_be_32(rte_be_to_cpu_32(*timestamp) + s->round * FRAME_UNITS);
		if (++s->at == s->frames) {
			s->at = 0;
			s->round++;
		}
	}
	return n;
}

int renumber_port(uint16_t port, uint16_t queue, uint32_t frames, uint32_t packets_per_s)
{
	struct state *s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	s->frames = frames;
	s->ticks_per_packet = packets_per_s ? rte_get_tsc_hz() / packets_per_s : 0;
	return rte_eth_add_rx_callback(port, queue, renumber, s) ? 0 : -ENOTSUP;
}
