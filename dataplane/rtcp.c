#include "dataplane/rtcp.h"

#include <endian.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/emodel.h"
#include "dataplane/quality.h"
#include "dataplane/row.h"
#include "dataplane/rtcp_interval.h"
#include "dataplane/rtcp_read.h"
#include "dataplane/stream.h"

/* BYEs that can wait: those of a few batches of commands. */
#define GOODBYES 256
/* A session of G.711 between two, all headers counted. */
#define SESSION_KBIT       80
#define MEMBERS            2
#define HEADERS_BYTES      28
#define IPV6_HEADERS_BYTES 48
/* RFC 3611 section 4.7.2: the recommended Gmin. */
#define GAP_MIN 16

struct dp_rtcp_goodbye {
	struct dp_outgoing out;
	uint8_t to[16]; /* of IPv6: the leg's row may be another one's by the time it is sent */
	uint8_t bytes[DP_RTCP_BYTES_MAX];
};

/* One moment, in the ways that reports tell time. */
struct moment {
	uint64_t tsc, ntp;
	uint32_t middle;
};

int dp_rtcp_open(struct dp_rtcp *r, uint32_t rows, uint64_t hz, uint64_t now_tsc)
{
	memset(r, 0, sizeof(*r));
	int e = dp_rtcp_wheel_open(&r->wheel, rows, hz, now_tsc);
	if (e)
		return e;
	r->goodbye = calloc(GOODBYES, sizeof(*r->goodbye));
	r->paid = calloc(rows, sizeof(*r->paid));
	if (!r->goodbye || !r->paid) {
		dp_rtcp_close(r);
		return -ENOMEM;
	}
	dp_rate_init(&r->rate, hz, DP_RTCP_PER_S);
	r->minimum_ms = DP_RTCP_MINIMUM_MS;
	r->random = now_tsc | 1;
	return 0;
}

void dp_rtcp_close(struct dp_rtcp *r)
{
	dp_rtcp_wheel_close(&r->wheel);
	free(r->goodbye);
	free(r->paid);
	r->goodbye = NULL;
	r->paid = NULL;
}

static struct moment moment_of(const struct dp_legs *l, uint64_t tsc)
{
	uint64_t ntp = dp_ntp_of(tg_timebase_utc_ns(tg_region_timebase(l->region), tsc));
	return (struct moment){.tsc = tsc, .ntp = ntp, .middle = dp_ntp_middle(ntp)};
}

/* xorshift64*: spreads reports, guards nothing. */
static uint32_t random_of(struct dp_rtcp *r)
{
	r->random ^= r->random >> 12;
	r->random ^= r->random << 25;
	r->random ^= r->random >> 27;
	return (uint32_t)(r->random * 0x2545f4914f6cdd1dull >> 32);
}

static bool we_sent(const struct tg_quality *q, const struct tg_quality_sums *s)
{
	return s->sent_packets != q->reported_sent[1];
}

/* Did the source send since our last report? */
static bool they_sent(const struct tg_quality *q, const struct tg_quality_sums *s)
{
	return s->received != q->reported_received;
}

static uint32_t interval_ms(struct dp_legs *l, uint32_t leg)
{
	const struct tg_quality *q = &l->quality[leg];
	struct tg_quality_sums sums = dp_quality_sums(l, leg);
	struct dp_rtcp_session s = {.members = MEMBERS,
		.senders = (uint32_t)we_sent(q, &sums) + they_sent(q, &sums),
		.octets_per_s = dp_rtcp_octets_per_s(SESSION_KBIT),
		.average_octets = q->average_octets,
		.minimum_ms = l->rtcp.minimum_ms,
		.we_sent = we_sent(q, &sums),
		.initial = !q->reports_sent};
	return dp_rtcp_interval_ms(&s, random_of(&l->rtcp));
}

static void schedule(struct dp_legs *l, uint32_t leg, uint64_t now_tsc, uint32_t in_ms)
{
	dp_rtcp_wheel_add(&l->rtcp.wheel, leg, now_tsc + in_ms * l->clock.ticks_per_ms);
}

void dp_rtcp_begin(struct dp_legs *l, uint32_t leg, uint64_t now_tsc)
{
	struct tg_quality *q = &l->quality[leg];
	if (!q->reports_sent)
		q->last_report = moment_of(l, now_tsc).middle;
	l->rtcp.paid[leg] = dp_rate_now(now_tsc);
	schedule(l, leg, now_tsc, interval_ms(l, leg));
}

void dp_rtcp_end(struct dp_legs *l, uint32_t leg)
{
	dp_rtcp_wheel_remove(&l->rtcp.wheel, leg);
}

/* Where the far end's RTCP comes from and ours goes to; 0: it has none. */
static uint16_t far_port_be(const struct dp_legs *l, uint32_t leg)
{
	const struct tg_leg_terms *p = &l->egress[leg].program;
	if (p->flags & TG_LEG_MUX)
		return l->ingress[leg].match_port_be;
	return l->quality[leg].learnt_port_be ? l->quality[leg].learnt_port_be : p->rtcp_port_be;
}

static void note_octets(const struct dp_legs *l, uint32_t leg, uint32_t bytes)
{
	struct tg_quality *q = &l->quality[leg];
	uint32_t headers = l->ingress[leg].ipv6 ? IPV6_HEADERS_BYTES : HEADERS_BYTES;
	q->average_octets = (uint16_t)dp_rtcp_average(q->average_octets, bytes + headers);
}

static void absorb(struct dp_legs *l, uint32_t leg, const struct dp_rtcp_seen *seen, const struct moment *now)
{
	const struct tg_ingress *row = &l->ingress[leg];
	struct tg_quality *q = &l->quality[leg];
	bool of_source = !(row->flags & DP_ROW_SEEN) || seen->ssrc == row->ssrc_in;
	if (seen->has_sent && of_source) {
		q->last_sr = dp_ntp_middle(seen->sent.ntp);
		q->last_sr_at = now->middle;
	}
	if (seen->has_rrtr) {
		q->last_ref = dp_ntp_middle(seen->rrtr_ntp);
		q->last_ref_at = now->middle;
	}
	if (seen->has_block)
		dp_quality_reported(q, &seen->block, row->clock_khz);
	if (seen->has_block && seen->block.lsr)
		dp_quality_trip(q, dp_rtcp_round_trip(now->middle, seen->block.lsr, seen->block.dlsr));
	else if (seen->has_dlrr && seen->dlrr.lrr)
		dp_quality_trip(q, dp_rtcp_round_trip(now->middle, seen->dlrr.lrr, seen->dlrr.dlrr));
	if (seen->has_voip)
		dp_quality_said(q, &seen->voip);
	if (seen->bye && of_source)
		q->figures.known |= TG_QUALITY_LEFT;
	dp_quality_rate(l, leg);
}

/* Why it isn't read, or TG_DROPS. */
static enum tg_drop refuse(const struct dp_legs *l, const struct dp_packet *p)
{
	if (l->place[p->leg] == TG_NONE)
		return TG_DROP_unknown_port;
	const struct tg_ingress *row = &l->ingress[p->leg];
	uint8_t flags = l->egress[p->leg].program.flags;
	bool from_host = dp_leg_is_host(l, p->leg, p->src_ip_be, p->src_ip6);
	uint16_t port_be = far_port_be(l, p->leg);
	if (p->on_media_port && !(flags & TG_LEG_MUX)) /* as RTP: a payload type that nobody has */
		return from_host && p->src_port_be == row->match_port_be ? TG_DROP_payload_type
									 : TG_DROP_wrong_source;
	if (!port_be)
		return TG_DROP_rtcp_ignored;
	if (!from_host || p->on_media_port != !!(flags & TG_LEG_MUX))
		return TG_DROP_rtcp_source;
	/* Behind a NAT the port is another; what may be believed of that is looked at when it is read. */
	bool learns = flags & TG_LEG_LATCH && !(flags & TG_LEG_MUX) && !l->quality[p->leg].learnt_port_be;
	return p->src_port_be == port_be || learns ? TG_DROPS : TG_DROP_rtcp_source;
}

/* From another port than was signalled, as a latch allows: it must know the SSRC of the far end's RTP. */
static bool learn_port(struct dp_legs *l, const struct dp_packet *p, const struct dp_rtcp_seen *seen)
{
	const struct tg_ingress *row = &l->ingress[p->leg];
	if (p->src_port_be == far_port_be(l, p->leg))
		return true;
	if (!(row->flags & DP_ROW_SEEN) || seen->ssrc != row->ssrc_in)
		return false;
	l->quality[p->leg].learnt_port_be = p->src_port_be;
	return true;
}

/* False: more than a far end has to say. Reading it costs more than relaying a packet does. */
static bool pay(struct dp_rtcp *r, uint32_t leg, uint64_t now_tsc)
{
	uint32_t now = dp_rate_now(now_tsc);
	if (!dp_rate_allows(&r->rate, r->paid[leg], now))
		return false;
	r->paid[leg] = dp_rate_pay(&r->rate, r->paid[leg], now);
	return true;
}

void dp_rtcp_take(struct dp_legs *l, const struct dp_packet *p, const uint8_t *bytes, uint64_t now_tsc)
{
	struct dp_rtcp_seen seen;
	tg_counter_add(&l->stats->rtcp, 1);
	enum tg_drop why = refuse(l, p);
	if (why == TG_DROPS && !pay(&l->rtcp, p->leg, now_tsc))
		why = TG_DROP_rtcp_rate;
	if (why == TG_DROPS && dp_rtcp_read(bytes, p->rtp_bytes, be32toh(l->egress[p->leg].ssrc_be), &seen))
		why = TG_DROP_bad_rtcp;
	if (why == TG_DROPS && !learn_port(l, p, &seen))
		why = TG_DROP_rtcp_source;
	if (why != TG_DROPS) {
		dp_legs_drop(l, why, p->leg);
		return;
	}
	struct moment now = moment_of(l, now_tsc);
	tg_counter_add(&l->stats->rtcp_received, 1);
	note_octets(l, p->leg, p->rtp_bytes);
	absorb(l, p->leg, &seen, &now);
}

/* False: there is nobody to send to, or no way there yet. */
static bool address(const struct dp_legs *l, uint32_t leg, struct dp_outgoing *out)
{
	const struct tg_egress *e = &l->egress[leg];
	const struct tg_ingress *row = &l->ingress[leg];
	uint16_t port, far_be = far_port_be(l, leg);
	memset(out, 0, sizeof(*out));
	if (!row->match_port_be || !far_be)
		return false;
	out->leg = TG_NONE; /* nothing of it is charged to the leg: it is no media */
	out->next_hop = e->next_hop;
	out->as = TG_SENT_RTCP;
	const struct tg_addr *local = tg_capacity_address(l->cap, leg, &port);
	out->flow = (struct dp_flow){.src_ip_be = tg_addr_ipv4_be(local),
		.dst_ip_be = row->match_ip_be,
		.src_ip6 = row->ipv6 ? local->b : NULL,
		.dst_ip6 = row->ipv6 ? l->ipv6[leg].match : NULL,
		.src_port_be = htobe16(e->program.flags & TG_LEG_MUX ? port : port + 1),
		.dst_port_be = far_be,
		.dscp = e->program.dscp};
	out->link = dp_nexthops_link(&l->hops, e->next_hop);
	if (!out->link)
		tg_counter_add(&l->stats->rtcp_missed, 1);
	return out->link;
}

static struct dp_rtcp_block block_of(
	const struct dp_legs *l, uint32_t leg, const struct tg_quality_sums *s, const struct moment *now)
{
	const struct tg_ingress *row = &l->ingress[leg];
	const struct tg_quality *q = &l->quality[leg];
	return (struct dp_rtcp_block){.ssrc = row->ssrc_in,
		.fraction = dp_rtcp_fraction(
			s->expected - q->reported_expected, s->received - q->reported_received),
		.lost = dp_rtcp_lost(s->expected, s->received),
		.ext_seq = dp_quality_ext_seq(q, s),
		.jitter = row->jitter_q4 >> 4,
		.lsr = q->last_sr,
		.dlsr = q->last_sr ? now->middle - q->last_sr_at : 0};
}

static uint8_t score_x10(double r)
{
	return r < 0 ? DP_VOIP_UNKNOWN : (uint8_t)lround(dp_emodel_mos(r) * 10);
}

static uint16_t cut16(uint64_t v)
{
	return v < UINT16_MAX ? (uint16_t)v : UINT16_MAX;
}

/* Which packets of a burst are missing is not kept: all is one gap of evenly spread losses, which is what
 * RFC 3611 calls losses further apart than Gmin. There is no jitter buffer here, so nothing is discarded. */
static struct dp_rtcp_voip voip_of(const struct dp_legs *l, uint32_t leg, const struct tg_quality_sums *s)
{
	const struct tg_quality_figures *f = &l->quality[leg].figures;
	struct dp_quality_r r = dp_quality_r(l, leg);
	uint8_t loss = dp_rtcp_fraction(s->expected, s->received);
	return (struct dp_rtcp_voip){.ssrc = l->ingress[leg].ssrc_in,
		.loss_rate = loss,
		.gap_density = loss,
		.gap_ms = cut16((uint64_t)s->expected * l->egress[leg].program.frame_ms),
		.round_trip_ms = f->known & TG_QUALITY_TRIP ? cut16(f->round_trip_us / 1000) : 0,
		.signal_dbm = DP_VOIP_UNKNOWN,
		.noise_dbm = DP_VOIP_UNKNOWN,
		.return_loss_db = DP_VOIP_UNKNOWN,
		.gap_min = GAP_MIN,
		.r_factor = r.from < 0 ? DP_VOIP_UNKNOWN : (uint8_t)lround(r.from),
		.external_r = DP_VOIP_UNKNOWN,
		.mos_lq_x10 = score_x10(r.from_listening),
		.mos_cq_x10 = score_x10(r.from)};
}

static uint32_t compose(struct dp_legs *l, uint32_t leg, const struct moment *now, bool bye,
	uint8_t bytes[static DP_RTCP_BYTES_MAX])
{
	const struct tg_ingress *row = &l->ingress[leg];
	struct tg_egress *e = &l->egress[leg];
	struct tg_quality *q = &l->quality[leg];
	struct tg_quality_sums s = dp_quality_sums(l, leg);
	bool seen = row->flags & DP_ROW_SEEN;
	struct dp_rtcp_report r = {.ssrc = be32toh(e->ssrc_be),
		.bye = bye,
		.has_sent = we_sent(q, &s),
		.has_block = seen && (bye || they_sent(q, &s)),
		.has_voip = seen && e->program.flags & TG_LEG_VOIP,
		.has_dlrr = seen && q->last_ref,
		.rrtr_ntp = now->ntp};
	r.has_rrtr = !r.has_sent && e->program.flags & TG_LEG_RTT;
	if (r.has_sent)
		r.sent = (struct dp_rtcp_sent){.ntp = now->ntp,
			.rtp_ts = dp_stream_ts_at(e,
				e->source == TG_SOURCE_RELAY ? &l->ingress[e->feeder] : NULL, now->tsc,
				&l->clock),
			.packets = s.sent_packets,
			.octets = s.sent_octets};
	if (r.has_block)
		r.block = block_of(l, leg, &s, now);
	if (r.has_dlrr)
		r.dlrr = (struct dp_rtcp_dlrr){row->ssrc_in, q->last_ref, now->middle - q->last_ref_at};
	if (r.has_voip)
		r.voip = voip_of(l, leg, &s);
	dp_rtcp_cname(r.cname, tg_region_id(l->region),
		(uint64_t)atomic_load_explicit(&e->generation, memory_order_relaxed) << 32 | leg);
	q->reported_expected = s.expected;
	q->reported_received = s.received;
	q->reported_sent[1] = q->reported_sent[0];
	q->reported_sent[0] = s.sent_packets;
	q->last_report = now->middle;
	q->reports_sent++;
	return dp_rtcp_write(bytes, &r);
}

void dp_rtcp_bye(struct dp_legs *l, uint32_t leg, uint64_t now_tsc)
{
	struct dp_rtcp *r = &l->rtcp;
	struct tg_quality_sums s = dp_quality_sums(l, leg);
	struct dp_outgoing out;
	/* Who never sent anything doesn't say BYE (6.3.7). */
	if ((!l->quality[leg].reports_sent && !s.sent_packets) || !address(l, leg, &out))
		return;
	if (r->goodbyes == GOODBYES) {
		tg_counter_add(&l->stats->rtcp_missed, 1);
		return;
	}
	struct dp_rtcp_goodbye *g = &r->goodbye[(r->first + r->goodbyes++) % GOODBYES];
	struct moment now = moment_of(l, now_tsc);
	g->out = out;
	if (out.flow.dst_ip6) {
		memcpy(g->to, out.flow.dst_ip6, sizeof(g->to));
		g->out.flow.dst_ip6 = g->to;
	}
	g->out.rtp_bytes = (uint16_t)compose(l, leg, &now, true, g->bytes);
}

static bool next_goodbye(struct dp_rtcp *r, struct dp_outgoing *out, uint8_t bytes[static DP_RTCP_BYTES_MAX])
{
	if (!r->goodbyes)
		return false;
	const struct dp_rtcp_goodbye *g = &r->goodbye[r->first];
	r->first = (r->first + 1) % GOODBYES;
	r->goodbyes--;
	*out = g->out;
	memcpy(bytes, g->bytes, g->out.rtp_bytes);
	return true;
}

/* One leg's turn. True: a report is to be sent. */
static bool turn(struct dp_legs *l, uint32_t leg, uint64_t now_tsc, struct dp_outgoing *out,
	uint8_t bytes[static DP_RTCP_BYTES_MAX])
{
	struct tg_quality *q = &l->quality[leg];
	struct moment now = moment_of(l, now_tsc);
	l->rtcp.paid[leg] = dp_rate_settle(l->rtcp.paid[leg], dp_rate_now(now_tsc));
	uint32_t since_ms = (uint32_t)((uint64_t)(now.middle - q->last_report) * 1000 / DP_RTCP_UNITS_PER_S);
	uint32_t interval = interval_ms(l, leg);
	if (interval > since_ms) { /* 6.3.6: on second thoughts it is too early */
		schedule(l, leg, now_tsc, interval - since_ms);
		return false;
	}
	dp_quality_rate(l, leg);
	bool send = address(l, leg, out);
	if (send) {
		out->rtp_bytes = (uint16_t)compose(l, leg, &now, false, bytes);
		note_octets(l, leg, out->rtp_bytes);
	}
	/* A new one: that which was long enough isn't used again. */
	schedule(l, leg, now_tsc, interval_ms(l, leg));
	return send;
}

bool dp_rtcp_next(struct dp_legs *l, uint64_t now_tsc, uint32_t *budget, struct dp_outgoing *out,
	uint8_t bytes[static DP_RTCP_BYTES_MAX])
{
	while (*budget) {
		if (next_goodbye(&l->rtcp, out, bytes)) {
			(*budget)--;
			return true;
		}
		uint32_t leg = dp_rtcp_wheel_due(&l->rtcp.wheel, now_tsc);
		if (leg == TG_NONE)
			return false;
		(*budget)--;
		if (turn(l, leg, now_tsc, out, bytes))
			return true;
	}
	return false;
}
