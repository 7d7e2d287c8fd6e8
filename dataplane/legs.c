#include "dataplane/legs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/resume.h"
#include "dataplane/rtcp.h"
#include "dataplane/step.h"

static uint32_t legs_of_worker(const struct tg_capacity *cap, uint32_t worker)
{
	uint32_t n = 0;
	for (uint32_t leg = 0; leg < tg_capacity_legs(cap); leg++)
		n += tg_capacity_worker(cap, leg) == worker;
	return n;
}

int dp_legs_open(struct dp_legs *l, struct tg_region *region, uint32_t worker)
{
	memset(l, 0, sizeof(*l));
	uint64_t now = tg_tsc();
	l->region = region;
	l->cap = tg_region_capacity(region);
	l->worker = worker;
	l->rows = tg_region_legs(region);
	l->ingress = tg_region_ingress(region, 0);
	l->egress = tg_region_egress(region, 0);
	l->quality = tg_region_quality(region, 0);
	l->outage = tg_region_outage(region, 0);
	l->ipv6 = tg_region_ipv6(region, 0);
	l->desired = tg_region_desired(region, 0);
	l->media = tg_region_media(region, 0);
	l->arena = tg_region_arena(region);
	l->stats = tg_region_stats(region, worker);
	dp_rate_init(&l->rate, 0, 0);
	dp_clock_init(&l->clock,
		atomic_load_explicit(&tg_region_timebase(region)->ticks_per_s, memory_order_relaxed));
	dp_nexthops_attach(&l->hops, tg_region_next_hops(region, worker));
	int e = dp_wheel_open(&l->wheel, legs_of_worker(l->cap, worker), l->clock.hz, now);
	if (!e)
		e = dp_rtcp_open(&l->rtcp, l->rows, l->clock.hz, now);
	if (e) {
		dp_legs_close(l);
		return e;
	}
	l->open = calloc(l->rows, sizeof(*l->open));
	l->place = malloc(l->rows * sizeof(*l->place));
	l->latch = calloc(l->rows, sizeof(*l->latch));
	if (!l->open || !l->place || !l->latch) {
		dp_legs_close(l);
		return -ENOMEM;
	}
	for (uint32_t leg = 0; leg < l->rows; leg++)
		l->place[leg] = TG_NONE;
	dp_resume(l, now);
	return 0;
}

void dp_legs_close(struct dp_legs *l)
{
	free(l->open);
	free(l->place);
	free(l->latch);
	l->open = l->place = NULL;
	l->latch = NULL;
	dp_wheel_close(&l->wheel);
	dp_rtcp_close(&l->rtcp);
}

void dp_legs_limit(struct dp_legs *l, uint32_t packets_per_s)
{
	dp_rate_init(&l->rate, l->clock.hz, packets_per_s);
}

void dp_legs_flush(struct dp_legs *l)
{
	for (int i = 0; i < TG_METERS; i++) {
		if (!l->tally.v[i])
			continue;
		tg_counter_add(&l->stats->total[i], l->tally.v[i]);
		l->tally.v[i] = 0;
	}
}

uint64_t dp_legs_now_ns(struct dp_legs *l, uint64_t tsc)
{
	uint64_t ns = tg_timebase_utc_ns(tg_region_timebase(l->region), tsc);
	if (ns > l->boundary_ns)
		l->boundary_ns = ns;
	return l->boundary_ns;
}

void dp_legs_sending(struct dp_legs *l, const struct tg_sending_entry *entry, uint32_t n)
{
	struct tg_sending *s = &l->stats->sending;
	memcpy(s->entry, entry, n * sizeof(*entry));
	dp_step();
	atomic_store_explicit(&s->n, n, memory_order_relaxed);
	dp_step();
}

void dp_legs_sending_done(struct dp_legs *l)
{
	dp_step();
	atomic_store_explicit(&l->stats->sending.n, 0, memory_order_relaxed);
	dp_step();
}

void dp_legs_sent(struct dp_legs *l, const struct tg_sending_entry *sent, uint32_t n)
{
	uint64_t packets[2] = {0}, octets[2] = {0}; /* by enum tg_sent_as */
	for (const struct tg_sending_entry *s = sent; s < sent + n; s++) {
		if (s->as != TG_SENT_RELAYED && s->as != TG_SENT_PLAYED) {
			tg_counter_add(
				s->as == TG_SENT_RTCP ? &l->stats->rtcp_sent : &l->stats->from_kernel, 1);
			continue;
		}
		bool played = s->as == TG_SENT_PLAYED;
		tg_counter *to = played ? &l->egress[s->leg].played_packets
					: &l->ingress[s->leg].forwarded_packets;
		tg_counter_add(&to[0], 1);
		tg_counter_add(&to[1], s->rtp_bytes);
		packets[played]++;
		octets[played] += s->rtp_bytes;
	}
	l->tally.v[TG_METER_relayed_packets] += packets[TG_SENT_RELAYED];
	l->tally.v[TG_METER_relayed_octets] += octets[TG_SENT_RELAYED];
	l->tally.v[TG_METER_played_packets] += packets[TG_SENT_PLAYED];
	l->tally.v[TG_METER_played_octets] += octets[TG_SENT_PLAYED];
}

void dp_legs_not_sent(struct dp_legs *l, const struct tg_sending_entry *sent)
{
	if (sent->as == TG_SENT_RTCP)
		tg_counter_add(&l->stats->rtcp_missed, 1);
	dp_legs_drop(l, TG_DROP_tx_full, sent->leg);
}

void dp_legs_drop(struct dp_legs *l, enum tg_drop why, uint32_t leg)
{
	tg_counter_add(&l->stats->drops[why], 1);
	l->last_drop = why;
	if (!tg_drop_info[why].charges_leg || leg == TG_NONE || l->place[leg] == TG_NONE)
		return;
	_Atomic uint32_t *n = &l->ingress[leg].dropped_packets;
	uint32_t v = atomic_load_explicit(n, memory_order_relaxed);
	if (v == UINT32_MAX) /* stays there, and in the total too */
		return;
	atomic_store_explicit(n, v + 1, memory_order_relaxed);
	l->tally.v[TG_METER_dropped_packets]++;
}

void dp_legs_news(struct dp_legs *l, uint32_t leg)
{
	struct tg_event ev = {.kind = TG_EVENT_NEWS,
		.leg = leg,
		.generation = atomic_load_explicit(&l->egress[leg].generation, memory_order_relaxed)};
	if (tg_ring_push(tg_region_events(l->region, l->worker), &ev))
		tg_counter_add(&l->stats->events_missed, 1);
}

struct tg_egress *dp_legs_find(const struct dp_legs *l, uint32_t leg, uint32_t generation)
{
	if (leg >= l->rows || l->place[leg] == TG_NONE || !generation)
		return NULL;
	struct tg_egress *e = &l->egress[leg];
	return atomic_load_explicit(&e->generation, memory_order_relaxed) == generation ? e : NULL;
}
