#include "dataplane/quality.h"

#include <string.h>

#include "dataplane/clock.h"
#include "dataplane/emodel.h"
#include "dataplane/meter.h"
#include "dataplane/reception.h"
#include "dataplane/row.h"
#include "dataplane/step.h"

#define RTP_HEADER_BYTES 12
/* A longer one is a mistake of the far end's: 60 s. */
#define TRIP_MAX (60 * DP_RTCP_UNITS_PER_S)

void dp_quality_begin(struct dp_legs *l, uint32_t leg)
{
	memset((void *)&l->quality[leg], 0, sizeof(l->quality[leg]));
}

static struct tg_quality_sums *sums_of(struct tg_quality *q)
{
	return &q->sums[atomic_load_explicit(&q->closed_part, memory_order_relaxed) & 1];
}

void dp_quality_new_source(struct dp_legs *l, uint32_t leg, uint16_t seq)
{
	const struct tg_ingress *row = &l->ingress[leg];
	struct tg_quality *q = &l->quality[leg];
	struct tg_quality_sums *s = sums_of(q);
	/* So that these and the open part's come to nothing. */
	s->expected = 0u - dp_reception_expected(row);
	s->received = 0u - (uint32_t)tg_counter_read(&row->rx_packets);
	q->reported_expected = q->reported_received = 0;
	q->first_seq = seq;
	/* A sender report that came before the first packet of all is this source's. */
	if (row->flags & DP_ROW_SEEN)
		q->last_sr = q->last_sr_at = q->last_ref = q->last_ref_at = 0;
}

struct tg_quality_sums dp_quality_sums(const struct dp_legs *l, uint32_t leg)
{
	const struct tg_ingress *row = &l->ingress[leg];
	struct tg_quality_sums s = *sums_of(&l->quality[leg]);
	struct tg_meter open;
	dp_meter_open_counts(l, leg, &open);
	uint64_t packets = open.v[TG_METER_relayed_packets] + open.v[TG_METER_played_packets];
	uint64_t octets = open.v[TG_METER_relayed_octets] + open.v[TG_METER_played_octets];
	s.sent_packets += (uint32_t)packets;
	s.sent_octets += (uint32_t)(octets - packets * RTP_HEADER_BYTES);
	s.expected += dp_reception_expected(row);
	s.received += (uint32_t)open.v[TG_METER_rx_packets];
	return s;
}

void dp_quality_close_part(struct dp_legs *l, uint32_t leg)
{
	const struct tg_egress *e = &l->egress[leg];
	struct tg_quality *q = &l->quality[leg];
	uint64_t before = atomic_load_explicit(&q->closed_part, memory_order_relaxed);
	uint64_t name = ((uint64_t)e->stint << 32 | e->part) + 1;
	if (before >> 1 == (name & (UINT64_MAX >> 1)))
		return;
	q->sums[!(before & 1)] = dp_quality_sums(l, leg);
	dp_step();
	atomic_store_explicit(&q->closed_part, name << 1 | !(before & 1), memory_order_relaxed);
	dp_step();
}

uint32_t dp_quality_ext_seq(const struct tg_quality *q, const struct tg_quality_sums *s)
{
	return q->first_seq + s->expected - 1;
}

uint32_t dp_quality_jitter_us(const struct tg_ingress *row)
{
	return (row->jitter_q4 >> 4) * 1000 / (row->clock_khz ? row->clock_khz : DP_CLOCK_KHZ);
}

void dp_quality_trip(struct tg_quality *q, uint32_t trip)
{
	if (trip > TRIP_MAX)
		return;
	struct tg_quality_figures *f = &q->figures;
	f->round_trip_us = (uint32_t)((uint64_t)trip * 1000000 / DP_RTCP_UNITS_PER_S);
	/* Whoever reports without end doesn't get the count to 0: half of what was counts from then on. */
	if (q->round_trips == UINT32_MAX) {
		q->round_trip_sum_us /= 2;
		q->round_trips /= 2;
	}
	q->round_trip_sum_us += f->round_trip_us;
	q->round_trips++;
	f->round_trip_average_us = (uint32_t)(q->round_trip_sum_us / q->round_trips);
	f->known |= TG_QUALITY_TRIP;
}

void dp_quality_reported(struct tg_quality *q, const struct dp_rtcp_block *b, uint32_t clock_khz)
{
	uint64_t us = (uint64_t)b->jitter * 1000 / (clock_khz ? clock_khz : DP_CLOCK_KHZ);
	q->far_fraction = b->fraction;
	q->figures.far_lost = b->lost;
	q->figures.far_jitter_us = us < UINT32_MAX ? (uint32_t)us : UINT32_MAX;
	q->figures.known |= TG_QUALITY_REPORTED;
}

void dp_quality_said(struct tg_quality *q, const struct dp_rtcp_voip *v)
{
	if (v->mos_lq_x10 < 10 || v->mos_lq_x10 > 50) /* 127: not available; others don't exist */
		return;
	q->figures.mos_to_x100 = (uint16_t)(v->mos_lq_x10 * 10);
	q->figures.known |= TG_QUALITY_TO | TG_QUALITY_TO_SAID;
}

static double percent(int64_t part, uint32_t of)
{
	return part <= 0 || !of ? 0 : part >= of ? 100 : 100.0 * (double)part / of;
}

/* delay_ms below 0: how it sounds to who only listens. */
static double rate(double loss, double trip_ms, double frame_ms, double jitter_us)
{
	struct dp_emodel_path p = {.loss_percent = loss, .burst_ratio = 1};
	if (trip_ms >= 0)
		p.delay_ms = dp_emodel_delay_ms(trip_ms, frame_ms, jitter_us / 1000);
	return dp_emodel_r(&dp_emodel_g711, &p);
}

struct dp_quality_r dp_quality_r(const struct dp_legs *l, uint32_t leg)
{
	const struct tg_ingress *row = &l->ingress[leg];
	const struct tg_quality *q = &l->quality[leg];
	const struct tg_quality_figures *f = &q->figures;
	struct tg_quality_sums s = dp_quality_sums(l, leg);
	struct dp_quality_r r = {.from = -1, .to = -1, .from_listening = -1};
	double frame_ms = l->egress[leg].program.frame_ms;
	/* A trip that nobody measured is taken for none. */
	double trip_ms = f->known & TG_QUALITY_TRIP ? f->round_trip_average_us / 1000.0 : 0;
	if (s.received) {
		double loss = percent((int32_t)(s.expected - s.received), s.expected);
		r.from = rate(loss, trip_ms, frame_ms, dp_quality_jitter_us(row));
		r.from_listening = rate(loss, -1, frame_ms, 0);
	}
	if (f->known & TG_QUALITY_REPORTED && s.sent_packets)
		r.to = rate(percent(f->far_lost, s.sent_packets), trip_ms, frame_ms, f->far_jitter_us);
	return r;
}

static uint16_t score_x100(double r)
{
	return (uint16_t)(dp_emodel_mos(r) * 100 + 0.5);
}

const struct tg_quality_figures *dp_quality_rate(struct dp_legs *l, uint32_t leg)
{
	struct tg_quality_figures *f = &l->quality[leg].figures;
	struct dp_quality_r r = dp_quality_r(l, leg);
	if (r.from >= 0) {
		f->mos_from_x100 = score_x100(r.from);
		f->known |= TG_QUALITY_FROM;
	}
	if (r.to >= 0 && !(f->known & TG_QUALITY_TO_SAID)) {
		f->mos_to_x100 = score_x100(r.to);
		f->known |= TG_QUALITY_TO;
	}
	return f;
}
