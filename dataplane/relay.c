#include "dataplane/relay.h"

#include "dataplane/digits.h"
#include "dataplane/quality.h"
#include "dataplane/reception.h"
#include "dataplane/row.h"
#include "dataplane/rtcp.h"
#include "dataplane/stream.h"
#include "dataplane/wire.h"

static bool is_negotiated(const struct tg_ingress *row, uint8_t payload_type)
{
	return payload_type == row->rx.audio || payload_type == row->rx.event;
}

/* The signalled port may be one behind a NAT: the first of the signalled host that sends what was negotiated
 * is taken for it. Another host never is: it would only have to spray all ports to take a call over. */
static bool latch(struct dp_legs *l, const struct dp_packet *p)
{
	struct tg_ingress *row = &l->ingress[p->leg];
	if ((row->flags & (TG_LEG_LATCH | DP_ROW_LATCHED)) != TG_LEG_LATCH || p->verdict != DP_RTP ||
		!is_negotiated(row, p->payload_type) ||
		(row->match_ip_be && p->src_ip_be != row->match_ip_be))
		return false;
	struct tg_egress *e = &l->egress[p->leg];
	row->flags |= DP_ROW_LATCHED;
	dp_leg_set_far_end(l, p->leg, p->src_ip_be, p->src_port_be);
	atomic_store_explicit(&e->latches, atomic_load_explicit(&e->latches, memory_order_relaxed) + 1,
		memory_order_release);
	dp_legs_news(l, p->leg);
	return true;
}

/* Why the packet isn't accepted, or TG_DROPS. */
static enum tg_drop refuse(struct dp_legs *l, const struct dp_packet *p)
{
	struct tg_ingress *row = &l->ingress[p->leg];
	if (l->place[p->leg] == TG_NONE)
		return TG_DROP_unknown_port;
	bool other = p->src_ip_be != row->match_ip_be || p->src_port_be != row->match_port_be;
	if (other && !latch(l, p))
		return TG_DROP_wrong_source;
	if (p->verdict == DP_DROP)
		return (enum tg_drop)p->drop;
	if (!is_negotiated(row, p->payload_type))
		return TG_DROP_payload_type;
	/* The source that was signalled is the latch's choice too, once it has sent. */
	if ((row->flags & (TG_LEG_LATCH | DP_ROW_LATCHED)) == TG_LEG_LATCH)
		latch(l, p);
	return TG_DROPS;
}

static void take_digit(struct dp_legs *l, const struct dp_packet *p, const uint8_t *payload)
{
	struct tg_egress *e = &l->egress[p->leg];
	char digit = dp_digit_take(&l->ingress[p->leg], payload, p->ts, p->marker);
	if (!digit)
		return;
	e->stint_digits++;
	l->tally.v[TG_METER_digits]++;
	dp_digit_queue(
		e, atomic_load_explicit(&l->desired[p->leg].digits_taken, memory_order_acquire), digit);
	if (e->source == TG_SOURCE_PLAY && e->stop_on_digit)
		dp_leg_play_done(l, p->leg, true);
	else
		dp_legs_news(l, p->leg);
}

/* The packet as the sink's far end is to see it. False: it doesn't. */
static bool forward(struct dp_legs *l, const struct dp_packet *p, uint32_t span, enum dp_arrival arrival,
	uint64_t now_tsc, struct dp_outgoing *out)
{
	struct tg_ingress *row = &l->ingress[p->leg];
	bool event = p->payload_type == row->rx.event, newest = arrival != DP_ARRIVAL_LATE;
	uint8_t payload_type = event ? row->tx.event : row->tx.audio;
	if (row->flags & DP_ROW_MUTED || payload_type > 127) {
		dp_stream_withhold(row, &l->egress[row->sink], newest && !row->rebase);
		return false;
	}
	out->next_hop = row->out_next_hop;
	out->link = dp_nexthops_link(&l->hops, row->out_next_hop);
	struct dp_mapping m = {.seq = p->seq, .ts = p->ts, .span = span, .newest = newest};
	if (row->rebase) {
		if (!newest) /* from before this leg was heard */
			return false;
		dp_stream_join(row, &l->egress[row->sink], &m, now_tsc, &l->clock);
	}
	if (!dp_stream_map(row, &l->egress[row->sink], &m))
		return false;
	out->leg = p->leg;
	out->as = TG_SENT_RELAYED;
	out->rtp_bytes = p->rtp_bytes;
	out->flow = (struct dp_flow){.src_ip_be = row->out_src_ip_be,
		.dst_ip_be = row->out_dst_ip_be,
		.src_port_be = row->out_src_port_be,
		.dst_port_be = row->out_dst_port_be,
		.dscp = l->dscp};
	out->rtp = (struct dp_rtp){.ssrc_be = row->out_ssrc_be,
		.ts = m.out_ts,
		.seq = m.out_seq,
		.payload_type = payload_type,
		.marker = p->marker | row->marker};
	row->marker = 0;
	return true;
}

/* The far end began a new stream: the sink's goes on all the same. */
static void rebase(struct dp_legs *l, struct tg_ingress *row)
{
	if (row->sink == TG_NONE)
		return;
	dp_stream_leave(row, &l->egress[row->sink]);
	row->rebase = 1;
	row->marker = 1;
}

/* Takes the packet for what it says about its far end. False: it was dropped. */
static bool accept(struct dp_legs *l, const struct dp_packet *p, const uint8_t *rtp, uint64_t now_tsc,
	enum dp_arrival *arrival, uint32_t *span)
{
	struct tg_ingress *row = &l->ingress[p->leg];
	enum tg_drop why = refuse(l, p);
	bool event = p->payload_type == row->rx.event;
	if (why == TG_DROPS && event && p->payload_bytes < DP_EVENT_BYTES)
		why = TG_DROP_bad_rtp;
	if (why != TG_DROPS) {
		dp_legs_drop(l, why, p->leg);
		return false;
	}
	*arrival = dp_reception_look(row, p->seq, p->ssrc);
	if (*arrival == DP_ARRIVAL_NEW_STREAM && (row->flags & DP_ROW_SEEN))
		rebase(l, row);
	if (*arrival == DP_ARRIVAL_NEW_STREAM)
		dp_quality_new_source(l, p->leg, p->seq);
	dp_reception_count(row, *arrival, p->seq, p->ssrc);
	tg_counter_add(&row->rx_packets, 1);
	tg_counter_add(&row->rx_octets, p->rtp_bytes);
	l->tally.v[TG_METER_rx_packets]++;
	l->tally.v[TG_METER_rx_octets] += p->rtp_bytes;
	row->last_in_ts = p->ts;
	row->flags &= (uint8_t)~DP_ROW_SILENT;
	*span = DP_FRAME_UNITS;
	if (event) {
		const uint8_t *payload = rtp + p->header_bytes;
		*span = dp_get16(payload + 2);
		take_digit(l, p, payload);
	} else {
		dp_reception_jitter(row, dp_clock_units(&l->clock, now_tsc), p->ts);
	}
	return true;
}

bool dp_relay(struct dp_legs *l, const struct dp_packet *p, const uint8_t *rtp, uint64_t now_tsc,
	struct dp_outgoing *out)
{
	struct tg_ingress *row = &l->ingress[p->leg];
	enum dp_arrival arrival;
	uint32_t span;
	if (p->verdict == DP_RTCP) {
		dp_rtcp_take(l, p, rtp, now_tsc);
		return false;
	}
	if (!accept(l, p, rtp, now_tsc, &arrival, &span))
		return false;
	bool send = row->sink != TG_NONE && forward(l, p, span, arrival, now_tsc, out);
	atomic_store_explicit(&row->last_rx_tsc, now_tsc, memory_order_relaxed);
	return send;
}

void dp_relay_discard(struct dp_legs *l, const struct dp_packet *p, const uint8_t *rtp, uint64_t now_tsc)
{
	enum dp_arrival arrival;
	uint32_t span;
	if (p->verdict == DP_RTCP) { /* when it came is not known, and all that it says hangs on that */
		dp_legs_drop(l, TG_DROP_backlog, TG_NONE);
		return;
	}
	if (!accept(l, p, rtp, now_tsc, &arrival, &span))
		return;
	dp_legs_drop(l, TG_DROP_backlog, p->leg);
	atomic_store_explicit(&l->ingress[p->leg].last_rx_tsc, now_tsc, memory_order_relaxed);
}
