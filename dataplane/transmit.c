#include "dataplane/transmit.h"

#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include "dataplane/rewrite.h"

static void flush_lane(struct dp_transmit *t, uint32_t port)
{
	struct dp_tx_lane *lane = &t->lane[port];
	if (!lane->n)
		return;
	dp_legs_sending(t->legs, lane->sent, lane->n);
	uint32_t taken = rte_eth_tx_burst(t->port[port].id, t->queue, lane->mbuf, (uint16_t)lane->n);
	dp_legs_sent(t->legs, lane->sent, taken);
	for (uint32_t i = taken; i < lane->n; i++) {
		dp_legs_not_sent(t->legs, &lane->sent[i]);
		rte_pktmbuf_free(lane->mbuf[i]);
	}
	dp_legs_sending_done(t->legs);
	tg_counter_add(&t->legs->stats->tx_frames, taken);
	lane->n = 0;
}

static void queue(struct dp_transmit *t, struct rte_mbuf *m, uint32_t port, enum tg_sent_as as, uint32_t leg,
	uint16_t rtp_bytes)
{
	struct dp_tx_lane *lane = &t->lane[port];
	lane->mbuf[lane->n] = m;
	lane->sent[lane->n] = (struct tg_sending_entry){
		.leg = leg, .rtp_bytes = rtp_bytes, .as = (uint8_t)as};
	if (++lane->n == DP_TX_BURST)
		flush_lane(t, port);
}

/* The leg whose far end hears the frame. */
static uint32_t heard_by(const struct dp_legs *l, const struct dp_outgoing *out)
{
	return out->as == TG_SENT_RELAYED ? l->ingress[out->leg].sink : out->leg;
}

static void capture(struct dp_transmit *t, struct rte_mbuf *m, uint32_t port, const struct dp_outgoing *out)
{
	uint32_t wanted = dp_capture_wanted(t->capture);
	if (wanted < DP_CAPTURE_LEG || wanted - DP_CAPTURE_LEG != heard_by(t->legs, out))
		return;
	m->port = t->port[port].id;
	dp_capture_frame(t->capture, t->queue, m, true);
}

void dp_transmit_rtp(struct dp_transmit *t, struct rte_mbuf *m, const struct dp_outgoing *out)
{
	struct dp_link link;
	uint32_t port = dp_link_unpack(out->link, &link);
	uint32_t ip_bytes = dp_flow_bytes(&out->flow) + out->rtp_bytes;
	uint8_t *ip = rte_pktmbuf_mtod(m, uint8_t *), *frame = NULL;
	enum tg_drop why = port >= t->ports                         ? TG_DROP_no_next_hop
			   : ip_bytes > dp_port_mtu(&t->port[port]) ? TG_DROP_too_big
								    : TG_DROPS;
	if (why == TG_DROPS) {
		why = TG_DROP_no_buffer;
		frame = (uint8_t *)rte_pktmbuf_prepend(m, (uint16_t)dp_link_bytes(&link));
	}
	if (!frame) {
		dp_legs_drop(t->legs, why, out->leg);
		rte_pktmbuf_free(m);
		return;
	}
	link.ipv6 = out->flow.src_ip6 != NULL;
	memcpy(link.from, t->port[port].mac, sizeof(link.from));
	dp_write_flow(ip, &out->flow, out->rtp_bytes);
	dp_write_link(frame, &link);
	/* What lies behind the packet (Ethernet padding) stays behind. */
	m->data_len = (uint16_t)(dp_link_bytes(&link) + ip_bytes);
	m->pkt_len = m->data_len;
	m->ol_flags &= RTE_MBUF_F_INDIRECT | RTE_MBUF_F_EXTERNAL;
	capture(t, m, port, out);
	queue(t, m, port, out->as, out->leg, out->rtp_bytes);
}

void dp_transmit_ready(
	struct dp_transmit *t, struct rte_mbuf *m, uint32_t port, uint32_t leg, uint32_t rtp_bytes)
{
	m->ol_flags &= RTE_MBUF_F_INDIRECT | RTE_MBUF_F_EXTERNAL;
	queue(t, m, port, TG_SENT_RELAYED, leg, (uint16_t)rtp_bytes);
}

void dp_transmit_raw(struct dp_transmit *t, struct rte_mbuf *m, uint32_t port)
{
	queue(t, m, port, TG_SENT_FOR_KERNEL, TG_NONE, 0);
}

void dp_transmit_flush(struct dp_transmit *t)
{
	for (uint32_t p = 0; p < t->ports; p++)
		flush_lane(t, p);
}
