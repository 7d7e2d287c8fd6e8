/* The rows of a leg. All have the leg's index; the index is also the local media port:
 * leg = address number * legs per address + (port - port_min) / 2.
 *
 *   desired  what the leg should be. Written by the control plane, under its version; read by workers when
 *            they start and by the command line.
 *   ingress  what a packet from the far end needs: match, rewriting, counters. One cache line each for what
 *            is looked at and what is counted. Written by the owning worker only.
 *   egress   the one RTP stream that the far end hears, over any change of source; the stint that is open;
 *            news for the control plane. Written by the owning worker only.
 *   outage   what the open part missed because its worker was replaced. Written by the owning worker only:
 *            when it starts, and when a part begins.
 *   quality  RTCP and what comes of it (quality.h). Written by the owning worker only.
 *   ipv6     the IPv6 addresses that the ingress row has no room for. Only in a region with IPv6 media
 *            addresses. Written by the owning worker only.
 *
 * A leg's family is that of its local address; the two legs of a relay may be of different ones.
 *
 * A leg is named by index and generation. Generation 0 means free. Counters are those of the open stint. */
#ifndef TG_CONTRACT_LEG_H
#define TG_CONTRACT_LEG_H

#include <stdatomic.h>
#include <stdint.h>

#include "contract/address.h"
#include "contract/bounds.h"
#include "contract/counter.h"

enum tg_source_kind {
	TG_SOURCE_NONE,  /* the far end hears nothing */
	TG_SOURCE_RELAY, /* it hears another leg */
	TG_SOURCE_PLAY,  /* it hears a media item */
};

#define TG_LEG_LATCH (1u << 0) /* another port of the same host is taken, once (dataplane/latch.h) */
#define TG_LEG_HOLD  (1u << 1) /* the far end is on hold: nothing is sent to it, no media timeout */
#define TG_LEG_MUX   (1u << 2) /* RTCP comes and goes on the port of the RTP (RFC 5761) */
#define TG_LEG_VOIP  (1u << 3) /* the far end asks for XR VoIP metrics (RFC 3611) */
#define TG_LEG_RTT   (1u << 4) /* and for a receiver's round trip: RRTR while we send nothing */

/* Payload types of one direction. 255: not negotiated. */
struct tg_payload_types {
	uint8_t audio; /* PCMU 0, PCMA 8 */
	uint8_t event; /* telephone-event */
};

/* Everything that a worker must know to run a leg; the body of TG_CMD_PROGRAM and part of the desired row. */
struct tg_leg_program {
	struct tg_addr remote; /* of the leg's family; NONE: not known yet */
	uint16_t remote_port_be;
	uint8_t flags;                  /* TG_LEG_* */
	uint8_t frame_ms;               /* packet time of what we send: 20 */
	struct tg_payload_types rx, tx; /* what the far end sends; what it expects */
	uint8_t clock_khz;              /* RTP clock of the audio: 8 */
	uint8_t dscp;                   /* of what we send, 0 to 63 */
	uint16_t rtcp_port_be;          /* 0, and no TG_LEG_MUX: no RTCP with this far end */
	uint32_t ssrc;                  /* of what we send; stays for the leg's life */
	uint32_t media_timeout_ms;      /* 0: none */
};
_Static_assert(sizeof(struct tg_leg_program) == 40, "leg program");

/* What the egress record keeps of it. */
struct tg_leg_terms {
	uint32_t remote_ip_be; /* IPv4; of an IPv6 leg 0, and the address is in tg_leg_ipv6 */
	uint16_t remote_port_be;
	uint8_t flags;
	uint8_t frame_ms;
	struct tg_payload_types rx, tx;
	uint8_t clock_khz;
	uint8_t dscp;
	uint16_t rtcp_port_be;
	uint32_t ssrc;
	uint32_t media_timeout_ms;
};
_Static_assert(sizeof(struct tg_leg_terms) == 24, "leg terms");

/* What a leg's far end hears; the body of TG_CMD_SOURCE. */
struct tg_leg_source {
	uint8_t kind;          /* enum tg_source_kind */
	uint8_t stop_on_digit; /* PLAY: a telephone event ends it */
	uint16_t pad;
	uint32_t peer;        /* RELAY: leg index; PLAY: media item index */
	uint32_t generation;  /* RELAY: the peer's; PLAY: the item's */
	uint32_t play_id;     /* PLAY: chosen by the control plane, comes back when it is finished; never 0 */
	uint32_t loops;       /* PLAY: times to play, at least 1 */
	uint32_t start_frame; /* PLAY: first frame, the first time round */
};
_Static_assert(sizeof(struct tg_leg_source) == 24, "leg source");

#define TG_DESIRED_MODULE_BYTES 24
#define TG_DESIRED_NUMBER_BYTES 20

struct tg_desired {
	_Atomic uint32_t version;             /* odd while the control plane writes (tg_desired_read below) */
	uint32_t generation;                  /* 0: free */
	uint8_t session[16], call[16];        /* struct id */
	char module[TG_DESIRED_MODULE_BYTES]; /* code of the controlling module, cut to fit, NUL-terminated */
	char from[TG_DESIRED_NUMBER_BYTES], to[TG_DESIRED_NUMBER_BYTES]; /* as shown, cut, NUL-terminated */
	struct tg_leg_program program;
	struct tg_leg_source source;
	uint32_t stint;
	_Atomic uint32_t digits_taken; /* of egress.digit_count, by the control plane */
	uint64_t since_ns;             /* when the leg was made */
	uint8_t outbound;              /* 1: we dialled it */
	uint8_t pad[7];
};
_Static_assert(sizeof(struct tg_desired) == 192, "desired row");

struct tg_ingress {
	/* Line 0: written when the leg is programmed or its source changes. */
	_Atomic uint32_t generation; /* 0: free */
	uint32_t match_ip_be;
	uint16_t match_port_be;
	uint8_t flags; /* TG_LEG_*, TG_ROW_* of the dataplane */
	uint8_t clock_khz;
	struct tg_payload_types rx, tx; /* tx: of the leg that hears this one */
	uint32_t sink;                  /* leg that hears this one, or TG_NONE */
	uint32_t out_ssrc_be;
	uint32_t out_src_ip_be, out_dst_ip_be;
	uint16_t out_src_port_be, out_dst_port_be;
	uint32_t out_next_hop; /* index, or TG_NONE */
	uint32_t ts_offset;
	uint16_t seq_offset;
	union {
		uint8_t special; /* 0: the next packet may take the short way (dataplane/fast.h) */
		struct {
			uint8_t marker : 1;   /* set the marker bit on the next forwarded packet */
			uint8_t rebase : 1;   /* offsets are to be taken from the next packet */
			uint8_t ipv6 : 1;     /* of the leg: match_ip_be is 0, tg_leg_ipv6.match counts */
			uint8_t out_ipv6 : 1; /* of the sink: out_*_ip_be are 0, tg_leg_ipv6.out_* count */
		};
	};
	uint8_t out_tos; /* DSCP as it is in the IPv4 header: with two bits of ECN, which are 0 */
	uint32_t last_out_ts;
	uint16_t last_out_seq;
	uint16_t cycles; /* of the sequence number, RFC 3550 A.1 */
	uint32_t ssrc_in;
	uint32_t paid_until; /* policing: when the far end's bucket is full again (dataplane/police.h) */
	/* Line 1: written per packet. */
	_Alignas(TG_CACHE_LINE) tg_counter rx_packets;
	tg_counter rx_octets;
	tg_counter
		forwarded_packets; /* relayed to the sink; folded into the sink's egress when a part closes */
	tg_counter forwarded_octets;
	_Atomic uint64_t last_rx_tsc;
	uint32_t transit, jitter_q4; /* RFC 3550 A.8: in clock units; jitter times 16 */
	uint16_t max_seq, base_seq;
	uint32_t last_event_ts; /* of the last telephone event that was taken as a digit */
	_Atomic uint32_t dropped_packets;
	uint32_t pad;
};
_Static_assert(sizeof(struct tg_ingress) == 128, "ingress row");

#define TG_DIGITS_WAITING 32

struct tg_egress {
	/* Line 0: the stream, and what is played into it. */
	_Atomic uint32_t generation; /* 0: free */
	uint32_t ssrc_be;
	uint16_t next_seq;
	uint8_t marker;
	uint8_t source; /* enum tg_source_kind */
	uint32_t next_ts;
	uint64_t last_tx_tsc;
	uint32_t feeder; /* leg that this one hears, or TG_NONE */
	uint32_t item, item_generation;
	uint32_t frame; /* next frame of the item */
	uint32_t loops_left;
	uint32_t play_id;
	uint32_t wheel_slot;
	uint32_t next_hop;
	uint8_t stop_on_digit;
	uint8_t waited; /* frame times that the play waited for its next hop */
	uint8_t pad0[2];
	uint32_t stint_digits; /* digits in the open part */
	/* Line 1: the open stint; what was sent in it; what does not change. */
	_Alignas(TG_CACHE_LINE) tg_counter relayed_packets; /* folded from the feeder's row, not live */
	tg_counter relayed_octets;
	tg_counter played_packets;
	tg_counter played_octets;
	uint64_t stint_start_ns;
	uint32_t stint, part;
	struct tg_leg_terms program; /* starts at byte 48 of the line and ends in the next */
	/* Line 2: news. Control reads with acquire. */
	_Atomic uint32_t digit_count;      /* digits ever queued; digit i is digits[i % TG_DIGITS_WAITING] */
	_Atomic uint32_t play_done;        /* play_id that ended last */
	_Atomic uint32_t play_stopped;     /* 1 if that ended by a digit */
	_Atomic uint32_t media_timeouts;   /* times that the media timeout struck */
	_Atomic uint32_t latches;          /* times that a latch took a source */
	_Atomic uint32_t digits_lost;      /* digits that found the queue full */
	uint8_t digits[TG_DIGITS_WAITING]; /* ASCII 0-9 * # A-D */
};
_Static_assert(sizeof(struct tg_egress) == 192, "egress record");

struct tg_outage {
	uint64_t until_ns;  /* UTC when the last successor took over */
	uint32_t count;     /* successors */
	uint32_t ms;        /* that nobody was there, as far as it is known */
	uint32_t uncertain; /* packets that may have been sent to the far end and were not counted */
	uint32_t pad[3];
};
_Static_assert(sizeof(struct tg_outage) == 32, "outage row");

/* All zero where a leg, or its sink, is of the other family. */
struct tg_leg_ipv6 {
	uint8_t match[16];   /* the far end, as tg_ingress.match_ip_be */
	uint8_t out_src[16]; /* of what is relayed to the sink */
	uint8_t out_dst[16]; /* likewise */
	uint8_t remote[16];  /* the far end as it was signalled, as tg_leg_terms.remote_ip_be */
};
_Static_assert(sizeof(struct tg_leg_ipv6) == TG_CACHE_LINE, "IPv6 addresses of a leg");

/* All of a program but an IPv6 address. */
struct tg_leg_terms tg_leg_terms_of(const struct tg_leg_program *program);
/* Copies a row that the control plane may be writing. Returns 0, or -EAGAIN when it never held still. */
int tg_desired_read(const struct tg_desired *row, struct tg_desired *copy);
/* Brackets every change of a row; by the control plane only. */
void tg_desired_write_begin(struct tg_desired *row);
void tg_desired_write_end(struct tg_desired *row);

#endif
