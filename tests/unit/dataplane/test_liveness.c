#include "dataplane/liveness.h"

#include "dataplane/row.h"
#include "tests/unit/dataplane/fixture.h"

static void wait_ms(uint64_t n)
{
	f.now += ms(n);
	dp_liveness_sweep(&f.legs, LEGS, f.now);
}

static uint32_t timeouts(void)
{
	return atomic_load(&f.legs.egress[1].media_timeouts);
}

static void start(uint32_t timeout_ms)
{
	open_fixture();
	struct tg_leg_program a = program_to(ALICE_BE);
	a.media_timeout_ms = timeout_ms;
	ck_assert_int_eq(do_program(1, 1, &a), 0);
	news();
}

START_TEST(silence_strikes_once_and_again_after_sound)
{
	start(1000);
	wait_ms(999);
	ck_assert_uint_eq(timeouts(), 0);
	wait_ms(2);
	ck_assert_uint_eq(timeouts(), 1);
	ck_assert_uint_eq(news(), 1);
	wait_ms(100000);
	ck_assert_uint_eq(timeouts(), 1);
	struct dp_outgoing out;
	struct dp_packet p = packet_for(1, 1, 160);
	relay(&p, &out);
	wait_ms(900);
	ck_assert_uint_eq(timeouts(), 1);
	wait_ms(200);
	ck_assert_uint_eq(timeouts(), 2);
	do_plain(TG_CMD_RELEASE, 1, 1, 0);
	ck_assert_uint_eq(next_record().media_timeout, 1);
	close_fixture();
}
END_TEST

START_TEST(packets_that_are_not_accepted_are_no_sign_of_life)
{
	start(1000);
	struct dp_outgoing out;
	struct dp_packet p = packet_for(1, 1, 160);
	p.src_port_be++;
	f.now += ms(600);
	relay(&p, &out);
	wait_ms(600);
	ck_assert_uint_eq(timeouts(), 1);
	close_fixture();
}
END_TEST

START_TEST(hold_stops_the_clock_and_its_end_starts_it_anew)
{
	start(1000);
	struct tg_leg_program a = program_to(ALICE_BE);
	a.media_timeout_ms = 1000;
	a.flags = TG_LEG_HOLD;
	do_program(1, 1, &a);
	wait_ms(60000);
	ck_assert_uint_eq(timeouts(), 0);
	a.flags = 0;
	do_program(1, 1, &a);
	wait_ms(900);
	ck_assert_uint_eq(timeouts(), 0);
	wait_ms(200);
	ck_assert_uint_eq(timeouts(), 1);
	close_fixture();
}
END_TEST

START_TEST(none_means_none)
{
	start(0);
	wait_ms(10000000);
	ck_assert_uint_eq(timeouts(), 0);
	close_fixture();
}
END_TEST

START_TEST(a_sweep_reaches_every_leg_and_no_more)
{
	open_fixture();
	for (uint32_t leg = 0; leg < LEGS; leg++) {
		struct tg_leg_program p = program_to(ALICE_BE);
		p.media_timeout_ms = 10;
		do_program(leg, 1, &p);
	}
	f.now += ms(11);
	for (uint32_t i = 0; i < LEGS / 4; i++)
		dp_liveness_sweep(&f.legs, 4, f.now);
	for (uint32_t leg = 0; leg < LEGS; leg++)
		ck_assert_uint_eq(f.legs.egress[leg].media_timeouts, 1);
	ck_assert_uint_eq(news(), LEGS);
	close_fixture();
}
END_TEST

START_TEST(a_leg_that_found_the_next_hop_table_full_gets_one_later)
{
	open_fixture();
	for (uint32_t i = 0; i < TG_NEXT_HOPS; i++) {
		struct tg_addr other = tg_addr_ipv4(htobe32(0x0a000000 + i));
		dp_nexthops_ref(&f.legs.hops, &other);
	}
	struct tg_leg_program a = program_to(ALICE_BE);
	do_program(1, 1, &a);
	ck_assert_uint_eq(f.legs.egress[1].next_hop, TG_NONE);
	for (uint32_t i = 0; i < 5; i++)
		dp_nexthops_unref(&f.legs.hops, i);
	wait_ms(1); /* gives some up */
	wait_ms(1);
	ck_assert_uint_ne(f.legs.egress[1].next_hop, TG_NONE);
	close_fixture();
}
END_TEST

TESTS("liveness", silence_strikes_once_and_again_after_sound,
	packets_that_are_not_accepted_are_no_sign_of_life, hold_stops_the_clock_and_its_end_starts_it_anew,
	none_means_none, a_sweep_reaches_every_leg_and_no_more,
	a_leg_that_found_the_next_hop_table_full_gets_one_later)
