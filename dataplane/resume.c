#include "dataplane/resume.h"

#include "dataplane/command_check.h"
#include "dataplane/liveness.h"
#include "dataplane/meter.h"
#include "dataplane/quality.h"
#include "dataplane/row.h"
#include "dataplane/rtcp.h"
#include "dataplane/step.h"
#include "dataplane/stream.h"

#define NS_PER_MS 1000000u

static bool is_open(const struct dp_legs *l, uint32_t leg)
{
	return leg < l->rows && l->place[leg] != TG_NONE;
}

/* Takes the place of a program that is none. No media, but the leg is there until it is released. */
static const struct tg_leg_terms no_media = {.frame_ms = DP_FRAME_MS,
	.rx = {UINT8_MAX, UINT8_MAX},
	.tx = {UINT8_MAX, UINT8_MAX},
	.clock_khz = DP_CLOCK_KHZ};

/* A leg with one generation and not the other is free, and the command is still in the ring. It was being
 * opened: nothing was counted. Or it was being freed: its final record is in the meter ring, and what it had
 * relayed is folded into the leg that heard it. One with both is never freed without a final record. */
static void find_open(struct dp_legs *l)
{
	for (uint32_t leg = 0; leg < l->rows; leg++) {
		if (tg_capacity_worker(l->cap, leg) != l->worker)
			continue;
		struct tg_ingress *row = &l->ingress[leg];
		struct tg_egress *e = &l->egress[leg];
		uint32_t in = atomic_load_explicit(&row->generation, memory_order_relaxed);
		uint32_t out = atomic_load_explicit(&e->generation, memory_order_relaxed);
		if (in != out || !in) {
			row->flags = 0;
			l->damaged += in && out; /* no kill leaves both, and different */
			atomic_store_explicit(&row->generation, 0, memory_order_relaxed);
			atomic_store_explicit(&e->generation, 0, memory_order_relaxed);
			continue;
		}
		/* A change leaves none like this, wherever it is killed. */
		if (dp_check_terms(&e->program, tg_capacity_family(l->cap, leg))) {
			e->program = no_media;
			l->damaged++;
		}
		/* These say whether addresses of the other family are looked for: only where there are any.
		 */
		row->ipv6 = tg_capacity_family(l->cap, leg) == TG_FAMILY_IPV6;
		row->out_ipv6 = 0; /* until the path is refreshed */
		l->place[leg] = l->open_count;
		l->open[l->open_count++] = leg;
	}
}

/* Relays are believed where both ends say the same. */
static void mend_relay(struct dp_legs *l, uint32_t leg)
{
	struct tg_ingress *row = &l->ingress[leg];
	struct tg_egress *e = &l->egress[leg];
	bool heard = is_open(l, row->sink) && l->egress[row->sink].source == TG_SOURCE_RELAY &&
		     l->egress[row->sink].feeder == leg;
	if (!heard) {
		row->sink = row->out_next_hop = TG_NONE;
		row->flags &= (uint8_t) ~(DP_ROW_LIVE | DP_ROW_MUTED);
		tg_counter_set(&row->forwarded_packets, 0);
		tg_counter_set(&row->forwarded_octets, 0);
	}
	if (e->source != TG_SOURCE_RELAY)
		e->feeder = TG_NONE;
	else if (!is_open(l, e->feeder) || l->ingress[e->feeder].sink != leg) {
		e->source = TG_SOURCE_NONE;
		e->feeder = TG_NONE;
	}
}

static void take_up(struct dp_legs *l, uint32_t leg, uint64_t now_tsc)
{
	struct tg_ingress *row = &l->ingress[leg];
	struct tg_egress *e = &l->egress[leg];
	if (row->sink != TG_NONE) {
		/* What arrived while nobody was here is lost to the sink, but its stream has no gap. */
		dp_stream_leave(row, &l->egress[row->sink]);
		row->rebase = 1;
		row->marker = 1;
	}
	e->next_hop = TG_NONE;
	e->wheel_slot = DP_WHEEL_SLOTS;
	dp_liveness_arm(l, leg, now_tsc);
	struct tg_addr far = dp_leg_far_end(l, leg);
	dp_leg_set_far_end(l, leg, &far, row->match_port_be);
	dp_rtcp_begin(l, leg, now_tsc);
	/* One that is told to be over is; and one that has no id yet is begun by its command, which is
	 * repeated. */
	bool over = e->play_id == atomic_load_explicit(&e->play_done, memory_order_relaxed);
	if (e->source == TG_SOURCE_PLAY && e->item < l->cap->media_items && !over)
		e->wheel_slot = dp_wheel_add(&l->wheel, leg, now_tsc);
	else if (e->source != TG_SOURCE_RELAY)
		e->source = TG_SOURCE_NONE;
}

static void add_saturated(uint32_t *to, uint64_t n)
{
	*to = n > UINT32_MAX - *to ? UINT32_MAX : *to + (uint32_t)n;
}

/* What the predecessor was giving to a port may have been sent: the legs that were to hear it are told how
 * much that is at most. One by one: a successor that is killed here leaves the rest to its own. */
static void note_uncertain(struct dp_legs *l)
{
	struct tg_sending *s = &l->stats->sending;
	uint32_t n = atomic_load_explicit(&s->n, memory_order_relaxed);
	for (n = n < TG_SENDING_MAX ? n : TG_SENDING_MAX; n; n--) {
		uint32_t leg = s->entry[n - 1].leg;
		if (s->entry[n - 1].as == TG_SENT_RELAYED && is_open(l, leg))
			leg = l->ingress[leg].sink;
		if (is_open(l, leg))
			add_saturated(&l->outage[leg].uncertain, 1);
		dp_step();
		atomic_store_explicit(&s->n, n - 1, memory_order_relaxed);
		dp_step();
	}
}

/* From the predecessor's last sign of life to now nobody was there: so say the parts that are open, for what
 * of it lies within them. A region that only tests have used knows no such sign. */
static void note_outage(struct dp_legs *l, uint64_t now_ns)
{
	const struct tg_worker_stats *stats = l->stats;
	uint64_t seen_ns = atomic_load_explicit(&stats->alive_ns, memory_order_relaxed);
	if (!seen_ns)
		seen_ns = atomic_load_explicit(&stats->left_ns, memory_order_relaxed);
	for (uint32_t i = 0; i < l->open_count; i++) {
		struct tg_outage *o = &l->outage[l->open[i]];
		uint64_t from_ns = seen_ns, start_ns = l->egress[l->open[i]].stint_start_ns;
		if (from_ns < start_ns)
			from_ns = start_ns;
		/* A successor that was killed before it gave one has said that already. */
		if (from_ns < o->until_ns)
			from_ns = o->until_ns;
		add_saturated(&o->count, 1);
		if (seen_ns && now_ns > from_ns)
			add_saturated(&o->ms, (now_ns - from_ns + NS_PER_MS / 2) / NS_PER_MS);
		dp_step();
		o->until_ns = now_ns;
	}
}

void dp_resume(struct dp_legs *l, uint64_t now_tsc)
{
	tg_ring_repair_consumer(tg_region_commands(l->region, l->worker));
	tg_ring_repair_producer(tg_region_events(l->region, l->worker));
	tg_ring_repair_producer(tg_region_meters(l->region, l->worker));
	find_open(l);
	dp_leg_fold_finish(l);
	dp_wheel_advance(&l->wheel, now_tsc);
	for (uint32_t i = 0; i < l->open_count; i++)
		mend_relay(l, l->open[i]);
	for (uint32_t i = 0; i < l->open_count; i++)
		take_up(l, l->open[i], now_tsc);
	dp_meter_finish_close(l);
	/* Behind the close: they belong to the part that is open now. */
	note_uncertain(l);
	note_outage(l, dp_legs_now_ns(l, now_tsc));
	tg_counter_set(&l->stats->legs_open, l->open_count);
	tg_counter_set(&l->stats->plays_active, l->wheel.active);
	dp_meter_recount(l);
	/* What the predecessor had no time to tell: the control plane is to look at all legs. */
	if (l->open_count)
		tg_counter_add(&l->stats->events_missed, 1);
}
