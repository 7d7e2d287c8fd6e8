/* The quality row of a leg: what its RTCP is made from, what the far end's says, and what both come to.
 *
 * Written by the owning worker when a report is sent or received and when a part of a stint closes; the
 * packet path does not touch it (the first packet of a new source apart). Read by the command line; control
 * gets the figures with every meter record. It is in the region so that reports go on with the right counts
 * when a dataplane takes the legs over. */
#ifndef TG_CONTRACT_QUALITY_H
#define TG_CONTRACT_QUALITY_H

#include <stdatomic.h>
#include <stdint.h>

#include "contract/bounds.h"

/* Bits of `known`: what is known of a leg. */
#define TG_QUALITY_TRIP     (1u << 0) /* a round trip was measured */
#define TG_QUALITY_REPORTED (1u << 1) /* the far end has reported on what it hears */
#define TG_QUALITY_FROM     (1u << 2) /* mos_from: something was received */
#define TG_QUALITY_TO       (1u << 3) /* mos_to */
#define TG_QUALITY_TO_SAID  (1u << 4) /* mos_to is what the far end itself says (XR VoIP metrics) */
#define TG_QUALITY_LEFT     (1u << 5) /* the far end has said BYE */

/* Figures of a leg from its begin up to now; in the meter record, the journal, the CDR. */
struct tg_quality_figures {
	uint32_t round_trip_us, round_trip_average_us; /* TRIP */
	int32_t far_lost;                              /* REPORTED: of ours, lost on the way there */
	uint32_t far_jitter_us;                        /* REPORTED */
	uint16_t mos_from_x100; /* FROM: how the far end sounds here, 100 to 450 (G.107) */
	uint16_t mos_to_x100;   /* TO: how we sound there */
	uint32_t known;         /* TG_QUALITY_* */
};
_Static_assert(sizeof(struct tg_quality_figures) == 24, "quality figures");

/* Sums over the closed parts. Modulo 2^32, as reports carry them. */
struct tg_quality_sums {
	uint32_t sent_packets, sent_octets; /* octets: of payload */
	uint32_t expected, received;        /* of the source that is heard now */
};

struct tg_quality {
	/* Line 0: what our reports are made from. */
	_Atomic uint32_t generation; /* of the leg that this is about */
	uint16_t first_seq;          /* of the source that is heard now */
	uint16_t learnt_port_be;     /* far end's RTCP port that a latch has found, or 0 */
	/* The part that was added last: ((stint << 32 | part) + 1) << 1, and in bit 0 which of the sums is
	 * valid. One store switches to the new sums, so that a kill leaves the part in or out, never half. */
	_Atomic uint64_t closed_part;
	struct tg_quality_sums sums[2];
	uint32_t reported_expected, reported_received; /* at the last report */
	uint32_t reported_sent[2]; /* packets sent, at the last report and the one before */
	/* Line 1: times are middle 32 bits of NTP time. */
	_Alignas(TG_CACHE_LINE) struct tg_quality_figures figures;
	uint64_t round_trip_sum_us;
	uint32_t round_trips;
	uint32_t last_report;           /* when ours was sent */
	uint32_t last_sr, last_sr_at;   /* far end's last sender report: its NTP; when it came. 0: none */
	uint32_t last_ref, last_ref_at; /* likewise its receiver reference time (XR) */
	uint16_t average_octets;        /* of compound packets, either way; 0: none yet */
	uint8_t far_fraction;           /* lost of ours between its last two reports, of 256 */
	uint8_t pad;
	uint32_t reports_sent; /* and those received are what `known` is made from */
};
_Static_assert(sizeof(struct tg_quality) == 128, "quality row");

#endif
