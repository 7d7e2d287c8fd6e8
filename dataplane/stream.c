#include "dataplane/stream.h"

#include "dataplane/row.h"

/* How late a packet can come after it was overtaken: RFC 3550 A.1. */
#define LATE_PACKETS 100

void dp_stream_begin(struct tg_egress *to, uint64_t entropy)
{
	/* Finalizer of splitmix64: every bit of the result depends on every bit of the input. */
	uint64_t x = entropy + 0x9e3779b97f4a7c15ull;
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
	x ^= x >> 31;
	to->next_seq = (uint16_t)x;
	to->next_ts = (uint32_t)(x >> 32);
	to->last_tx_tsc = 0;
	to->marker = 1;
}

uint32_t dp_stream_resume_ts(const struct tg_egress *to, uint64_t now_tsc, const struct dp_clock *clock)
{
	if (!to->last_tx_tsc || now_tsc <= to->last_tx_tsc + clock->frame_ticks)
		return to->next_ts;
	return to->next_ts + dp_clock_units(clock, now_tsc - to->last_tx_tsc - clock->frame_ticks);
}

uint32_t dp_stream_ts_at(const struct tg_egress *to, const struct tg_ingress *from, uint64_t now_tsc,
	const struct dp_clock *clock)
{
	bool live = from && from->flags & DP_ROW_LIVE;
	uint32_t ts = live ? from->last_out_ts : to->next_ts - DP_FRAME_UNITS;
	uint64_t at = live ? atomic_load_explicit(&from->last_rx_tsc, memory_order_relaxed) : to->last_tx_tsc;
	return at && now_tsc > at ? ts + dp_clock_units(clock, now_tsc - at) : ts;
}

void dp_stream_leave(struct tg_ingress *from, struct tg_egress *to)
{
	if (!(from->flags & DP_ROW_LIVE))
		return;
	from->flags &= (uint8_t)~DP_ROW_LIVE;
	to->next_seq = (uint16_t)(from->last_out_seq + 1);
	to->next_ts = from->last_out_ts + DP_FRAME_UNITS;
	to->last_tx_tsc = atomic_load_explicit(&from->last_rx_tsc, memory_order_relaxed);
}

void dp_stream_join(struct tg_ingress *from, const struct tg_egress *to, const struct dp_mapping *m,
	uint64_t now_tsc, const struct dp_clock *clock)
{
	from->seq_offset = (uint16_t)(to->next_seq - m->seq);
	from->ts_offset = dp_stream_resume_ts(to, now_tsc, clock) - m->ts;
	from->rebase = 0;
}

bool dp_stream_map(struct tg_ingress *from, const struct tg_egress *to, struct dp_mapping *m)
{
	bool live = from->flags & DP_ROW_LIVE;
	m->out_seq = (uint16_t)(m->seq + from->seq_offset);
	m->out_ts = m->ts + from->ts_offset;
	if (!m->newest)
		return !live || (int16_t)(m->out_seq - to->next_seq) >= 0 ||
		       (uint16_t)(from->last_out_seq - to->next_seq) >= LATE_PACKETS;
	/* The packet stands for the time up to its end; last_out_ts is a frame before that. */
	uint32_t ts = m->out_ts + (m->span > DP_FRAME_UNITS ? m->span - DP_FRAME_UNITS : 0);
	from->last_out_seq = m->out_seq;
	if (!live || (int32_t)(ts - from->last_out_ts) > 0)
		from->last_out_ts = ts;
	from->flags |= DP_ROW_LIVE;
	return true;
}

void dp_stream_withhold(struct tg_ingress *from, struct tg_egress *to, bool newest)
{
	dp_stream_leave(from, to);
	if (newest)
		from->seq_offset--;
}

void dp_stream_play(struct tg_egress *to, uint64_t due_tsc, const struct dp_clock *clock, struct dp_rtp *rtp)
{
	uint32_t ts = to->next_ts;
	/* Frames follow each other evenly; after a change or a pause the distance in real time counts. */
	if (to->marker || due_tsc - to->last_tx_tsc > clock->frame_ticks * 3 / 2) {
		ts = dp_stream_resume_ts(to, due_tsc, clock);
		to->marker = 1;
	}
	rtp->seq = to->next_seq;
	rtp->ts = ts;
	rtp->marker = to->marker;
	to->next_seq++;
	to->next_ts = ts + DP_FRAME_UNITS;
	to->last_tx_tsc = due_tsc;
	to->marker = 0;
}
