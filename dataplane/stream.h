/* The one RTP stream that a leg's far end hears (RFC 3550 section 5.1): sequence numbers without a gap and
 * timestamps that advance with real time, over any change of source. Pure: rows in, rows out.
 *
 * While a leg is relayed, its stream's last sequence number and timestamp are in the feeder's ingress row
 * (DP_ROW_LIVE); leaving hands them to the leg's egress record, joining takes them from there. */
#ifndef TG_DATAPLANE_STREAM_H
#define TG_DATAPLANE_STREAM_H

#include <stdbool.h>
#include <stdint.h>

#include "contract/leg.h"
#include "dataplane/clock.h"
#include "dataplane/rewrite.h"

/* A random begin (RFC 3550 section 5.1) from two numbers that an outsider doesn't know both of. */
void dp_stream_begin(struct tg_egress *to, uint64_t entropy);

/* Timestamp of a packet of a new source that leaves now: at least a frame after the last one. */
uint32_t dp_stream_resume_ts(const struct tg_egress *to, uint64_t now_tsc, const struct dp_clock *clock);

/* Timestamp that a sample of this moment has, or would have: what a sender report maps to the wall clock
 * (RFC 3550 section 6.4.1). from: row of the feeder, NULL where there is none. */
uint32_t dp_stream_ts_at(const struct tg_egress *to, const struct tg_ingress *from, uint64_t now_tsc,
	const struct dp_clock *clock);

/* Feeder's row and the sink's record, when another source takes over, or nothing is sent for a while.
 * Does nothing unless the row is live. */
void dp_stream_leave(struct tg_ingress *from, struct tg_egress *to);
/* One packet of the feeder, and what it is to become. Gaps and order of the feeder are kept. */
struct dp_mapping {
	uint16_t seq;
	uint32_t ts;
	uint32_t span; /* RTP units from ts on that it speaks of: a frame, or the event's duration so far */
	bool newest;   /* ahead of all before it */
	uint16_t out_seq;
	uint32_t out_ts;
};
/* Takes the offsets so that this packet of the feeder continues the sink's stream. */
void dp_stream_join(struct tg_ingress *from, const struct tg_egress *to, const struct dp_mapping *m,
	uint64_t now_tsc, const struct dp_clock *clock);
/* False: a late packet from before the join, whose number another source has used; it is not sent. */
bool dp_stream_map(struct tg_ingress *from, const struct tg_egress *to, struct dp_mapping *m);
/* A packet of the feeder is not sent on. newest: it is ahead of all before, so its number can be closed up.
 */
void dp_stream_withhold(struct tg_ingress *from, struct tg_egress *to, bool newest);

/* Number, timestamp and marker of the next played frame, due at due_tsc, and the step to the one after. */
void dp_stream_play(struct tg_egress *to, uint64_t due_tsc, const struct dp_clock *clock, struct dp_rtp *rtp);

#endif
