#include "dataplane/digits.h"

#include <string.h>

#include "dataplane/row.h"
#include "tests/unit/contract/suite.h"

static struct tg_ingress row;
static struct tg_egress egress;

static char take(uint8_t event, uint32_t ts, uint8_t marker)
{
	uint8_t payload[4] = {event, 10, 0, 160};
	return dp_digit_take(&row, payload, ts, marker);
}

static void setup(void)
{
	memset((void *)&row, 0, sizeof(row));
	memset((void *)&egress, 0, sizeof(egress));
}

START_TEST(every_event_is_one_digit_however_many_packets)
{
	setup();
	ck_assert_int_eq(take(5, 1000, 1), '5');
	for (int i = 0; i < 8; i++)
		ck_assert_int_eq(take(5, 1000, 0), 0);
	ck_assert_int_eq(take(5, 3000, 1), '5');
}
END_TEST

START_TEST(the_first_packets_may_be_lost)
{
	setup();
	ck_assert_int_eq(take(1, 1000, 0), '1');
	ck_assert_int_eq(take(2, 2000, 0), '2');
}
END_TEST

START_TEST(a_late_packet_of_the_event_before_is_no_digit)
{
	setup();
	take(1, 0xffffff00, 1);
	ck_assert_int_eq(take(2, 0x300, 1), '2'); /* over the wrap */
	ck_assert_int_eq(take(1, 0xffffff00, 0), 0);
	ck_assert_int_eq(take(2, 0x300, 0), 0);
	/* So far back that it is a restart. */
	ck_assert_int_eq(take(3, 0x300 - 60000u, 1), '3');
}
END_TEST

START_TEST(one_that_is_held_for_long_goes_on_in_segments)
{
	setup();
	ck_assert_int_eq(take(9, 1000, 1), '9');
	ck_assert_int_eq(take(9, 1000 + 0xffff, 0), 0);
	ck_assert_int_eq(take(9, 1000 + 2 * 0xffff, 0), 0);
	/* The same distance with a marker is a new event. */
	ck_assert_int_eq(take(9, 1000 + 3 * 0xffff, 1), '9');
}
END_TEST

START_TEST(names)
{
	static const char name[] = "0123456789*#ABCD";
	setup();
	for (uint32_t i = 0; i < 256; i++)
		ck_assert_int_eq(take((uint8_t)i, 1000 * (i + 1), 1), i < 16 ? name[i] : 0);
}
END_TEST

START_TEST(a_full_queue_loses_digits_and_says_so)
{
	setup();
	for (uint32_t i = 0; i < TG_DIGITS_WAITING; i++)
		ck_assert_int_eq(dp_digit_queue(&egress, 0, (char)('0' + i % 10)), DP_DIGIT_QUEUED);
	ck_assert_int_eq(dp_digit_queue(&egress, 0, '#'), DP_DIGIT_LOST);
	ck_assert_uint_eq(egress.digits_lost, 1);
	ck_assert_uint_eq(egress.digit_count, TG_DIGITS_WAITING);
	ck_assert_int_eq(egress.digits[0], '0');
	ck_assert_int_eq(dp_digit_queue(&egress, 1, '#'), DP_DIGIT_QUEUED);
	ck_assert_int_eq(egress.digits[0], '#');
}
END_TEST

START_TEST(the_count_may_wrap_and_what_was_taken_may_be_nonsense)
{
	setup();
	atomic_store(&egress.digit_count, UINT32_MAX);
	ck_assert_int_eq(dp_digit_queue(&egress, UINT32_MAX - 3, '1'), DP_DIGIT_QUEUED);
	ck_assert_uint_eq(egress.digit_count, 0);
	ck_assert_int_eq(dp_digit_queue(&egress, 1000, '1'), DP_DIGIT_QUEUED);
}
END_TEST

TESTS("digits", every_event_is_one_digit_however_many_packets, the_first_packets_may_be_lost,
	a_late_packet_of_the_event_before_is_no_digit, one_that_is_held_for_long_goes_on_in_segments, names,
	a_full_queue_loses_digits_and_says_so, the_count_may_wrap_and_what_was_taken_may_be_nonsense)
