#include "dataplane/latch.h"
#include "tests/unit/contract/suite.h"

static struct dp_latch latch;

static bool watch(uint16_t port, uint32_t ssrc, uint16_t seq, uint32_t ms)
{
	struct dp_latch_packet p = {.ip_be = 1, .ssrc = ssrc, .port_be = port, .seq = seq, .at_ms = ms};
	return dp_latch_watch(&latch, &p);
}

/* n packets in a row, 20 ms apart: whether one of them was enough. */
static bool talk(uint16_t port, uint32_t ssrc, uint16_t seq, uint32_t ms, int n)
{
	for (int i = 0; i < n; i++)
		if (watch(port, ssrc, (uint16_t)(seq + i), ms + 20 * (uint32_t)i))
			return true;
	return false;
}

START_TEST(a_few_packets_of_one_source_are_enough)
{
	latch = (struct dp_latch){0};
	ck_assert(!talk(7, 1, 65535, UINT32_MAX - 20, DP_LATCH_PACKETS - 1)); /* both wrap */
	ck_assert(watch(7, 1, (uint16_t)(65535 + DP_LATCH_PACKETS), 100));
	/* It begins anew. */
	ck_assert(!talk(7, 1, 500, 200, DP_LATCH_PACKETS - 1));
}
END_TEST

START_TEST(one_that_repeats_itself_or_goes_back_is_not)
{
	latch = (struct dp_latch){0};
	for (uint32_t i = 0; i < 20; i++)
		ck_assert(!watch(7, 1, 100, i));
	for (uint16_t i = 0; i < 20; i++)
		ck_assert(!watch(7, 1, (uint16_t)(99 - i), 20 + i));
}
END_TEST

START_TEST(another_port_or_ssrc_does_not_count)
{
	latch = (struct dp_latch){0};
	ck_assert(!watch(7, 1, 1, 0));
	ck_assert(!talk(8, 1, 2, 1, 5));
	ck_assert(!talk(7, 2, 2, 1, 5));
	ck_assert(talk(7, 1, 2, 200, DP_LATCH_PACKETS - 1));
}
END_TEST

START_TEST(a_slow_one_begins_again_and_another_gets_its_turn)
{
	latch = (struct dp_latch){0};
	for (uint16_t i = 0; i < 20; i++)
		ck_assert(!watch(7, 1, (uint16_t)(1 + i), i * (DP_LATCH_WINDOW_MS / 2u + 1)));
	ck_assert(talk(8, 1, 1, 20 * DP_LATCH_WINDOW_MS, DP_LATCH_PACKETS));
}
END_TEST

TESTS("latch", a_few_packets_of_one_source_are_enough, one_that_repeats_itself_or_goes_back_is_not,
	another_port_or_ssrc_does_not_count, a_slow_one_begins_again_and_another_gets_its_turn)
