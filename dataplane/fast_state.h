/* What both forms of the short way (fast.h) have in common: what is the same for a burst, what is asked and
 * counted for every packet. */
#ifndef TG_DATAPLANE_FAST_STATE_H
#define TG_DATAPLANE_FAST_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dataplane/checksum.h"
#include "dataplane/classify.h"
#include "dataplane/legs.h"
#include "dataplane/local.h"
#include "dataplane/reception.h"
#include "dataplane/row.h"
#include "dataplane/wire.h"

/* Ethernet, IPv4, UDP and RTP headers. Behind them there must be room to read up to 64 bytes. */
#define DP_FAST_BYTES (DP_ETHER_BYTES + DP_IP_BYTES + DP_UDP_BYTES + DP_RTP_BYTES)
#define DP_FAST_LINE  64
#define DP_FAST_PORTS 8
#define DP_FAST_TTL   64

/* What is the same for all packets of a worker, and for all of a burst. */
struct dp_fast {
	/* By port: the constant bytes of a frame that leaves there; 0 elsewhere. */
	_Alignas(DP_FAST_LINE) uint8_t head[DP_FAST_PORTS][DP_FAST_LINE];
	uint32_t ports;
	uint32_t frame_max[DP_FAST_PORTS]; /* by port: the longest frame that may leave there */
	uint32_t ip_sum;                   /* of the IPv4 header's constant words */
	uint64_t now_tsc;
	uint32_t arrival;    /* now in RTP units */
	uint32_t police_now; /* now as dp_rate_now() says */
	uint32_t packets;    /* accepted and made ready in this burst, so far */
	uint32_t octets;     /* of their RTP */
	uint8_t checksum;    /* enum dp_checksum: how the UDP checksum is made */
};

/* One that went this way. */
struct dp_fast_out {
	uint32_t port; /* it leaves by */
	uint32_t rtp_bytes;
};

/* macs: of the ports. */
static inline void dp_fast_init(
	struct dp_fast *f, enum dp_checksum checksum, const uint8_t (*macs)[6], uint32_t ports)
{
	memset(f, 0, sizeof(*f));
	f->ports = ports < DP_FAST_PORTS ? ports : DP_FAST_PORTS;
	f->checksum = (uint8_t)checksum;
	for (uint32_t p = 0; p < f->ports; p++) {
		uint8_t *h = f->head[p], *ip = h + DP_ETHER_BYTES;
		f->frame_max[p] = UINT32_MAX; /* until the worker says */
		memcpy(h + 6, macs[p], 6);
		dp_put16(h + 12, 0x0800);
		ip[0] = 0x45;
		ip[6] = 0x40;
		ip[8] = DP_FAST_TTL;
		ip[9] = 17;
		h[DP_FAST_BYTES - DP_RTP_BYTES] = 0x80;
	}
	uint8_t words[] = {0x45, 0, 0x40, 0, DP_FAST_TTL, 17};
	f->ip_sum = (uint32_t)dp_sum_long(words, sizeof(words));
}

static inline void dp_fast_begin(struct dp_fast *f, const struct dp_legs *l, uint64_t now_tsc)
{
	f->now_tsc = now_tsc;
	f->arrival = dp_clock_units(&l->clock, now_tsc);
	f->police_now = dp_rate_now(now_tsc);
	f->packets = 0;
	f->octets = 0;
}

/* The worker's leg that this frame goes to, if it is RTP; or TG_NONE. 64 bytes are read. */
static inline uint32_t dp_fast_leg(const struct dp_local *local, const uint8_t *frame)
{
	return dp_local_own_leg(local, dp_get32_be(frame + 30), dp_get16(frame + 36));
}

/* What is asked and counted about a packet beside its constant bytes: the numbers in it, in host order. */
struct dp_fast_numbers {
	uint64_t link; /* of the next hop */
	uint32_t ts, out_ts;
	uint32_t paid_until; /* the far end's bucket with this packet */
	uint16_t seq, out_seq;
};

/* Is it the next packet, in time, and is there a way out? *link: of the next hop. */
static inline bool dp_fast_goes_on(const struct dp_legs *l, const struct dp_fast *f,
	const struct tg_ingress *row, struct dp_fast_numbers *n)
{
	n->link = dp_nexthops_link(&l->hops, row->out_next_hop);
	n->paid_until = dp_rate_pay(&l->rate, row->paid_until, f->police_now);
	return ((uint32_t)(uint16_t)(n->seq - row->max_seq) - 1 < DP_MAX_DROPOUT - 1) &
	       (n->link - 1 < DP_LINK_TAGGED - 1) & (n->paid_until - f->police_now <= l->rate.burst) &
	       ((row->flags & (TG_LEG_LATCH | DP_ROW_LATCHED)) != TG_LEG_LATCH);
}

static inline void dp_fast_count(
	struct dp_fast *f, struct tg_ingress *row, const struct dp_fast_numbers *n, uint32_t rtp_bytes)
{
	row->paid_until = n->paid_until;
	row->cycles = (uint16_t)(row->cycles + (n->seq < row->max_seq));
	row->max_seq = n->seq;
	tg_counter_add(&row->rx_packets, 1);
	tg_counter_add(&row->rx_octets, rtp_bytes);
	dp_reception_jitter(row, f->arrival, n->ts);
	row->last_out_seq = n->out_seq;
	uint32_t last = row->last_out_ts;
	row->last_out_ts = (int32_t)(n->out_ts - last) > 0 ? n->out_ts : last;
	atomic_store_explicit(&row->last_rx_tsc, f->now_tsc, memory_order_relaxed);
	f->packets++;
	f->octets += rtp_bytes;
}

static inline uint16_t dp_fast_ip_checksum(
	const struct dp_fast *f, const struct tg_ingress *row, uint16_t ip_bytes_be)
{
	return (uint16_t)~dp_fold((uint64_t)f->ip_sum + htobe16(row->out_tos) + ip_bytes_be +
				  row->out_src_ip_be + row->out_dst_ip_be);
}

#define DP_FAST_FLAGS (DP_ROW_MUTED | DP_ROW_SILENT | DP_ROW_SEEN | DP_ROW_LIVE)
#define DP_FAST_READY (DP_ROW_SEEN | DP_ROW_LIVE)

#endif
