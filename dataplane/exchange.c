#include "dataplane/exchange.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <rte_lcore.h>
#include <rte_mbuf.h>
#include <rte_ring.h>

static struct rte_ring *make(const char *kind, uint32_t a, uint32_t b, unsigned count)
{
	char name[RTE_RING_NAMESIZE];
	snprintf(name, sizeof(name), "%s_%u_%u", kind, a, b);
	return rte_ring_create(name, count, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
}

int dp_exchange_open(struct dp_exchange *x, uint32_t workers)
{
	memset(x, 0, sizeof(*x));
	x->workers = workers;
	x->from_kernel = make("from_kernel", 0, 0, DP_KERNEL_RING);
	bool complete = x->from_kernel;
	for (uint32_t w = 0; w < workers && complete; w++) {
		x->to_kernel[w] = make("to_kernel", w, 0, DP_KERNEL_RING);
		complete = x->to_kernel[w];
		for (uint32_t to = 0; to < workers && complete; to++) {
			if (to == w)
				continue;
			x->handover[w][to] = make("handover", w, to, DP_HANDOVER_RING);
			complete = x->handover[w][to];
		}
	}
	if (complete)
		return 0;
	dp_exchange_close(x);
	return -ENOMEM;
}

static void drain(struct rte_ring *ring)
{
	void *m;
	while (ring && !rte_ring_dequeue(ring, &m))
		rte_pktmbuf_free(m);
	rte_ring_free(ring);
}

void dp_exchange_close(struct dp_exchange *x)
{
	drain(x->from_kernel);
	for (uint32_t w = 0; w < x->workers; w++) {
		drain(x->to_kernel[w]);
		for (uint32_t to = 0; to < x->workers; to++)
			drain(x->handover[w][to]);
	}
	memset(x, 0, sizeof(*x));
}
