/* What happens to one leg: opened, changed, freed; what it hears. Between two bursts only, so that a packet
 * sees all of a change or nothing. */
#include <endian.h>
#include <stddef.h>
#include <string.h>

#include "dataplane/legs.h"
#include "dataplane/liveness.h"
#include "dataplane/quality.h"
#include "dataplane/row.h"
#include "dataplane/rtcp.h"
#include "dataplane/step.h"
#include "dataplane/stream.h"

/* Writes into the feeder's row all that a packet for this leg needs. */
static void refresh_path(struct dp_legs *l, uint32_t leg)
{
	struct tg_egress *e = &l->egress[leg];
	if (e->source != TG_SOURCE_RELAY)
		return;
	struct tg_ingress *from = &l->ingress[e->feeder];
	const struct tg_leg_terms *heard = &l->egress[e->feeder].program;
	uint16_t port;
	const struct tg_addr *local = tg_capacity_address(l->cap, leg, &port);
	from->out_ipv6 = local->family == TG_FAMILY_IPV6;
	if (from->out_ipv6) {
		memcpy(l->ipv6[e->feeder].out_src, local->b, sizeof(local->b));
		memcpy(l->ipv6[e->feeder].out_dst, l->ipv6[leg].match, sizeof(l->ipv6[leg].match));
	}
	from->out_src_ip_be = tg_addr_ipv4_be(local);
	from->out_src_port_be = htobe16(port);
	from->out_dst_ip_be = l->ingress[leg].match_ip_be;
	from->out_tos = (uint8_t)(e->program.dscp << 2);
	from->out_dst_port_be = l->ingress[leg].match_port_be;
	from->out_next_hop = e->next_hop;
	from->out_ssrc_be = e->ssrc_be;
	from->tx = e->program.tx;
	/* Static payload types name the codec. Another codec needs transcoding: such packets go nowhere. */
	if (heard->rx.audio != e->program.tx.audio)
		from->tx.audio = UINT8_MAX;
	bool muted = e->program.flags & TG_LEG_HOLD;
	if ((from->flags & DP_ROW_MUTED) && !muted) {
		/* After a hold the stream goes on as after a change of source: by the time that passed. */
		dp_stream_leave(from, e);
		from->rebase = 1;
		from->marker = 1;
	}
	from->flags = (uint8_t)(muted ? from->flags | DP_ROW_MUTED : from->flags & ~DP_ROW_MUTED);
}

struct tg_addr dp_leg_far_end(const struct dp_legs *l, uint32_t leg)
{
	const struct tg_ingress *row = &l->ingress[leg];
	if (!row->match_port_be)
		return (struct tg_addr){.family = TG_FAMILY_NONE};
	return row->ipv6 ? tg_addr_ipv6(l->ipv6[leg].match) : tg_addr_ipv4(row->match_ip_be);
}

void dp_leg_set_far_end(struct dp_legs *l, uint32_t leg, const struct tg_addr *address, uint16_t port_be)
{
	struct tg_ingress *row = &l->ingress[leg];
	struct tg_egress *e = &l->egress[leg];
	uint32_t before = e->next_hop;
	e->next_hop = address->family ? dp_nexthops_ref(&l->hops, address) : TG_NONE;
	dp_nexthops_unref(&l->hops, before);
	if (row->ipv6)
		memcpy(l->ipv6[leg].match, address->b, sizeof(address->b));
	else
		row->match_ip_be = tg_addr_ipv4_be(address);
	row->match_port_be = port_be;
	refresh_path(l, leg);
}

void dp_leg_open(struct dp_legs *l, const struct tg_command *c, uint64_t now_tsc, uint64_t now_ns)
{
	const struct tg_leg_program *p = &c->program;
	uint32_t leg = c->leg;
	struct tg_ingress *row = &l->ingress[leg];
	struct tg_egress *e = &l->egress[leg];
	memset((void *)row, 0, sizeof(*row));
	memset((void *)e, 0, sizeof(*e));
	row->ipv6 = tg_capacity_family(l->cap, leg) == TG_FAMILY_IPV6;
	if (l->ipv6)
		memset(&l->ipv6[leg], 0, sizeof(l->ipv6[leg]));
	if (row->ipv6)
		memcpy(l->ipv6[leg].remote, p->remote.b, sizeof(p->remote.b));
	l->outage[leg] = (struct tg_outage){0};
	e->program = tg_leg_terms_of(p);
	e->ssrc_be = htobe32(p->ssrc);
	e->feeder = e->next_hop = TG_NONE;
	e->wheel_slot = DP_WHEEL_SLOTS;
	e->stint = c->stint;
	e->stint_start_ns = now_ns;
	dp_stream_begin(e, now_tsc ^ (uint64_t)p->ssrc << 32 ^ c->generation);
	row->sink = row->out_next_hop = TG_NONE;
	row->clock_khz = p->clock_khz;
	row->rx = p->rx;
	row->paid_until = dp_rate_now(now_tsc);
	row->flags = p->flags & (TG_LEG_LATCH | TG_LEG_HOLD);
	atomic_store_explicit(&row->last_rx_tsc, now_tsc, memory_order_relaxed);
	dp_quality_begin(l, leg);
	dp_leg_set_far_end(l, leg, &p->remote, p->remote_port_be);
	l->latch[leg] = (struct dp_latch){0};
	dp_rtcp_begin(l, leg, now_tsc);
	l->place[leg] = l->open_count;
	l->open[l->open_count++] = leg;
	tg_counter_set(&l->stats->legs_open, l->open_count);
	atomic_store_explicit(&l->quality[leg].generation, c->generation, memory_order_relaxed);
	/* A start that finds the first without the second takes the leg for free (resume.c). */
	atomic_store_explicit(&e->generation, c->generation, memory_order_release);
	atomic_store_explicit(&row->generation, c->generation, memory_order_release);
}

/* Word by word: what is checked together (dp_check_program) is in one word, so that a start finds a program
 * that can be used, whichever of its words are the new ones. */
static void store_terms(struct tg_egress *e, const struct tg_leg_terms *p)
{
	typedef uint64_t __attribute__((may_alias)) word;
	_Static_assert(offsetof(struct tg_egress, program) % sizeof(word) == 0, "whole words");
	_Static_assert(offsetof(struct tg_leg_terms, rx) == 8 && offsetof(struct tg_leg_terms, ssrc) == 16,
		"address, flags, frame; payload types, clock; SSRC, timeout");
	word *to = (word *)&e->program, from[sizeof(*p) / sizeof(word)];
	memcpy(from, p, sizeof(from));
	for (size_t i = 0; i < sizeof(from) / sizeof(from[0]); i++) {
		__atomic_store_n(&to[i], from[i], __ATOMIC_RELAXED);
		dp_step();
	}
}

void dp_leg_change(struct dp_legs *l, uint32_t leg, const struct tg_leg_program *p, uint64_t now_tsc)
{
	struct tg_ingress *row = &l->ingress[leg];
	struct tg_egress *e = &l->egress[leg];
	bool moved = p->remote_port_be != e->program.remote_port_be ||
		     (row->ipv6 ? memcmp(p->remote.b, l->ipv6[leg].remote, sizeof(p->remote.b)) != 0
				: tg_addr_ipv4_be(&p->remote) != e->program.remote_ip_be);
	struct tg_leg_terms terms = tg_leg_terms_of(p);
	uint8_t held = (row->flags ^ p->flags) & TG_LEG_HOLD;
	bool latched = (row->flags & DP_ROW_LATCHED) && (p->flags & TG_LEG_LATCH) && !moved;
	if (held || moved)
		dp_liveness_arm(l, leg, now_tsc);
	row->flags = (uint8_t)((row->flags & ~(TG_LEG_LATCH | TG_LEG_HOLD | DP_ROW_LATCHED)) |
			       (p->flags & (TG_LEG_LATCH | TG_LEG_HOLD)) | (latched ? DP_ROW_LATCHED : 0));
	if (moved || p->rtcp_port_be != e->program.rtcp_port_be || (p->flags ^ e->program.flags) & TG_LEG_MUX)
		l->quality[leg].learnt_port_be = 0;
	if (!latched) {
		l->latch[leg] = (struct dp_latch){0};
		dp_leg_set_far_end(l, leg, &p->remote, p->remote_port_be);
	}
	/* Behind the far end: a command that is repeated after a kill learns from it whether that has moved.
	 */
	dp_step();
	if (row->ipv6)
		memcpy(l->ipv6[leg].remote, p->remote.b, sizeof(p->remote.b));
	store_terms(e, &terms);
	e->ssrc_be = htobe32(p->ssrc);
	row->clock_khz = p->clock_khz;
	row->rx = p->rx;
	refresh_path(l, leg);
	if (row->sink != TG_NONE)
		refresh_path(l, row->sink);
}

void dp_leg_fold(struct dp_legs *l, uint32_t leg)
{
	struct tg_egress *e = &l->egress[leg];
	if (e->source != TG_SOURCE_RELAY)
		return;
	const struct tg_ingress *from = &l->ingress[e->feeder];
	struct tg_fold *fold = &l->stats->fold;
	tg_counter_set(&fold->packets,
		tg_counter_read(&e->relayed_packets) + tg_counter_read(&from->forwarded_packets));
	tg_counter_set(&fold->octets,
		tg_counter_read(&e->relayed_octets) + tg_counter_read(&from->forwarded_octets));
	fold->leg = leg;
	dp_step();
	atomic_store_explicit(&fold->generation, atomic_load_explicit(&e->generation, memory_order_relaxed),
		memory_order_relaxed);
	dp_step();
	dp_leg_fold_finish(l);
}

void dp_leg_fold_finish(struct dp_legs *l)
{
	struct tg_fold *fold = &l->stats->fold;
	uint32_t generation = atomic_load_explicit(&fold->generation, memory_order_relaxed);
	struct tg_egress *e = dp_legs_find(l, fold->leg, generation);
	if (e && e->source == TG_SOURCE_RELAY && e->feeder < l->rows && l->place[e->feeder] != TG_NONE) {
		struct tg_ingress *from = &l->ingress[e->feeder];
		tg_counter_set(&e->relayed_packets, tg_counter_read(&fold->packets));
		tg_counter_set(&e->relayed_octets, tg_counter_read(&fold->octets));
		tg_counter_set(&from->forwarded_packets, 0);
		tg_counter_set(&from->forwarded_octets, 0);
	}
	dp_step();
	atomic_store_explicit(&fold->generation, 0, memory_order_relaxed);
	dp_step();
}

static void detach_feeder(struct dp_legs *l, uint32_t leg)
{
	struct tg_egress *e = &l->egress[leg];
	struct tg_ingress *from = &l->ingress[e->feeder];
	dp_leg_fold(l, leg);
	dp_stream_leave(from, e);
	from->sink = from->out_next_hop = TG_NONE;
	from->flags &= (uint8_t)~DP_ROW_MUTED;
	e->feeder = TG_NONE;
}

static void take_off_wheel(struct dp_legs *l, uint32_t leg)
{
	struct tg_egress *e = &l->egress[leg];
	dp_wheel_remove(&l->wheel, e->wheel_slot, leg);
	e->wheel_slot = DP_WHEEL_SLOTS;
	tg_counter_set(&l->stats->plays_active, l->wheel.active);
}

void dp_leg_silence(struct dp_legs *l, uint32_t leg)
{
	struct tg_egress *e = &l->egress[leg];
	if (e->source == TG_SOURCE_RELAY)
		detach_feeder(l, leg);
	else if (e->source == TG_SOURCE_PLAY)
		take_off_wheel(l, leg);
	e->source = TG_SOURCE_NONE;
}

void dp_leg_relay(struct dp_legs *l, uint32_t leg, uint32_t feeder)
{
	struct tg_egress *e = &l->egress[leg];
	struct tg_ingress *from = &l->ingress[feeder];
	if (e->source == TG_SOURCE_RELAY && e->feeder == feeder)
		return;
	dp_leg_silence(l, leg);
	if (from->sink != TG_NONE)
		dp_leg_silence(l, from->sink);
	e->feeder = feeder;
	e->source = TG_SOURCE_RELAY;
	from->sink = leg;
	from->rebase = 1;
	from->marker = 1;
	refresh_path(l, leg);
}

void dp_leg_play(struct dp_legs *l, uint32_t leg, const struct tg_leg_source *s, uint64_t now_tsc)
{
	struct tg_egress *e = &l->egress[leg];
	dp_leg_silence(l, leg);
	e->item = s->peer;
	e->item_generation = s->generation;
	e->frame = s->start_frame;
	e->loops_left = s->loops;
	e->stop_on_digit = s->stop_on_digit;
	e->marker = 1;
	e->waited = 0;
	/* At once, unless the last packet left less than a frame ago: then in step with it. */
	uint64_t at = now_tsc;
	if (e->last_tx_tsc && e->last_tx_tsc + l->clock.frame_ticks > now_tsc &&
		e->last_tx_tsc <= now_tsc + l->clock.frame_ticks)
		at = e->last_tx_tsc + l->clock.frame_ticks;
	dp_wheel_advance(&l->wheel, now_tsc);
	e->wheel_slot = dp_wheel_add(&l->wheel, leg, at);
	dp_step();
	e->source = TG_SOURCE_PLAY;
	/* Last: a command with the id that is here already is taken for one that was carried out. */
	dp_step();
	e->play_id = s->play_id;
	tg_counter_set(&l->stats->plays_active, l->wheel.active);
}

void dp_leg_play_done(struct dp_legs *l, uint32_t leg, bool by_digit)
{
	struct tg_egress *e = &l->egress[leg];
	atomic_store_explicit(&e->play_stopped, by_digit, memory_order_relaxed);
	atomic_store_explicit(&e->play_done, e->play_id, memory_order_release);
	/* A start that finds it done and still playing silences it (resume.c). */
	dp_step();
	dp_leg_silence(l, leg);
	dp_legs_news(l, leg);
}

void dp_leg_free(struct dp_legs *l, uint32_t leg)
{
	struct tg_ingress *row = &l->ingress[leg];
	struct tg_egress *e = &l->egress[leg];
	dp_rtcp_end(l, leg);
	dp_leg_silence(l, leg);
	if (row->sink != TG_NONE)
		dp_leg_silence(l, row->sink);
	dp_nexthops_unref(&l->hops, e->next_hop);
	e->next_hop = TG_NONE;
	row->flags = 0; /* of a free leg nothing goes the short way (fast.h) */
	atomic_store_explicit(&row->generation, 0, memory_order_release);
	atomic_store_explicit(&e->generation, 0, memory_order_release);
	uint32_t at = l->place[leg], last = l->open[--l->open_count];
	l->open[at] = last;
	l->place[last] = at;
	l->place[leg] = TG_NONE;
	tg_counter_set(&l->stats->legs_open, l->open_count);
}
