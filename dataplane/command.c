#include "dataplane/command.h"

#include "dataplane/command_check.h"
#include "dataplane/meter.h"
#include "dataplane/rtcp.h"
#include "dataplane/step.h"

static bool is_ours(const struct dp_legs *l, uint32_t leg)
{
	return leg < l->rows && tg_capacity_worker(l->cap, leg) == l->worker;
}

static int do_program(struct dp_legs *l, const struct tg_command *c, uint64_t now_tsc, uint64_t now_ns)
{
	int refusal = dp_check_program(&c->program, tg_capacity_family(l->cap, c->leg));
	if (refusal)
		return refusal;
	if (!c->generation)
		return TG_REFUSED_GENERATION;
	if (l->place[c->leg] == TG_NONE)
		dp_leg_open(l, c, now_tsc, now_ns);
	else if (dp_legs_find(l, c->leg, c->generation))
		dp_leg_change(l, c->leg, &c->program, now_tsc);
	else
		return TG_REFUSED_GENERATION;
	return 0;
}

static int do_relay(struct dp_legs *l, uint32_t leg, const struct tg_leg_source *s)
{
	const struct tg_egress *peer = is_ours(l, s->peer) ? dp_legs_find(l, s->peer, s->generation) : NULL;
	if (!peer || peer->program.rx.audio != l->egress[leg].program.tx.audio)
		return TG_REFUSED_SOURCE;
	dp_leg_relay(l, leg, s->peer);
	return 0;
}

static int do_play(struct dp_legs *l, uint32_t leg, const struct tg_leg_source *s, uint64_t now_tsc)
{
	struct tg_egress *e = &l->egress[leg];
	struct dp_item item;
	if (s->play_id && s->play_id == e->play_id) /* seen before the crash: it plays, or is over */
		return 0;
	if (s->peer >= l->cap->media_items || !dp_item_read(&l->media[s->peer], l->cap->arena_bytes, &item) ||
		dp_check_play(s, &item, e->program.tx))
		return TG_REFUSED_SOURCE;
	dp_leg_play(l, leg, s, now_tsc);
	return 0;
}

static int do_source(struct dp_legs *l, const struct tg_command *c, uint64_t now_tsc)
{
	switch (c->source.kind) {
	case TG_SOURCE_NONE:
		dp_leg_silence(l, c->leg);
		return 0;
	case TG_SOURCE_RELAY:
		return do_relay(l, c->leg, &c->source);
	case TG_SOURCE_PLAY:
		return do_play(l, c->leg, &c->source, now_tsc);
	}
	return TG_REFUSED_SOURCE;
}

static int do_close(struct dp_legs *l, const struct tg_command *c, uint64_t now_tsc, uint64_t now_ns)
{
	bool final = c->kind == TG_CMD_RELEASE;
	uint32_t stint = final ? l->egress[c->leg].stint : c->stint;
	if (dp_meter_close(l, c->leg, stint, now_ns, final))
		return TG_REFUSED_BUSY;
	if (final) {
		dp_rtcp_bye(l, c->leg, now_tsc);
		dp_leg_free(l, c->leg);
	}
	return 0;
}

int dp_command_do(struct dp_legs *l, const struct tg_command *c, uint64_t now_tsc, uint64_t now_ns)
{
	if (c->kind < TG_CMD_PROGRAM || c->kind > TG_CMD_SNAPSHOT)
		return TG_REFUSED_KIND;
	if (c->kind == TG_CMD_SNAPSHOT)
		return dp_meter_snapshot(l, c->tag, now_ns) ? TG_REFUSED_BUSY : 0;
	if (!is_ours(l, c->leg))
		return TG_REFUSED_LEG;
	if (c->kind == TG_CMD_PROGRAM)
		return do_program(l, c, now_tsc, now_ns);
	if (!dp_legs_find(l, c->leg, c->generation))
		return TG_REFUSED_GENERATION;
	if (c->kind == TG_CMD_SOURCE)
		return do_source(l, c, now_tsc);
	return do_close(l, c, now_tsc, now_ns);
}

static void refuse(struct dp_legs *l, const struct tg_command *c, int refusal)
{
	struct tg_event ev = {.kind = TG_EVENT_REFUSED,
		.refusal = (uint8_t)refusal,
		.leg = c->leg,
		.generation = c->generation,
		.tag = c->tag};
	tg_counter_add(&l->stats->refusals, 1);
	if (tg_ring_push(tg_region_events(l->region, l->worker), &ev))
		tg_counter_add(&l->stats->events_missed, 1);
}

/* Length of the chain that begins at c; more than n means that it goes on behind. */
static uint32_t chain_length(const struct tg_command *c, uint32_t n)
{
	uint32_t i = 0;
	while (i < n && c[i].more)
		i++;
	return i + 1;
}

static bool rings_have_room(const struct dp_legs *l, const struct tg_command *c, uint32_t n)
{
	uint32_t records = 0;
	for (uint32_t i = 0; i < n; i++)
		records += c[i].kind == TG_CMD_STINT || c[i].kind == TG_CMD_RELEASE ||
			   c[i].kind == TG_CMD_SNAPSHOT;
	/* Every command can be refused; a play that starts or ends sends news besides, which may be missed.
	 */
	uint32_t events = TG_EVENT_RING - 1 - tg_ring_waiting(tg_region_events(l->region, l->worker));
	return dp_meter_has_room(l, records) && events >= n;
}

/* Only the first command after a start can be one that a predecessor has carried out, and all others of them
 * change nothing when they are repeated. A stint that is open is one that was opened by this. */
static bool was_done(const struct dp_legs *l, const struct tg_command *c)
{
	if (c->kind != TG_CMD_STINT)
		return false;
	const struct tg_egress *e = dp_legs_find(l, c->leg, c->generation);
	return e && e->stint == c->stint && dp_meter_has_closed(l, c->leg, c->generation);
}

/* Each command leaves the ring when it was carried out: a kill leaves at most one to be repeated. */
static void run_chain(struct dp_commands *commands, struct dp_legs *l, uint32_t n, uint64_t now_tsc)
{
	const struct tg_ring *ring = tg_region_commands(l->region, l->worker);
	uint64_t now_ns = dp_legs_now_ns(l, now_tsc);
	struct tg_command c;
	for (; n && tg_ring_peek(ring, &c, 1); n--) {
		bool repeated = !commands->underway && was_done(l, &c);
		int refusal = repeated ? 0 : dp_command_do(l, &c, now_tsc, now_ns);
		if (refusal)
			refuse(l, &c, refusal);
		else
			tg_counter_add(&l->stats->commands, 1);
		commands->underway = true;
		dp_step();
		tg_ring_take(ring, 1);
		dp_step();
	}
}

uint32_t dp_commands_run(struct dp_commands *commands, struct dp_legs *l, uint64_t now_tsc)
{
	const struct tg_ring *ring = tg_region_commands(l->region, l->worker);
	struct tg_command batch[TG_CHAIN_MAX];
	if (!tg_ring_waiting(ring))
		return 0;
	uint32_t n = tg_ring_peek(ring, batch, TG_CHAIN_MAX), done = 0;
	tg_ring_take(ring, 0);
	while (done < n) {
		uint32_t length = chain_length(batch + done, n - done);
		/* A chain that the batch cuts off comes first in the next batch; one that is longer than a
		 * whole batch is nothing that the control plane may send, and is cut. */
		if (length > n - done && done && n == TG_CHAIN_MAX)
			break;
		if (length > n - done)
			length = n - done;
		bool room = rings_have_room(l, batch + done, length);
		if (!room && !commands->stalled)
			tg_counter_add(&l->stats->meter_waits, 1);
		commands->stalled = !room;
		if (!room)
			break;
		run_chain(commands, l, length, now_tsc);
		done += length;
	}
	return done;
}
