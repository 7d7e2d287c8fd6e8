#include "dataplane/relay.h"

#include <string.h>

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

static void take_source(struct dp_legs *l, const struct dp_packet *p)
{
	struct tg_egress *e = &l->egress[p->leg];
	struct tg_addr source = p->src_ip6 ? tg_addr_ipv6(p->src_ip6) : tg_addr_ipv4(p->src_ip_be);
	l->ingress[p->leg].flags |= DP_ROW_LATCHED;
	l->latch[p->leg] = (struct dp_latch){0};
	dp_leg_set_far_end(l, p->leg, &source, p->src_port_be);
	atomic_store_explicit(&e->latches, atomic_load_explicit(&e->latches, memory_order_relaxed) + 1,
		memory_order_release);
	dp_legs_news(l, p->leg);
}

/* The signalled port may be one behind a NAT: a source of the signalled host that goes on sending what was
 * negotiated is taken for it. Another host never is: it would only have to spray all ports to take a call
 * over. (Where no IPv4 host was signalled there is no other.) Returns whether the packet is the far end's. */
static bool latch(struct dp_legs *l, const struct dp_packet *p, uint64_t now_tsc)
{
	struct tg_ingress *row = &l->ingress[p->leg];
	if ((row->flags & (TG_LEG_LATCH | DP_ROW_LATCHED)) != TG_LEG_LATCH || p->verdict != DP_RTP ||
		!is_negotiated(row, p->payload_type) ||
		!(dp_leg_is_host(l, p->leg, p->src_ip_be, p->src_ip6) || (!p->src_ip6 && !row->match_ip_be)))
		return false;
	struct dp_latch_packet seen = {.ip_be = p->src_ip_be,
		.ssrc = p->ssrc,
		.port_be = p->src_port_be,
		.seq = p->seq,
		.at_ms = (uint32_t)(now_tsc / l->clock.ticks_per_ms)};
	if (!dp_latch_watch(&l->latch[p->leg], &seen))
		return false;
	take_source(l, p);
	return true;
}

/* False: the far end sends more than it may. Only its own packets are paid for: nobody else can use it up. */
static bool pay(const struct dp_legs *l, struct tg_ingress *row, uint64_t now_tsc)
{
	uint32_t now = dp_rate_now(now_tsc);
	if (!dp_rate_allows(&l->rate, row->paid_until, now))
		return false;
	row->paid_until = dp_rate_pay(&l->rate, row->paid_until, now);
	return true;
}

/* Why the packet isn't accepted, or TG_DROPS. */
static enum tg_drop refuse(struct dp_legs *l, const struct dp_packet *p, uint64_t now_tsc)
{
	struct tg_ingress *row = &l->ingress[p->leg];
	if (l->place[p->leg] == TG_NONE)
		return TG_DROP_unknown_port;
	bool other = !dp_leg_is_host(l, p->leg, p->src_ip_be, p->src_ip6) ||
		     p->src_port_be != row->match_port_be;
	if (other && !latch(l, p, now_tsc))
		return TG_DROP_wrong_source;
	if (p->verdict == DP_DROP)
		return (enum tg_drop)p->drop;
	if (!is_negotiated(row, p->payload_type))
		return TG_DROP_payload_type;
	/* The source that was signalled comes first: its first packet ends the search. */
	if ((row->flags & (TG_LEG_LATCH | DP_ROW_LATCHED)) == TG_LEG_LATCH)
		take_source(l, p);
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
		.dscp = row->out_tos >> 2};
	if (row->out_ipv6) {
		out->flow.src_ip6 = l->ipv6[p->leg].out_src;
		out->flow.dst_ip6 = l->ipv6[p->leg].out_dst;
	}
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
	enum tg_drop why = refuse(l, p, now_tsc);
	if (why == TG_DROPS && !pay(l, row, now_tsc))
		why = TG_DROP_rate;
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
