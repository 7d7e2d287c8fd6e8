#include "dataplane/waiting.h"

#include <rte_mbuf.h>

static void drop(struct dp_transmit *t, struct rte_mbuf *m, const struct dp_outgoing *out)
{
	dp_legs_drop(t->legs, TG_DROP_no_next_hop, out->leg);
	rte_pktmbuf_free(m);
}

void dp_waiting_add(struct dp_waiting *w, struct dp_transmit *t, struct rte_mbuf *m,
	const struct dp_outgoing *out, uint64_t now)
{
	const struct tg_ingress *row = &t->legs->ingress[out->leg];
	if (w->n == DP_WAITING_MAX || out->next_hop == TG_NONE) {
		drop(t, m, out);
		return;
	}
	w->slot[w->n].mbuf = m;
	w->slot[w->n].out = *out;
	w->slot[w->n].generation = atomic_load_explicit(&row->generation, memory_order_relaxed);
	w->slot[w->n].sink = row->sink;
	w->slot[w->n++].until_tsc = now + DP_WAITING_MS * t->legs->clock.ticks_per_ms;
}

void dp_waiting_retry(struct dp_waiting *w, struct dp_transmit *t, uint64_t now)
{
	uint32_t kept = 0;
	for (uint32_t i = 0; i < w->n; i++) {
		struct dp_outgoing *out = &w->slot[i].out;
		const struct tg_ingress *row = &t->legs->ingress[out->leg];
		bool stale = t->legs->place[out->leg] == TG_NONE || row->sink != w->slot[i].sink ||
			     atomic_load_explicit(&row->generation, memory_order_relaxed) !=
				     w->slot[i].generation;
		out->link = stale ? 0 : dp_nexthops_link(&t->legs->hops, row->out_next_hop);
		if (out->link)
			dp_transmit_rtp(t, w->slot[i].mbuf, out);
		else if (stale || now >= w->slot[i].until_tsc)
			drop(t, w->slot[i].mbuf, out);
		else
			w->slot[kept++] = w->slot[i];
	}
	w->n = kept;
}
