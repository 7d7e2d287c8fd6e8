#include "dataplane/play.h"

#include <endian.h>

#include "dataplane/classify.h"
#include "dataplane/command_check.h"
#include "dataplane/stream.h"

#define LATE_MS 5
/* Frame times that a play waits for its next hop. */
#define PLAY_WAITS_FRAMES 25

enum step { STEP_FRAME, STEP_WAIT, STEP_OVER };

/* Finds the frame to play now: the next one, or the first of the next time round. */
static enum step find_frame(struct tg_egress *e, const struct dp_item *item)
{
	if (item->generation != e->item_generation || !dp_item_playable(item) ||
		item->codec != e->program.tx.audio)
		return STEP_OVER;
	if (e->frame < item->frames)
		return STEP_FRAME;
	if (item->state == TG_MEDIA_FILLING)
		return STEP_WAIT;
	if (e->loops_left <= 1 || !item->frames)
		return STEP_OVER;
	e->loops_left--;
	e->frame = 0;
	return STEP_FRAME;
}

/* Fills everything but the frame. False: there is nobody to send to. */
static bool address(
	struct dp_legs *l, uint32_t leg, uint64_t due_tsc, uint16_t frame_bytes, struct dp_outgoing *out)
{
	struct tg_egress *e = &l->egress[leg];
	const struct tg_ingress *row = &l->ingress[leg];
	uint16_t port;
	if (e->program.flags & TG_LEG_HOLD || !row->match_port_be)
		return false;
	out->link = dp_nexthops_link(&l->hops, e->next_hop);
	if (!out->link) {
		dp_legs_drop(l, TG_DROP_no_next_hop, leg);
		return false;
	}
	out->leg = leg;
	out->as = TG_SENT_PLAYED;
	out->rtp_bytes = (uint16_t)(DP_RTP_BYTES + frame_bytes);
	const struct tg_addr *local = tg_capacity_address(l->cap, leg, &port);
	out->flow = (struct dp_flow){.src_ip_be = tg_addr_ipv4_be(local),
		.dst_ip_be = row->match_ip_be,
		.src_ip6 = row->ipv6 ? local->b : NULL,
		.dst_ip6 = row->ipv6 ? l->ipv6[leg].match : NULL,
		.src_port_be = htobe16(port),
		.dst_port_be = row->match_port_be,
		.dscp = e->program.dscp};
	out->rtp.ssrc_be = e->ssrc_be;
	out->rtp.payload_type = e->program.tx.audio;
	dp_stream_play(e, due_tsc, &l->clock, &out->rtp);
	return true;
}

/* One leg's turn. True: a frame is to be sent. */
static bool turn(
	struct dp_legs *l, uint32_t leg, uint64_t due_tsc, struct dp_outgoing *out, const uint8_t **frame)
{
	struct tg_egress *e = &l->egress[leg];
	struct dp_item item;
	enum step step = STEP_OVER;
	if (dp_item_read(&l->media[e->item], l->cap->arena_bytes, &item))
		step = find_frame(e, &item);
	if (step == STEP_WAIT)
		return false;
	bool send = false;
	/* A prompt begins when there is somewhere to send it to; after a while it goes on without. */
	if (step == STEP_FRAME && !dp_nexthops_link(&l->hops, e->next_hop) && e->waited < PLAY_WAITS_FRAMES) {
		e->waited++;
		return false;
	}
	if (step == STEP_FRAME) {
		*frame = l->arena + item.offset + (uint64_t)e->frame * item.frame_bytes;
		e->frame++;
		send = address(l, leg, due_tsc, item.frame_bytes, out);
		/* With the last frame the play is over: what follows it can be in step. */
		if (item.state == TG_MEDIA_READY && e->frame >= item.frames && e->loops_left <= 1)
			step = STEP_OVER;
	}
	if (step == STEP_OVER)
		dp_leg_play_done(l, leg, false);
	return send;
}

uint32_t dp_play_gather(struct dp_legs *l, uint64_t now_tsc, struct dp_due *due, uint32_t n)
{
	uint32_t found = 0;
	while (found < n && dp_wheel_due(&l->wheel, now_tsc, &due[found].leg, &due[found].tsc)) {
		const char *e = (const char *)&l->egress[due[found++].leg];
		__builtin_prefetch(e, 1);
		__builtin_prefetch(e + TG_CACHE_LINE, 1);
		__builtin_prefetch(&l->ingress[due[found - 1].leg]);
	}
	return found;
}

void dp_play_expect(const struct dp_legs *l, const struct dp_due *due)
{
	const struct tg_egress *e = &l->egress[due->leg];
	if (e->item >= l->cap->media_items)
		return;
	const struct tg_media_item *item = &l->media[e->item];
	/* No more than a hint: what is read here is read again, and checked, when it is the leg's turn. */
	const uint8_t *frame = l->arena + item->offset + (uint64_t)e->frame * item->frame_bytes;
	for (uint32_t i = 0; i < DP_PLAY_EXPECTED; i += TG_CACHE_LINE)
		__builtin_prefetch(frame + i);
}

bool dp_play_turn(struct dp_legs *l, const struct dp_due *due, uint64_t now_tsc, struct dp_outgoing *out,
	const uint8_t **frame)
{
	if (!turn(l, due->leg, due->tsc, out, frame))
		return false;
	if (now_tsc - due->tsc > LATE_MS * l->clock.ticks_per_ms)
		tg_counter_add(&l->stats->plays_late, 1);
	return true;
}

bool dp_play_next(
	struct dp_legs *l, uint64_t now_tsc, uint32_t *budget, struct dp_outgoing *out, const uint8_t **frame)
{
	struct dp_due due;
	while (*budget && dp_play_gather(l, now_tsc, &due, 1)) {
		(*budget)--;
		if (dp_play_turn(l, &due, now_tsc, out, frame))
			return true;
	}
	return false;
}
