#include "dataplane/meter.h"

#include "dataplane/reception.h"
#include "dataplane/row.h"
#include "dataplane/step.h"

void dp_meter_open_counts(const struct dp_legs *l, uint32_t leg, struct tg_meter *counts)
{
	const struct tg_ingress *row = &l->ingress[leg];
	const struct tg_egress *e = &l->egress[leg];
	*counts = (struct tg_meter){.v = {
					    [TG_METER_rx_packets] = tg_counter_read(&row->rx_packets),
					    [TG_METER_rx_octets] = tg_counter_read(&row->rx_octets),
					    [TG_METER_relayed_packets] = tg_counter_read(&e->relayed_packets),
					    [TG_METER_relayed_octets] = tg_counter_read(&e->relayed_octets),
					    [TG_METER_played_packets] = tg_counter_read(&e->played_packets),
					    [TG_METER_played_octets] = tg_counter_read(&e->played_octets),
					    [TG_METER_dropped_packets] = atomic_load_explicit(
						    &row->dropped_packets, memory_order_relaxed),
					    [TG_METER_digits] = e->stint_digits,
				    }};
	if (e->source != TG_SOURCE_RELAY)
		return;
	const struct tg_ingress *from = &l->ingress[e->feeder];
	counts->v[TG_METER_relayed_packets] += tg_counter_read(&from->forwarded_packets);
	counts->v[TG_METER_relayed_octets] += tg_counter_read(&from->forwarded_octets);
}

bool dp_meter_has_room(const struct dp_legs *l, uint32_t records)
{
	return TG_METER_RING - 1 - tg_ring_waiting(tg_region_meters(l->region, l->worker)) >= records;
}

static void reset(struct dp_legs *l, uint32_t leg)
{
	struct tg_ingress *row = &l->ingress[leg];
	struct tg_egress *e = &l->egress[leg];
	tg_counter_set(&row->rx_packets, 0);
	tg_counter_set(&row->rx_octets, 0);
	atomic_store_explicit(&row->dropped_packets, 0, memory_order_relaxed);
	tg_counter_set(&e->relayed_packets, 0);
	tg_counter_set(&e->relayed_octets, 0);
	tg_counter_set(&e->played_packets, 0);
	tg_counter_set(&e->played_octets, 0);
	e->stint_digits = 0;
	l->outage[leg] = (struct tg_outage){0};
	dp_reception_new_part(row);
}

static void set_closed(struct dp_legs *l, const struct tg_meter *closed)
{
	for (int i = 0; i < TG_METERS; i++)
		tg_counter_set(&l->stats->closed[i], closed->v[i]);
}

/* The name changes when all that it names has changed, and its last half last: see dp_meter_finish_close().
 */
static void begin_part(struct dp_legs *l, uint32_t leg, uint32_t stint, uint32_t part, uint64_t start_ns)
{
	struct tg_egress *e = &l->egress[leg];
	reset(l, leg);
	dp_step();
	e->stint_start_ns = start_ns;
	dp_step();
	e->stint = stint;
	dp_step();
	e->part = part;
	dp_step();
}

int dp_meter_close(struct dp_legs *l, uint32_t leg, uint32_t stint, uint64_t now_ns, bool final)
{
	struct tg_ingress *row = &l->ingress[leg];
	struct tg_egress *e = &l->egress[leg];
	const struct tg_outage *o = &l->outage[leg];
	dp_leg_fold(l, leg);
	struct tg_meter_record r = {
		.kind = TG_METER_PART,
		.worker = (uint8_t)l->worker,
		.final = final,
		.media_timeout = !!(row->flags & DP_ROW_SILENT),
		.leg = leg,
		.generation = atomic_load_explicit(&e->generation, memory_order_relaxed),
		.stint = e->stint,
		.part = e->part,
		.lost = dp_reception_lost(row),
		.start_ns = e->stint_start_ns,
		.end_ns = now_ns,
		.jitter_us = (row->jitter_q4 >> 4) * 1000 / (row->clock_khz ? row->clock_khz : DP_CLOCK_KHZ),
		.outages = o->count,
		.outage_ms = o->ms,
		.uncertain_packets = o->uncertain,
	};
	dp_meter_open_counts(l, leg, &r.counts);
	for (int i = 0; i < TG_METERS; i++)
		r.closed.v[i] = tg_counter_read(&l->stats->closed[i]) + r.counts.v[i];
	int full = tg_ring_push(tg_region_meters(l->region, l->worker), &r);
	if (full)
		return full;
	dp_step();
	set_closed(l, &r.closed);
	begin_part(l, leg, stint, stint == r.stint ? r.part + 1 : 0, now_ns);
	return 0;
}

void dp_meter_finish_close(struct dp_legs *l)
{
	struct tg_meter_record last;
	tg_ring_last(tg_region_meters(l->region, l->worker), &last);
	if (last.kind != TG_METER_PART && last.kind != TG_METER_SNAPSHOT)
		return;
	set_closed(l, &last.closed);
	struct tg_egress *e = last.kind == TG_METER_PART ? dp_legs_find(l, last.leg, last.generation) : NULL;
	if (!e)
		return;
	if (last.final)
		dp_leg_free(l, last.leg);
	else if (last.stint == e->stint && last.part == e->part)
		begin_part(l, last.leg, last.stint, last.part + 1, last.end_ns);
	else if (last.stint != e->stint)
		e->part = 0;
}

bool dp_meter_has_closed(const struct dp_legs *l, uint32_t leg, uint32_t generation)
{
	struct tg_meter_record last;
	tg_ring_last(tg_region_meters(l->region, l->worker), &last);
	return last.kind == TG_METER_PART && last.leg == leg && last.generation == generation;
}

int dp_meter_snapshot(struct dp_legs *l, uint32_t tag, uint64_t now_ns)
{
	struct tg_meter_record r = {
		.kind = TG_METER_SNAPSHOT,
		.worker = (uint8_t)l->worker,
		.leg = TG_NONE,
		.stint = tag,
		.start_ns = now_ns,
		.end_ns = now_ns,
	};
	dp_legs_flush(l);
	for (uint32_t i = 0; i < l->open_count; i++) {
		struct tg_meter open;
		dp_meter_open_counts(l, l->open[i], &open);
		tg_meter_add(&r.counts, &open);
	}
	for (int i = 0; i < TG_METERS; i++) {
		r.closed.v[i] = tg_counter_read(&l->stats->closed[i]);
		r.total.v[i] = tg_counter_read(&l->stats->total[i]);
	}
	return tg_ring_push(tg_region_meters(l->region, l->worker), &r);
}

void dp_meter_recount(struct dp_legs *l)
{
	struct tg_meter sum = {0};
	for (uint32_t i = 0; i < l->open_count; i++) {
		struct tg_meter open;
		dp_meter_open_counts(l, l->open[i], &open);
		tg_meter_add(&sum, &open);
	}
	for (int i = 0; i < TG_METERS; i++)
		tg_counter_set(&l->stats->total[i], tg_counter_read(&l->stats->closed[i]) + sum.v[i]);
}
