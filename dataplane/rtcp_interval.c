#include "dataplane/rtcp_interval.h"

#define MS_PER_S         1000u
#define NS_PER_S         1000000000u
#define INTERVAL_MAX_MS  3600000u
#define UNIX_TO_NTP      2208988800u /* seconds from 1900 to 1970 */
#define LOST_MAX         0x7fffff
#define LOST_MIN         (-0x800000)
#define COMPENSATION_1E5 121828u /* e - 1.5 */

uint32_t dp_rtcp_deterministic_ms(const struct dp_rtcp_session *s)
{
	uint64_t members = s->members, share = s->octets_per_s, minimum = s->minimum_ms;
	if (s->initial)
		minimum /= 2;
	/* A quarter of the bandwidth is the senders' while they are few. */
	if (s->senders <= s->members / 4) {
		share = s->we_sent ? share / 4 : share - share / 4;
		members = s->we_sent ? s->senders : s->members - s->senders;
	}
	if (!share)
		return INTERVAL_MAX_MS;
	uint64_t ms = members * s->average_octets * MS_PER_S / share;
	if (ms < minimum)
		ms = minimum;
	return ms < INTERVAL_MAX_MS ? (uint32_t)ms : INTERVAL_MAX_MS;
}

uint32_t dp_rtcp_interval_ms(const struct dp_rtcp_session *s, uint32_t random)
{
	uint64_t half = dp_rtcp_deterministic_ms(s) / 2;
	uint64_t ms = half + (2 * half * random >> 32);
	return (uint32_t)(ms * 100000u / COMPENSATION_1E5);
}

uint32_t dp_rtcp_reduced_minimum_ms(uint32_t kbit)
{
	return kbit ? 360 * MS_PER_S / kbit : INTERVAL_MAX_MS;
}

uint32_t dp_rtcp_octets_per_s(uint32_t kbit)
{
	return kbit * 1000 / 8 / 20;
}

uint32_t dp_rtcp_average(uint32_t average, uint32_t octets)
{
	return average ? (average * 15 + octets + 8) / 16 : octets;
}

uint64_t dp_ntp_of(uint64_t utc_ns)
{
	uint64_t s = utc_ns / NS_PER_S, fraction = ((utc_ns % NS_PER_S) << 32) / NS_PER_S;
	return (s + UNIX_TO_NTP) << 32 | fraction;
}

uint32_t dp_ntp_middle(uint64_t ntp)
{
	return (uint32_t)(ntp >> 16);
}

uint32_t dp_ntp_delay(uint64_t ns)
{
	uint64_t s = ns / NS_PER_S;
	if (s > UINT16_MAX)
		return UINT32_MAX;
	return (uint32_t)(s << 16) + (uint32_t)(((ns % NS_PER_S) << 16) / NS_PER_S);
}

uint32_t dp_rtcp_round_trip(uint32_t now, uint32_t lsr, uint32_t dlsr)
{
	uint32_t trip = now - lsr - dlsr;
	return trip > INT32_MAX ? 0 : trip;
}

int32_t dp_rtcp_lost(uint32_t expected, uint32_t received)
{
	int32_t lost = (int32_t)(expected - received);
	return lost > LOST_MAX ? LOST_MAX : lost < LOST_MIN ? LOST_MIN : lost;
}

uint8_t dp_rtcp_fraction(uint32_t expected, uint32_t received)
{
	if (!expected || expected > INT32_MAX || received >= expected)
		return 0;
	uint64_t fraction = ((uint64_t)(expected - received) << 8) / expected;
	return fraction > UINT8_MAX ? UINT8_MAX : (uint8_t)fraction;
}
