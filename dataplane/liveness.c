#include "dataplane/liveness.h"

#include "dataplane/row.h"
#include "dataplane/stream.h"

void dp_liveness_arm(struct dp_legs *l, uint32_t leg, uint64_t now_tsc)
{
	struct tg_ingress *row = &l->ingress[leg];
	/* last_rx_tsc is also when the row's stream sent last: hand that over before it changes. */
	if (row->sink != TG_NONE)
		dp_stream_leave(row, &l->egress[row->sink]);
	row->flags &= (uint8_t)~DP_ROW_SILENT;
	row->paid_until = dp_rate_settle(row->paid_until, dp_rate_now(now_tsc));
	atomic_store_explicit(&row->last_rx_tsc, now_tsc, memory_order_relaxed);
}

static void look(struct dp_legs *l, uint32_t leg, uint64_t now_tsc)
{
	struct tg_ingress *row = &l->ingress[leg];
	struct tg_egress *e = &l->egress[leg];
	row->paid_until = dp_rate_settle(row->paid_until, dp_rate_now(now_tsc));
	if (e->next_hop == TG_NONE && row->match_port_be) {
		struct tg_addr far = dp_leg_far_end(l, leg);
		dp_leg_set_far_end(l, leg, &far, row->match_port_be);
	}
	uint32_t limit_ms = e->program.media_timeout_ms;
	if (!limit_ms || row->flags & (TG_LEG_HOLD | DP_ROW_SILENT))
		return;
	uint64_t last = atomic_load_explicit(&row->last_rx_tsc, memory_order_relaxed);
	if (now_tsc <= last || now_tsc - last < limit_ms * l->clock.ticks_per_ms)
		return;
	row->flags |= DP_ROW_SILENT;
	atomic_store_explicit(&e->media_timeouts,
		atomic_load_explicit(&e->media_timeouts, memory_order_relaxed) + 1, memory_order_release);
	dp_legs_news(l, leg);
}

void dp_liveness_sweep(struct dp_legs *l, uint32_t count, uint64_t now_tsc)
{
	if (count > l->open_count)
		count = l->open_count;
	while (count--) {
		if (l->sweep >= l->open_count)
			l->sweep = 0;
		look(l, l->open[l->sweep++], now_tsc);
	}
}
