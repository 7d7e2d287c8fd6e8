#include "dataplane/rtcp_interval.h"

#include "tests/unit/contract/suite.h"

/* G.711 between two: 80 kbit/s with all headers. */
static struct dp_rtcp_session call(void)
{
	return (struct dp_rtcp_session){.members = 2,
		.senders = 2,
		.octets_per_s = dp_rtcp_octets_per_s(80),
		.average_octets = 120,
		.minimum_ms = 5000,
		.we_sent = true};
}

START_TEST(a_call_reports_every_five_seconds)
{
	struct dp_rtcp_session s = call();
	ck_assert_uint_eq(s.octets_per_s, 500);
	ck_assert_uint_eq(dp_rtcp_deterministic_ms(&s), 5000);
	s.initial = true;
	ck_assert_uint_eq(dp_rtcp_deterministic_ms(&s), 2500);
	ck_assert_uint_eq(dp_rtcp_reduced_minimum_ms(80), 4500);
	ck_assert_uint_eq(dp_rtcp_reduced_minimum_ms(72), 5000);
}
END_TEST

/* Section 6.3.1: 0.5 to 1.5 of T_d, over e - 1.5. */
START_TEST(it_is_spread)
{
	struct dp_rtcp_session s = call();
	ck_assert_uint_eq(dp_rtcp_interval_ms(&s, 0), 2052);
	ck_assert_uint_eq(dp_rtcp_interval_ms(&s, 0x80000000), 4104);
	ck_assert_uint_eq(dp_rtcp_interval_ms(&s, UINT32_MAX), 6155);
}
END_TEST

/* Many members share 5 %; a quarter of that is the senders', while they are at most a quarter. */
START_TEST(bandwidth_bounds_it)
{
	struct dp_rtcp_session s = call();
	s.members = 100;
	s.senders = 50;
	ck_assert_uint_eq(dp_rtcp_deterministic_ms(&s), 100 * 120 * 1000 / 500);
	s.senders = 25;
	ck_assert_uint_eq(dp_rtcp_deterministic_ms(&s), 25 * 120 * 1000 / 125);
	s.senders = 10;
	ck_assert_uint_eq(dp_rtcp_deterministic_ms(&s), 10 * 120 * 1000 / 125);
	s.we_sent = false;
	ck_assert_uint_eq(dp_rtcp_deterministic_ms(&s), 90 * 120 * 1000 / 375);
	s.senders = 0;
	ck_assert_uint_eq(dp_rtcp_deterministic_ms(&s), 100 * 120 * 1000 / 375);
	s.members = UINT32_MAX;
	ck_assert_uint_eq(dp_rtcp_deterministic_ms(&s), 3600000);
	s.octets_per_s = 0;
	ck_assert_uint_eq(dp_rtcp_deterministic_ms(&s), 3600000);
}
END_TEST

START_TEST(average_size)
{
	ck_assert_uint_eq(dp_rtcp_average(0, 108), 108);
	ck_assert_uint_eq(dp_rtcp_average(108, 108), 108);
	ck_assert_uint_eq(dp_rtcp_average(100, 260), 110);
}
END_TEST

/* The example of RFC 3550 section 6.4.1: sent 0xb44db705:20000000, arrived 0xb710:8000, held 5.25 s. */
START_TEST(round_trip)
{
	uint32_t lsr = dp_ntp_middle(0xb44db70520000000ull);
	ck_assert_uint_eq(lsr, 0xb7052000);
	ck_assert_uint_eq(dp_ntp_delay(5250000000ull), 0x00054000);
	ck_assert_uint_eq(dp_rtcp_round_trip(0xb7108000, lsr, 0x00054000), 0x00062000); /* 6.125 s */
	ck_assert_uint_eq(dp_rtcp_round_trip(0x10, 0xfffffff0, 0x10), 0x10);
	ck_assert_uint_eq(dp_rtcp_round_trip(100, 90, 11), 0);
}
END_TEST

START_TEST(times)
{
	ck_assert_uint_eq(dp_ntp_of(0), 2208988800ull << 32);
	ck_assert_uint_eq(dp_ntp_of(1500000000ull), (2208988801ull << 32) + 0x80000000u);
	ck_assert_uint_eq(dp_ntp_delay(0), 0);
	ck_assert_uint_eq(dp_ntp_delay(65535ull * 1000000000), 0xffff0000);
	ck_assert_uint_eq(dp_ntp_delay(65536ull * 1000000000), UINT32_MAX);
}
END_TEST

/* A.3. */
START_TEST(losses)
{
	ck_assert_int_eq(dp_rtcp_lost(100, 90), 10);
	ck_assert_int_eq(dp_rtcp_lost(100, 103), -3);
	ck_assert_int_eq(dp_rtcp_lost(0x7fffffff, 0), 0x7fffff);
	ck_assert_int_eq(dp_rtcp_lost(0, 0x7fffffff), -0x800000);
	ck_assert_uint_eq(dp_rtcp_fraction(100, 75), 64);
	ck_assert_uint_eq(dp_rtcp_fraction(100, 100), 0);
	ck_assert_uint_eq(dp_rtcp_fraction(100, 130), 0);
	ck_assert_uint_eq(dp_rtcp_fraction(0, 0), 0);
	ck_assert_uint_eq(dp_rtcp_fraction(100, 0), 255);
}
END_TEST

TESTS("rtcp_interval", a_call_reports_every_five_seconds, it_is_spread, bandwidth_bounds_it, average_size,
	round_trip, times, losses)
