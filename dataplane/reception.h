/* What RFC 3550 keeps about a received stream: extended sequence number (A.1), losses (A.3), jitter (A.8).
 * Pure, on the ingress row. Losses are counted per part of a stint. */
#ifndef TG_DATAPLANE_RECEPTION_H
#define TG_DATAPLANE_RECEPTION_H

#include <stdbool.h>
#include <stdint.h>

#include "contract/leg.h"

enum dp_arrival {
	DP_ARRIVAL_NEWEST,     /* ahead of all before */
	DP_ARRIVAL_LATE,       /* reordered or repeated */
	DP_ARRIVAL_NEW_STREAM, /* the first one, another SSRC, or a jump that no loss explains */
};

/* RFC 3550 A.1: a longer jump forward is a restart of the source. */
#define DP_MAX_DROPOUT 3000

/* What this packet is, before it is counted. */
enum dp_arrival dp_reception_look(const struct tg_ingress *row, uint16_t seq, uint32_t ssrc);
/* Counts the packet; rx_packets doesn't have it yet. */
void dp_reception_count(struct tg_ingress *row, enum dp_arrival arrival, uint16_t seq, uint32_t ssrc);
/* Interarrival jitter from an audio packet; arrival and ts in RTP units. */
static inline void dp_reception_jitter(struct tg_ingress *row, uint32_t arrival, uint32_t ts)
{
	uint32_t transit = arrival - ts, before = row->transit;
	int32_t d = (int32_t)(transit - before);
	uint32_t step = d < 0 ? 0u - (uint32_t)d : (uint32_t)d;
	row->transit = transit;
	/* 0 stands for "no packet yet"; a real 0 costs one sample. */
	if (before)
		row->jitter_q4 += step - ((row->jitter_q4 + 8) >> 4);
}

/* Packets that the open part should have had. */
uint32_t dp_reception_expected(const struct tg_ingress *row);
/* Missing in the open part; 0 where repeats outweigh losses. */
uint32_t dp_reception_lost(const struct tg_ingress *row);
/* A new part begins: nothing is expected yet. */
void dp_reception_new_part(struct tg_ingress *row);

#endif
