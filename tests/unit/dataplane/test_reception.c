#include "dataplane/reception.h"

#include <string.h>

#include "dataplane/row.h"
#include "tests/unit/contract/suite.h"

static struct tg_ingress row;

static enum dp_arrival take(uint16_t seq, uint32_t ssrc)
{
	enum dp_arrival a = dp_reception_look(&row, seq, ssrc);
	dp_reception_count(&row, a, seq, ssrc);
	tg_counter_add(&row.rx_packets, 1);
	return a;
}

static void setup(void)
{
	memset((void *)&row, 0, sizeof(row));
}

START_TEST(losses_are_counted_over_wraps)
{
	setup();
	for (uint32_t i = 65000; i < 65000 + 140000; i++)
		if (i % 10)
			take((uint16_t)i, 1);
	ck_assert_uint_eq(dp_reception_expected(&row), 139999);
	ck_assert_uint_eq(dp_reception_lost(&row), 13999);
}
END_TEST

START_TEST(order_and_repeats)
{
	setup();
	ck_assert_int_eq(take(10, 1), DP_ARRIVAL_NEW_STREAM);
	ck_assert_int_eq(take(12, 1), DP_ARRIVAL_NEWEST);
	ck_assert_uint_eq(dp_reception_lost(&row), 1);
	ck_assert_int_eq(take(11, 1), DP_ARRIVAL_LATE);
	ck_assert_uint_eq(dp_reception_lost(&row), 0);
	ck_assert_int_eq(take(12, 1), DP_ARRIVAL_LATE);
	ck_assert_uint_eq(dp_reception_lost(&row), 0); /* not below */
	ck_assert_int_eq(take((uint16_t)(12 - 99), 1), DP_ARRIVAL_LATE);
	ck_assert_int_eq(take((uint16_t)(12 - 101), 1), DP_ARRIVAL_NEW_STREAM);
	setup();
	take(0, 1);
	ck_assert_int_eq(take(2999, 1), DP_ARRIVAL_NEWEST);
	ck_assert_int_eq(take(2999 + 3000, 1), DP_ARRIVAL_NEW_STREAM);
}
END_TEST

START_TEST(another_stream_adds_to_what_was_expected)
{
	setup();
	for (uint16_t i = 100; i < 200; i++)
		if (i != 150)
			take(i, 1);
	for (uint32_t i = 0; i < 70000; i++)
		if (i != 5)
			take((uint16_t)(60000 + i), 2);
	take(3, 3);
	ck_assert_uint_eq(dp_reception_expected(&row), 100 + 70000 + 1);
	ck_assert_uint_eq(dp_reception_lost(&row), 2);
}
END_TEST

START_TEST(a_new_part_expects_nothing_wherever_it_begins)
{
	for (uint32_t start = 65530; start < 65542; start++) {
		setup();
		take((uint16_t)start, 1);
		dp_reception_new_part(&row);
		tg_counter_set(&row.rx_packets, 0);
		ck_assert_uint_eq(dp_reception_expected(&row), 0);
		take((uint16_t)(start + 3), 1);
		ck_assert_uint_eq(dp_reception_expected(&row), 3);
		ck_assert_uint_eq(dp_reception_lost(&row), 2);
	}
	setup();
	ck_assert_uint_eq(dp_reception_expected(&row), 0);
	dp_reception_new_part(&row); /* before the first packet */
	take(77, 1);
	ck_assert_uint_eq(dp_reception_expected(&row), 1);
}
END_TEST

START_TEST(jitter_settles_at_the_mean_deviation)
{
	setup();
	/* Arrivals alternate by 16 units: |D| is 16 each time (RFC 3550 A.8). */
	for (uint32_t i = 0; i < 500; i++)
		dp_reception_jitter(&row, 1000 + i * 160 + (i % 2) * 16, i * 160);
	ck_assert_uint_ge(row.jitter_q4 >> 4, 15);
	ck_assert_uint_le(row.jitter_q4 >> 4, 16);
	for (uint32_t i = 500; i < 1500; i++)
		dp_reception_jitter(&row, 1000 + i * 160, i * 160);
	ck_assert_uint_le(row.jitter_q4 >> 4, 1);
	/* The largest deviation there is does no harm. */
	dp_reception_jitter(&row, 0x80000000, 0);
	dp_reception_jitter(&row, 0, 0);
}
END_TEST

TESTS("reception", losses_are_counted_over_wraps, order_and_repeats, another_stream_adds_to_what_was_expected,
	a_new_part_expects_nothing_wherever_it_begins, jitter_settles_at_the_mean_deviation)
