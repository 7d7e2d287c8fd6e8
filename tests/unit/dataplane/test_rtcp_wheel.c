#include "dataplane/rtcp_wheel.h"

#include "contract/bounds.h"
#include "tests/unit/contract/suite.h"

#define ROWS 1000
#define HZ   1000000ull /* a tick is a microsecond */
#define MS   1000ull

static struct dp_rtcp_wheel wheel;
static const uint64_t start = 5000000;

static void setup(void)
{
	ck_assert_int_eq(dp_rtcp_wheel_open(&wheel, ROWS, HZ, start), 0);
}

START_TEST(each_comes_up_once_and_not_early)
{
	setup();
	uint64_t due[ROWS];
	uint32_t up = 0;
	srand(1);
	for (uint32_t leg = 0; leg < ROWS; leg++) {
		due[leg] = start + (uint64_t)rand() % 6000 * MS;
		dp_rtcp_wheel_add(&wheel, leg, due[leg]);
	}
	for (uint64_t now = start; now < start + 7000 * MS; now += MS) {
		uint32_t leg;
		while ((leg = dp_rtcp_wheel_due(&wheel, now)) != TG_NONE) {
			ck_assert_uint_ge(now, due[leg]);
			ck_assert_uint_le(now, due[leg] + DP_RTCP_SLOT_MS * MS);
			due[leg] = UINT64_MAX;
			up++;
		}
	}
	ck_assert_uint_eq(up, ROWS);
	ck_assert_uint_eq(wheel.legs, 0);
	dp_rtcp_wheel_close(&wheel);
}
END_TEST

START_TEST(who_is_taken_out_does_not_come_up)
{
	setup();
	for (uint32_t leg = 0; leg < 9; leg++)
		dp_rtcp_wheel_add(&wheel, leg, start + 100 * MS); /* all in one slot */
	dp_rtcp_wheel_remove(&wheel, 0);
	dp_rtcp_wheel_remove(&wheel, 8);
	dp_rtcp_wheel_remove(&wheel, 4);
	dp_rtcp_wheel_remove(&wheel, 4);
	dp_rtcp_wheel_add(&wheel, 5, start + 500 * MS); /* moves */
	uint32_t seen = 0, n = 0, leg;
	while ((leg = dp_rtcp_wheel_due(&wheel, start + 200 * MS)) != TG_NONE)
		seen |= 1u << leg, n++;
	ck_assert_uint_eq(n, 5);
	ck_assert_uint_eq(seen, 1u << 1 | 1u << 2 | 1u << 3 | 1u << 6 | 1u << 7);
	ck_assert_uint_eq(dp_rtcp_wheel_due(&wheel, start + 600 * MS), 5);
	dp_rtcp_wheel_close(&wheel);
}
END_TEST

/* One who is due beyond the wheel's turn comes up within it, one whose time is past at once. */
START_TEST(beyond_the_turn)
{
	setup();
	dp_rtcp_wheel_add(&wheel, 1, start + 60000 * MS);
	ck_assert_uint_eq(dp_rtcp_wheel_due(&wheel, start + 8000 * MS), TG_NONE);
	ck_assert_uint_eq(dp_rtcp_wheel_due(&wheel, start + 8200 * MS), 1);
	dp_rtcp_wheel_add(&wheel, 2, start);
	ck_assert_uint_eq(dp_rtcp_wheel_due(&wheel, start + 8200 * MS), 2);
	/* After a stall of several turns everybody comes up. */
	for (uint32_t leg = 0; leg < 100; leg++)
		dp_rtcp_wheel_add(&wheel, leg, start + (8300 + leg * 50) * MS);
	uint32_t n = 0;
	while (dp_rtcp_wheel_due(&wheel, start + 100000 * MS) != TG_NONE)
		n++;
	ck_assert_uint_eq(n, 100);
	/* And a wheel that was empty for long is in step with the time. */
	ck_assert_uint_eq(dp_rtcp_wheel_due(&wheel, start + 900000 * MS), TG_NONE);
	dp_rtcp_wheel_add(&wheel, 3, start + 901000 * MS);
	ck_assert_uint_eq(dp_rtcp_wheel_due(&wheel, start + 900900 * MS), TG_NONE);
	ck_assert_uint_eq(dp_rtcp_wheel_due(&wheel, start + 901008 * MS), 3);
	dp_rtcp_wheel_close(&wheel);
}
END_TEST

TESTS("rtcp_wheel", each_comes_up_once_and_not_early, who_is_taken_out_does_not_come_up, beyond_the_turn)
