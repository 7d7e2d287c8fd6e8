/* A leg's own RTCP: pure, from values to one compound packet (RFC 3550 section 6.1): SR or RR, SDES with
 * CNAME, XR (RFC 3611) where it is wanted, BYE. */
#ifndef TG_DATAPLANE_RTCP_WRITE_H
#define TG_DATAPLANE_RTCP_WRITE_H

#include "dataplane/rtcp_values.h"

/* RFC 7022 section 4.2: 96 bits in Base64. */
#define DP_CNAME_LETTERS 16
/* Enough for whatever a report holds. */
#define DP_RTCP_BYTES_MAX 192

struct dp_rtcp_report {
	uint32_t ssrc; /* ours */
	bool has_sent, has_block, has_rrtr, has_dlrr, has_voip, bye;
	struct dp_rtcp_sent sent; /* has_sent: SR, else RR */
	struct dp_rtcp_block block;
	uint64_t rrtr_ntp;
	struct dp_rtcp_dlrr dlrr;
	struct dp_rtcp_voip voip;
	char cname[DP_CNAME_LETTERS];
};

/* Returns the bytes written, at most DP_RTCP_BYTES_MAX. */
uint32_t dp_rtcp_write(uint8_t at[static DP_RTCP_BYTES_MAX], const struct dp_rtcp_report *report);

/* A name for a participant that tells nothing about it: from two numbers, the same every time; an outsider
 * who doesn't know `secret` can't make it. */
void dp_rtcp_cname(char cname[static DP_CNAME_LETTERS], uint64_t secret, uint64_t participant);

#endif
