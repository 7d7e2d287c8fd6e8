#include "tests/unit/dataplane/fixture.h"

START_TEST(a_leg_that_is_opened_again_knows_nothing_of_the_last_one)
{
	open_fixture();
	open_pair();
	struct dp_outgoing out;
	struct dp_packet p = packet_for(1, 1, 160);
	relay(&p, &out);
	relay_event(packet_for(1, 2, 320), 5, 160, &out);
	ck_assert_int_eq(do_plain(TG_CMD_RELEASE, 1, 1, 0), 0);
	ck_assert_uint_eq(f.legs.ingress[1].generation, 0);
	ck_assert_uint_eq(f.legs.egress[1].generation, 0);
	ck_assert_uint_eq(tg_counter_read(&f.legs.stats->legs_open), 1);
	/* Who heard it, and whom it heard, know. */
	ck_assert_int_eq(f.legs.egress[2].source, TG_SOURCE_NONE);
	ck_assert_uint_eq(f.legs.ingress[2].sink, TG_NONE);
	struct tg_leg_program a = program_to(ALICE_BE);
	ck_assert_int_eq(do_program(1, 2, &a), 0);
	ck_assert_uint_eq(f.legs.egress[1].digit_count, 0);
	ck_assert_uint_eq(f.legs.egress[1].stint_digits, 0);
	ck_assert_int_eq(f.legs.egress[1].source, TG_SOURCE_NONE);
	ck_assert_uint_eq(tg_counter_read(&f.legs.ingress[1].rx_packets), 0);
	audit();
	close_fixture();
}
END_TEST

START_TEST(whoever_was_heard_by_another_is_taken_from_it)
{
	open_fixture();
	open_pair();
	struct tg_leg_program c = program_to(htobe32(0xc612001e));
	do_program(3, 1, &c);
	ck_assert_int_eq(do_source(3, 1, relay_from(1)), 0);
	ck_assert_int_eq(f.legs.egress[2].source, TG_SOURCE_NONE);
	ck_assert_uint_eq(f.legs.egress[2].feeder, TG_NONE);
	ck_assert_uint_eq(f.legs.ingress[1].sink, 3);
	/* The same again changes nothing. */
	f.legs.ingress[1].rebase = 0;
	ck_assert_int_eq(do_source(3, 1, relay_from(1)), 0);
	ck_assert_uint_eq(f.legs.ingress[1].rebase, 0);
	close_fixture();
}
END_TEST

START_TEST(a_new_address_is_used_at_once)
{
	open_fixture();
	open_pair();
	struct tg_leg_program b = program_to(htobe32(0xc6120099));
	ck_assert_int_eq(do_program(2, 1, &b), 0);
	resolve(2);
	struct dp_outgoing out;
	struct dp_packet p = packet_for(1, 1, 160);
	ck_assert(relay(&p, &out));
	ck_assert_uint_eq(out.flow.dst_ip_be, htobe32(0xc6120099));
	p = packet_for(2, 1, 160);
	ck_assert(!relay(&p, &out)); /* from where it was */
	close_fixture();
}
END_TEST

START_TEST(a_play_that_is_replaced_leaves_the_wheel)
{
	open_fixture();
	open_pair();
	make_item(0, 10, 10, TG_MEDIA_READY);
	do_source(1, 1, play_of(0, 1));
	do_source(1, 1, play_of(0, 2));
	ck_assert_uint_eq(f.legs.wheel.active, 1);
	ck_assert_uint_eq(f.legs.egress[1].play_done, 0);
	do_source(1, 1, relay_from(2));
	ck_assert_uint_eq(f.legs.wheel.active, 0);
	do_source(1, 1, play_of(0, 3));
	do_plain(TG_CMD_RELEASE, 1, 1, 0);
	ck_assert_uint_eq(f.legs.wheel.active, 0);
	ck_assert_uint_eq(tg_counter_read(&f.legs.stats->plays_active), 0);
	close_fixture();
}
END_TEST

START_TEST(all_legs_open_and_close_in_any_order)
{
	open_fixture();
	for (int round = 0; round < 50; round++) {
		for (uint32_t i = 0; i < LEGS; i++) {
			struct tg_leg_program p = program_to(htobe32(0xc6120100 + i));
			ck_assert_int_eq(
				do_program((i * 7 + (uint32_t)round) % LEGS, 1 + (uint32_t)round, &p), 0);
		}
		ck_assert_uint_eq(f.legs.open_count, LEGS);
		for (uint32_t i = 0; i < LEGS; i++) {
			ck_assert_int_eq(
				do_plain(TG_CMD_RELEASE, (i * 11 + 3) % LEGS, 1 + (uint32_t)round, 0), 0);
			next_record();
		}
		ck_assert_uint_eq(f.legs.open_count, 0);
	}
	for (uint32_t i = 0; i < TG_NEXT_HOPS; i++)
		ck_assert_uint_eq(f.legs.hops.entry[i].refs, 0);
	close_fixture();
}
END_TEST

START_TEST(a_full_event_ring_is_counted)
{
	open_fixture();
	open_pair();
	for (uint32_t i = 0; i < TG_EVENT_RING + 10; i++)
		dp_legs_news(&f.legs, 1);
	ck_assert_uint_eq(tg_counter_read(&f.legs.stats->events_missed), 11);
	close_fixture();
}
END_TEST

TESTS("leg", a_leg_that_is_opened_again_knows_nothing_of_the_last_one,
	whoever_was_heard_by_another_is_taken_from_it, a_new_address_is_used_at_once,
	a_play_that_is_replaced_leaves_the_wheel, all_legs_open_and_close_in_any_order,
	a_full_event_ring_is_counted)
