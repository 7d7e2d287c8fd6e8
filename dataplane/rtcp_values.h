/* What RTCP packets carry, as values (RFC 3550 section 6, RFC 3611): what the reader gives and the writer
 * takes. All numbers in host order, as the packet has them. */
#ifndef TG_DATAPLANE_RTCP_VALUES_H
#define TG_DATAPLANE_RTCP_VALUES_H

#include <stdbool.h>
#include <stdint.h>

enum dp_rtcp_type {
	DP_RTCP_SR = 200,
	DP_RTCP_RR = 201,
	DP_RTCP_SDES = 202,
	DP_RTCP_BYE = 203,
	DP_RTCP_APP = 204,
	DP_RTCP_XR = 207,
};

/* RFC 3611 section 4: block types. */
enum dp_xr_type { DP_XR_RRTR = 4, DP_XR_DLRR = 5, DP_XR_VOIP = 7 };

/* A sender's account of itself. */
struct dp_rtcp_sent {
	uint64_t ntp; /* 32.32 since 1900 */
	uint32_t rtp_ts;
	uint32_t packets, octets; /* modulo 2^32; octets of payload */
};

/* Report block: how a source is received. */
struct dp_rtcp_block {
	uint32_t ssrc;    /* of that source */
	uint8_t fraction; /* lost since the last report, of 256 */
	int32_t lost;     /* since reception began, -2^23 to 2^23 - 1 */
	uint32_t ext_seq; /* highest sequence number with its cycles */
	uint32_t jitter;  /* RTP units */
	uint32_t lsr;     /* middle 32 bits of the last SR's NTP; 0: none */
	uint32_t dlsr;    /* since then, 1/65536 s */
};

/* XR: for a round trip without being a sender. */
struct dp_rtcp_dlrr {
	uint32_t ssrc, lrr, dlrr; /* as lsr and dlsr, of a receiver reference time */
};

/* RFC 3611 section 4.7. 127: not known, for those that can say so. */
#define DP_VOIP_UNKNOWN 127
struct dp_rtcp_voip {
	uint32_t ssrc;
	uint8_t loss_rate, discard_rate, burst_density, gap_density; /* of 256 */
	uint16_t burst_ms, gap_ms, round_trip_ms, end_system_ms;
	int8_t signal_dbm, noise_dbm;
	uint8_t return_loss_db, gap_min, r_factor, external_r, mos_lq_x10, mos_cq_x10, rx_config;
	uint16_t jb_nominal_ms, jb_maximum_ms, jb_absolute_ms;
};

/* Compares times of 16.16 seconds: 1/65536 s. */
#define DP_RTCP_UNITS_PER_S 65536u

#endif
