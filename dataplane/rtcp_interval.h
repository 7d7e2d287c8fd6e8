/* When the next report is due (RFC 3550 sections 6.2, 6.3 and A.7), and the small computations that reports
 * are made of: pure. */
#ifndef TG_DATAPLANE_RTCP_INTERVAL_H
#define TG_DATAPLANE_RTCP_INTERVAL_H

#include <stdbool.h>
#include <stdint.h>

struct dp_rtcp_session {
	uint32_t members, senders; /* ourselves included */
	uint32_t octets_per_s;     /* RTCP's share: 5 % of the session's bandwidth */
	uint32_t average_octets;   /* of a compound packet, UDP and IP headers included */
	uint32_t minimum_ms;       /* 5,000, or the reduced one of dp_rtcp_reduced_minimum_ms() */
	bool we_sent;              /* RTP, since the report before the last */
	bool initial;              /* nothing was sent yet: half the minimum */
};

/* The calculated interval, not randomised: T_d of section 6.3.1, at most one hour. */
uint32_t dp_rtcp_deterministic_ms(const struct dp_rtcp_session *session);
/* The interval to use: T_d times 0.5 to 1.5, by random, over e - 1.5 (what the reconsideration takes). */
uint32_t dp_rtcp_interval_ms(const struct dp_rtcp_session *session, uint32_t random);
/* The optional minimum of section 6.2, 360 s over the bandwidth in kbit/s. */
uint32_t dp_rtcp_reduced_minimum_ms(uint32_t session_kbit_per_s);
/* 5 % of a session's bandwidth. */
uint32_t dp_rtcp_octets_per_s(uint32_t session_kbit_per_s);
/* Running average over compound packets, by 1/16 (section 6.3.3). */
uint32_t dp_rtcp_average(uint32_t average_octets, uint32_t octets);

/* NTP time, 32.32 s since 1900, of a UTC; and its middle 32 bits. */
uint64_t dp_ntp_of(uint64_t utc_ns);
uint32_t dp_ntp_middle(uint64_t ntp);
/* 16.16 s, rounded, at most what 32 bits hold. */
uint32_t dp_ntp_delay(uint64_t ns);

/* Section 6.4.1: when a report of LSR and DLSR arrived at `now` (middle of NTP): the round trip in 1/65536 s;
 * 0 where the clocks' grain makes it negative. */
uint32_t dp_rtcp_round_trip(uint32_t now, uint32_t lsr, uint32_t dlsr);

/* A.3: lost of what was expected; negative where repeats outweigh losses; as 24 bits hold it. */
int32_t dp_rtcp_lost(uint32_t expected, uint32_t received);
/* Fraction of 256 lost between two reports; 0 where none was expected or repeats outweigh. */
uint8_t dp_rtcp_fraction(uint32_t expected, uint32_t received);

#endif
