#include "tests/unit/dataplane/fixture.h"

static struct dp_outgoing out;

static void talk(uint32_t leg, uint16_t from, uint16_t n)
{
	for (uint16_t i = 0; i < n; i++) {
		struct dp_packet p = packet_for(
			leg, (uint16_t)(from + i), dp_clock_units(&f.legs.clock, f.now));
		relay(&p, &out);
		f.now += ms(20);
	}
}

START_TEST(stints_meet_and_every_packet_is_in_one)
{
	open_fixture();
	open_pair();
	talk(1, 0, 10);
	talk(2, 0, 3);
	ck_assert_int_eq(do_plain(TG_CMD_STINT, 1, 1, 2), 0);
	talk(1, 10, 5);
	ck_assert_int_eq(do_plain(TG_CMD_STINT, 1, 1, 2), 0);
	talk(2, 3, 4);
	ck_assert_int_eq(do_plain(TG_CMD_RELEASE, 1, 1, 0), 0);
	struct tg_meter_record a = next_record(), b = next_record(), c = next_record();
	ck_assert_uint_eq(a.stint, 1);
	ck_assert_uint_eq(a.part, 0);
	ck_assert_uint_eq(b.stint, 2);
	ck_assert_uint_eq(b.part, 0);
	ck_assert_uint_eq(c.stint, 2);
	ck_assert_uint_eq(c.part, 1);
	ck_assert(!a.final && !b.final && c.final);
	ck_assert_uint_eq(a.end_ns, b.start_ns);
	ck_assert_uint_eq(b.end_ns, c.start_ns);
	ck_assert_uint_gt(c.end_ns, c.start_ns);
	ck_assert_uint_eq(a.counts.v[TG_METER_rx_packets], 10);
	ck_assert_uint_eq(a.counts.v[TG_METER_relayed_packets], 3);
	ck_assert_uint_eq(b.counts.v[TG_METER_rx_packets], 5);
	ck_assert_uint_eq(b.counts.v[TG_METER_relayed_packets], 0);
	ck_assert_uint_eq(c.counts.v[TG_METER_rx_packets], 0);
	ck_assert_uint_eq(c.counts.v[TG_METER_relayed_packets], 4);
	/* Bob's open part has what alice sent, also after she is gone. */
	struct tg_meter_record s = audit();
	ck_assert_uint_eq(s.counts.v[TG_METER_relayed_packets], 15);
	ck_assert_uint_eq(s.counts.v[TG_METER_rx_packets], 7);
	ck_assert_int_eq(do_plain(TG_CMD_RELEASE, 2, 1, 0), 0);
	ck_assert_uint_eq(next_record().counts.v[TG_METER_relayed_packets], 15);
	s = audit();
	for (int i = 0; i < TG_METERS; i++)
		ck_assert_uint_eq(s.counts.v[i], 0);
	close_fixture();
}
END_TEST

START_TEST(a_change_of_source_folds_what_was_relayed)
{
	open_fixture();
	open_pair();
	talk(1, 0, 10);
	ck_assert_int_eq(do_source(2, 1, (struct tg_leg_source){.kind = TG_SOURCE_NONE}), 0);
	audit();
	ck_assert_uint_eq(tg_counter_read(&f.legs.ingress[1].forwarded_packets), 0);
	ck_assert_uint_eq(tg_counter_read(&f.legs.egress[2].relayed_packets), 10);
	talk(1, 10, 10);
	ck_assert_uint_eq(audit().counts.v[TG_METER_relayed_packets], 10);
	close_fixture();
}
END_TEST

START_TEST(losses_and_jitter_are_those_of_the_part)
{
	open_fixture();
	open_pair();
	talk(1, 65530, 3);
	talk(1, 65535, 3); /* two are missing */
	do_plain(TG_CMD_STINT, 1, 1, 2);
	talk(1, 2, 3);
	do_plain(TG_CMD_STINT, 1, 1, 3);
	talk(1, 8, 1); /* three are missing */
	do_plain(TG_CMD_STINT, 1, 1, 4);
	ck_assert_uint_eq(next_record().lost, 2);
	ck_assert_uint_eq(next_record().lost, 0);
	struct tg_meter_record r = next_record();
	ck_assert_uint_eq(r.lost, 3);
	ck_assert_uint_lt(r.jitter_us, 1000);
	close_fixture();
}
END_TEST

START_TEST(a_full_ring_changes_nothing)
{
	open_fixture();
	open_pair();
	talk(1, 0, 7);
	while (dp_meter_has_room(&f.legs, 1))
		dp_meter_snapshot(&f.legs, 0, 1);
	ck_assert_int_eq(do_plain(TG_CMD_RELEASE, 1, 1, 0), TG_REFUSED_BUSY);
	ck_assert_uint_eq(f.legs.open_count, 2);
	ck_assert_uint_eq(tg_counter_read(&f.legs.ingress[1].rx_packets), 7);
	ck_assert_uint_eq(f.legs.egress[1].part, 0);
	next_record();
	ck_assert_int_eq(do_plain(TG_CMD_RELEASE, 1, 1, 0), 0);
	close_fixture();
}
END_TEST

START_TEST(drops_of_a_flood_never_upset_the_sums)
{
	open_fixture();
	open_pair();
	atomic_store(&f.legs.ingress[1].dropped_packets, UINT32_MAX - 1);
	dp_meter_recount(&f.legs);
	for (int i = 0; i < 3; i++)
		dp_legs_drop(&f.legs, TG_DROP_wrong_source, 1);
	ck_assert_uint_eq(audit().counts.v[TG_METER_dropped_packets], UINT32_MAX);
	close_fixture();
}
END_TEST

START_TEST(a_random_life_adds_up)
{
	open_fixture();
	make_item(0, 20, 20, TG_MEDIA_READY);
	struct tg_meter closed = {0};
	const uint8_t *frame;
	uint32_t id = 1;
	srand(9);
	for (int i = 0; i < 30000; i++) {
		uint32_t leg = 1 + (uint32_t)rand() % 6, peer = 1 + (uint32_t)rand() % 6;
		struct tg_leg_program a = program_to(ALICE_BE);
		a.flags = rand() % 8 ? 0 : TG_LEG_HOLD;
		struct dp_packet p = packet_for(leg, (uint16_t)i, (uint32_t)i * 160);
		p.src_ip_be = rand() % 9 ? ALICE_BE : BOB_BE;
		switch (rand() % 24) {
		case 0:
			do_program(leg, 1, &a);
			if (f.legs.egress[leg].next_hop != TG_NONE)
				resolve(leg);
			break;
		case 1:
			do_plain(TG_CMD_RELEASE, leg, 1, 0);
			break;
		case 2:
			do_plain(TG_CMD_STINT, leg, 1, (uint32_t)i);
			break;
		case 3:
			do_source(leg, 1, relay_from(peer));
			break;
		case 4:
			do_source(leg, 1, play_of(0, id++));
			break;
		case 5:
			relay_event(p, (uint8_t)(rand() % 20), 160, &out);
			break;
		case 6:
			do_source(leg, 1, (struct tg_leg_source){.kind = TG_SOURCE_NONE});
			break;
		default:
			relay(&p, &out);
		}
		f.now += ms(3);
		play_now(&out, &frame);
		struct tg_meter_record r;
		while (tg_ring_pop(tg_region_meters(f.region, 0), &r, 1)) {
			tg_meter_add(&closed, &r.counts);
			ck_assert_mem_eq(&r.closed, &closed, sizeof(closed));
		}
		news();
		if (i % 100 == 0) {
			r = audit();
			ck_assert_mem_eq(&r.closed, &closed, sizeof(closed));
		}
	}
	for (uint32_t leg = 1; leg <= 6; leg++)
		do_plain(TG_CMD_RELEASE, leg, 1, 0);
	struct tg_meter_record r;
	while (tg_ring_pop(tg_region_meters(f.region, 0), &r, 1))
		tg_meter_add(&closed, &r.counts);
	dp_legs_flush(&f.legs);
	for (int i = 0; i < TG_METERS; i++) {
		ck_assert_uint_eq(closed.v[i], tg_counter_read(&f.legs.stats->total[i]));
		ck_assert_uint_gt(closed.v[i], 0);
	}
	ck_assert_uint_eq(f.legs.wheel.active, 0);
	close_fixture();
}
END_TEST

TESTS("meter", stints_meet_and_every_packet_is_in_one, a_change_of_source_folds_what_was_relayed,
	losses_and_jitter_are_those_of_the_part, a_full_ring_changes_nothing,
	drops_of_a_flood_never_upset_the_sums, a_random_life_adds_up)
