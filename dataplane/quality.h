/* What a leg's RTCP is made from, and what comes of it, on the leg's quality row (contract/quality.h): counts
 * over the whole stream where the other rows have those of the open part, and the E-model's verdict. Not on
 * the packet path, but for dp_quality_new_source(). */
#ifndef TG_DATAPLANE_QUALITY_H
#define TG_DATAPLANE_QUALITY_H

#include "dataplane/legs.h"
#include "dataplane/rtcp_values.h"

/* A leg is opened: nothing is known. */
void dp_quality_begin(struct dp_legs *legs, uint32_t leg);
/* The far end begins a stream with this packet, which isn't counted yet. */
void dp_quality_new_source(struct dp_legs *legs, uint32_t leg, uint16_t seq);
/* The open part is about to be reset: its counts are added to the sums, once for each part. Octets of an RTP
 * header longer than 12 bytes count as payload. */
void dp_quality_close_part(struct dp_legs *legs, uint32_t leg);

/* Sums over closed parts and the open one. */
struct tg_quality_sums dp_quality_sums(const struct dp_legs *legs, uint32_t leg);
/* Highest sequence number of the source that is heard, with its cycles. */
uint32_t dp_quality_ext_seq(const struct tg_quality *row, const struct tg_quality_sums *sums);
/* Interarrival jitter of it. */
uint32_t dp_quality_jitter_us(const struct tg_ingress *row);

/* A round trip was measured; in 1/65536 s. */
void dp_quality_trip(struct tg_quality *row, uint32_t trip);
/* The far end has reported on our stream. */
void dp_quality_reported(struct tg_quality *row, const struct dp_rtcp_block *block, uint32_t clock_khz);
/* It says itself how we sound. */
void dp_quality_said(struct tg_quality *row, const struct dp_rtcp_voip *voip);

/* R of what the far end sends, and of what it hears; delay taken in or left out. 0 to 93; -1: not known. */
struct dp_quality_r {
	double from, to, from_listening;
};
struct dp_quality_r dp_quality_r(const struct dp_legs *legs, uint32_t leg);
/* Brings the opinion scores up to date; returns the row's figures. */
const struct tg_quality_figures *dp_quality_rate(struct dp_legs *legs, uint32_t leg);

#endif
