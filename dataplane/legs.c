#include "dataplane/legs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/resume.h"

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
	l->ipv6 = tg_region_ipv6(region, 0);
	l->desired = tg_region_desired(region, 0);
	l->media = tg_region_media(region, 0);
	l->arena = tg_region_arena(region);
	l->stats = tg_region_stats(region, worker);
	dp_clock_init(&l->clock,
		atomic_load_explicit(&tg_region_timebase(region)->ticks_per_s, memory_order_relaxed));
	dp_nexthops_attach(&l->hops, tg_region_next_hops(region, worker));
	int e = dp_wheel_open(&l->wheel, legs_of_worker(l->cap, worker), l->clock.hz, now);
	if (e)
		return e;
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

void dp_legs_sent(struct dp_legs *l, enum dp_sent_as as, uint32_t leg, uint32_t rtp_bytes)
{
	switch (as) {
	case DP_SENT_RELAYED:
		tg_counter_add(&l->ingress[leg].forwarded_packets, 1);
		tg_counter_add(&l->ingress[leg].forwarded_octets, rtp_bytes);
		l->tally.v[TG_METER_relayed_packets]++;
		l->tally.v[TG_METER_relayed_octets] += rtp_bytes;
		break;
	case DP_SENT_PLAYED:
		tg_counter_add(&l->egress[leg].played_packets, 1);
		tg_counter_add(&l->egress[leg].played_octets, rtp_bytes);
		l->tally.v[TG_METER_played_packets]++;
		l->tally.v[TG_METER_played_octets] += rtp_bytes;
		break;
	case DP_SENT_FOR_KERNEL:
		tg_counter_add(&l->stats->from_kernel, 1);
		break;
	}
}

void dp_legs_not_sent(struct dp_legs *l, enum dp_sent_as as, uint32_t leg)
{
	dp_legs_drop(l, TG_DROP_tx_full, as == DP_SENT_FOR_KERNEL ? TG_NONE : leg);
}

void dp_legs_drop(struct dp_legs *l, enum tg_drop why, uint32_t leg)
{
	tg_counter_add(&l->stats->drops[why], 1);
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
