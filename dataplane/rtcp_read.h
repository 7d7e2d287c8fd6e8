/* RTCP from a far end (RFC 3550 section 6, appendix A.2): pure, from bytes to values. A compound packet is
 * valid as a whole or not at all. Reduced-size packets (RFC 5506) are not negotiated and not valid. */
#ifndef TG_DATAPLANE_RTCP_READ_H
#define TG_DATAPLANE_RTCP_READ_H

#include "dataplane/rtcp_values.h"

struct dp_rtcp_seen {
	uint32_t ssrc; /* of who reports: the first packet's */
	bool has_sent, has_block, has_rrtr, has_dlrr, has_voip;
	bool bye; /* this ssrc leaves */
	struct dp_rtcp_sent sent;
	/* Of those that speak of our stream, the first. */
	struct dp_rtcp_block block;
	struct dp_rtcp_dlrr dlrr;
	struct dp_rtcp_voip voip;
	uint64_t rrtr_ntp;
};

/* our_ssrc: of the stream that the far end hears. Returns 0, or -EINVAL: not a valid compound packet. */
int dp_rtcp_read(const uint8_t *bytes, uint32_t n, uint32_t our_ssrc, struct dp_rtcp_seen *seen);

#endif
