#include "dataplane/report.h"

#include <rte_mbuf.h>

#include "dataplane/rtcp.h"

/* Reports in one loop: some 10 us of work. */
#define REPORT_BUDGET 32

uint32_t dp_report_send(struct dp_legs *l, struct dp_transmit *t, struct rte_mempool *pool, uint64_t now_tsc)
{
	uint32_t budget = REPORT_BUDGET;
	struct dp_outgoing out;
	uint8_t rtcp[DP_RTCP_BYTES_MAX];
	while (dp_rtcp_next(l, now_tsc, &budget, &out, rtcp)) {
		struct rte_mbuf *m = rte_pktmbuf_alloc(pool);
		if (!m) {
			dp_legs_drop(l, TG_DROP_no_buffer, TG_NONE);
			tg_counter_add(&l->stats->rtcp_missed, 1);
			continue;
		}
		uint32_t headers = dp_flow_bytes(&out.flow);
		uint8_t *ip = (uint8_t *)rte_pktmbuf_append(m, (uint16_t)(headers + out.rtp_bytes));
		memcpy(ip + headers, rtcp, out.rtp_bytes);
		dp_transmit_rtp(t, m, &out);
	}
	return REPORT_BUDGET - budget;
}
