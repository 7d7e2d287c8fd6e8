#include "dataplane/resume.h"

#include "dataplane/row.h"
#include "tests/unit/dataplane/fixture.h"

static struct dp_outgoing out;
static const uint8_t *frame;

/* As after kill -9: nothing was written back but what is in the region. */
static void crash(void)
{
	detach_legs();
	attach_legs();
}

START_TEST(relays_go_on_in_the_same_stream)
{
	open_fixture();
	open_pair();
	struct dp_packet p = packet_for(1, 1000, 160);
	ck_assert(relay(&p, &out));
	uint16_t seq = out.rtp.seq;
	uint32_t ts = out.rtp.ts;
	dp_legs_flush(&f.legs);
	crash();
	ck_assert_uint_eq(f.legs.open_count, 2);
	ck_assert_uint_eq(tg_counter_read(&f.legs.stats->legs_open), 2);
	/* Four were missed: the far end hears a stream without a gap, whose timestamps follow the clock. No
	 * time has passed here. */
	p = packet_for(1, 1005, 160 * 6);
	ck_assert(relay(&p, &out));
	ck_assert_uint_eq(out.rtp.seq, (uint16_t)(seq + 1));
	ck_assert_uint_eq(out.rtp.ts, ts + 160);
	ck_assert_uint_eq(out.rtp.marker, 1);
	ck_assert_uint_eq(out.flow.dst_ip_be, BOB_BE);
	struct tg_meter_record r = audit();
	ck_assert_uint_eq(r.counts.v[TG_METER_rx_packets], 2);
	ck_assert_uint_eq(r.counts.v[TG_METER_relayed_packets], 2);
	ck_assert_int_eq(do_plain(TG_CMD_RELEASE, 1, 1, 0), 0);
	ck_assert_int_eq(do_plain(TG_CMD_RELEASE, 2, 1, 0), 0);
	for (uint32_t i = 0; i < TG_NEXT_HOPS; i++)
		ck_assert_uint_eq(f.legs.hops.entry[i].refs, 0);
	close_fixture();
}
END_TEST

START_TEST(plays_go_on_at_their_frame)
{
	open_fixture();
	open_pair();
	make_item(0, 100, 100, TG_MEDIA_READY);
	do_source(1, 1, play_of(0, 4));
	for (int i = 0; i < 5; i++, f.now += ms(20))
		play_now(&out, &frame);
	uint32_t at = f.legs.egress[1].frame;
	uint16_t seq = out.rtp.seq;
	crash();
	ck_assert_uint_eq(f.legs.wheel.active, 1);
	f.now += ms(1);
	ck_assert_uint_eq(play_now(&out, &frame), 1);
	ck_assert_uint_eq(frame[0], at);
	ck_assert_uint_eq(out.rtp.seq, (uint16_t)(seq + 1));
	audit();
	close_fixture();
}
END_TEST

START_TEST(counts_of_a_burst_that_was_cut_short_are_taken_from_the_rows)
{
	open_fixture();
	open_pair();
	for (uint16_t i = 0; i < 7; i++) {
		struct dp_packet p = packet_for(1, i, i * 160u);
		relay(&p, &out);
	}
	crash(); /* before the totals were flushed */
	ck_assert_uint_eq(audit().counts.v[TG_METER_rx_packets], 7);
	close_fixture();
}
END_TEST

START_TEST(the_time_away_is_no_silence_of_the_far_end)
{
	open_fixture();
	struct tg_leg_program a = program_to(ALICE_BE);
	a.media_timeout_ms = 1000;
	do_program(1, 1, &a);
	atomic_store(&f.legs.ingress[1].last_rx_tsc, f.now - ms(100000));
	crash();
	ck_assert_uint_ge(f.legs.ingress[1].last_rx_tsc, f.now - ms(1000));
	close_fixture();
}
END_TEST

START_TEST(a_leg_that_was_half_open_or_half_freed_is_free)
{
	open_fixture();
	open_pair();
	atomic_store(&f.legs.ingress[1].generation, 0);
	crash();
	ck_assert_uint_eq(f.legs.open_count, 1);
	ck_assert_uint_eq(f.legs.egress[1].generation, 0);
	ck_assert_int_eq(f.legs.egress[2].source, TG_SOURCE_NONE);
	ck_assert_uint_eq(f.legs.ingress[2].sink, TG_NONE);
	struct tg_leg_program a = program_to(ALICE_BE);
	ck_assert_int_eq(do_program(1, 1, &a), 0); /* the command is still in the ring */
	audit();
	close_fixture();
}
END_TEST

START_TEST(a_relay_that_only_one_end_knows_is_none)
{
	open_fixture();
	open_pair();
	f.legs.ingress[1].sink = TG_NONE;         /* bob still says that he hears alice */
	f.legs.egress[1].source = TG_SOURCE_NONE; /* bob's row still says that alice hears him */
	crash();
	ck_assert_int_eq(f.legs.egress[2].source, TG_SOURCE_NONE);
	ck_assert_uint_eq(f.legs.ingress[2].sink, TG_NONE);
	audit();
	close_fixture();
}
END_TEST

START_TEST(damaged_rows_do_no_harm)
{
	srand(5);
	open_fixture();
	make_item(0, 10, 10, TG_MEDIA_READY);
	for (int round = 0; round < 2000; round++) {
		open_pair();
		do_source(1, 1, play_of(0, 1 + (uint32_t)round));
		for (int i = 0; i < 20; i++) {
			((uint8_t *)&f.legs.egress[1 + rand() % 2])[8 + rand() % 184] = (uint8_t)rand();
			((uint8_t *)&f.legs.ingress[1 + rand() % 2])[8 + rand() % 120] = (uint8_t)rand();
		}
		crash();
		for (uint16_t i = 0; i < 20; i++) {
			struct dp_packet p = packet_for(1 + i % 2, i, i);
			relay(&p, &out);
			f.now += ms(10);
			play_now(&out, &frame);
		}
		do_plain(TG_CMD_RELEASE, 1, 1, 0);
		do_plain(TG_CMD_RELEASE, 2, 1, 0);
		struct tg_meter_record r[4];
		tg_ring_pop(tg_region_meters(f.region, 0), r, 4);
		news();
	}
	close_fixture();
}
END_TEST

START_TEST(a_leg_whose_program_is_damaged_is_there_until_it_is_released)
{
	open_fixture();
	open_pair();
	struct dp_packet p = packet_for(1, 1, 160);
	ck_assert(relay(&p, &out));
	f.legs.egress[1].program.clock_khz = 77;
	crash();
	ck_assert_uint_eq(f.legs.open_count, 2);
	ck_assert_int_eq(do_plain(TG_CMD_RELEASE, 1, 1, 0), 0);
	struct tg_meter_record r = next_record();
	ck_assert(r.final);
	ck_assert_uint_eq(r.counts.v[TG_METER_rx_packets], 1);
	audit();
	close_fixture();
}
END_TEST

START_TEST(the_control_plane_is_to_look_at_what_is_open)
{
	open_fixture();
	crash();
	ck_assert_uint_eq(tg_counter_read(&f.legs.stats->events_missed), 0);
	open_pair();
	crash();
	ck_assert_uint_eq(tg_counter_read(&f.legs.stats->events_missed), 1);
	close_fixture();
}
END_TEST

START_TEST(the_other_workers_legs_are_left_alone)
{
	open_fixture_of(2);
	uint32_t other = LEGS - 1;
	atomic_store(&f.legs.egress[other].generation, 3);
	crash();
	ck_assert_uint_eq(f.legs.open_count, 0);
	ck_assert_uint_eq(f.legs.egress[other].generation, 3);
	close_fixture();
}
END_TEST

static uint64_t utc(void)
{
	return tg_timebase_now(tg_region_timebase(f.region));
}

/* Bob's leg: closed by a record, for what that says. */
static struct tg_meter_record close_bob(uint32_t stint)
{
	ck_assert_int_eq(do_plain(TG_CMD_STINT, 2, 1, stint), 0);
	return next_record();
}

START_TEST(the_time_away_is_in_the_part_that_was_open)
{
	open_fixture();
	open_pair();
	uint64_t last = utc() - 300 * 1000000ull;
	f.legs.egress[1].stint_start_ns = last - 1;
	f.legs.egress[2].stint_start_ns = last +
					  200 * 1000000ull; /* its clock read, the worker's life not yet */
	atomic_store(&f.legs.stats->alive_ns, last);
	crash();
	uint64_t most = (utc() - last) / 1000000 + 1;
	ck_assert_uint_eq(f.legs.outage[1].count, 1);
	ck_assert_uint_ge(f.legs.outage[1].ms, 300);
	ck_assert_uint_le(f.legs.outage[1].ms, most);
	ck_assert_uint_ge(f.legs.outage[2].ms, 100);
	ck_assert_uint_le(f.legs.outage[2].ms, most - 200);
	uint32_t bobs = f.legs.outage[2].ms;
	/* Killed before it gave a sign of life: the time until then isn't counted twice. */
	crash();
	ck_assert_uint_eq(f.legs.outage[1].count, 2);
	ck_assert_uint_le(f.legs.outage[1].ms, (utc() - last) / 1000000 + 2);
	struct tg_meter_record r = close_bob(2);
	ck_assert_uint_eq(r.outages, 2);
	ck_assert_uint_ge(r.outage_ms, bobs);
	ck_assert_uint_eq(r.uncertain_packets, 0);
	r = close_bob(3);
	ck_assert_uint_eq(r.outages, 0);
	ck_assert_uint_eq(r.outage_ms, 0);
	close_fixture();
}
END_TEST

START_TEST(a_worker_that_ended_in_order_is_missed_too)
{
	open_fixture();
	open_pair();
	uint64_t last = utc() - 50 * 1000000ull;
	f.legs.egress[2].stint_start_ns = last - 1;
	atomic_store(&f.legs.stats->left_ns, last);
	crash();
	struct tg_meter_record r = close_bob(2);
	ck_assert_uint_eq(r.outages, 1);
	ck_assert_uint_ge(r.outage_ms, 50);
	close_fixture();
}
END_TEST

START_TEST(a_leg_that_is_opened_afterwards_has_missed_nothing)
{
	open_fixture();
	atomic_store(&f.legs.stats->alive_ns, utc() - 1000000000ull);
	crash();
	open_pair();
	ck_assert_uint_eq(close_bob(2).outages, 0);
	close_fixture();
}
END_TEST

START_TEST(a_burst_that_was_under_way_is_uncertain_for_those_that_heard_it)
{
	open_fixture();
	open_pair();
	static const struct tg_sending_entry burst[] = {{.leg = 1, .as = TG_SENT_RELAYED},
		{.leg = 1, .as = TG_SENT_RELAYED}, {.leg = 1, .as = TG_SENT_PLAYED},
		{.leg = TG_NONE, .as = TG_SENT_FOR_KERNEL}, {.leg = 5, .as = TG_SENT_PLAYED},
		{.leg = 4000000, .as = TG_SENT_RELAYED}};
	dp_legs_sending(&f.legs, burst, 6);
	crash();
	ck_assert_uint_eq(f.legs.outage[1].uncertain, 1);
	ck_assert_uint_eq(f.legs.outage[2].uncertain, 2);
	ck_assert_uint_eq(f.legs.outage[5].uncertain, 0);
	crash();
	ck_assert_uint_eq(close_bob(2).uncertain_packets, 2);
	close_fixture();
}
END_TEST

START_TEST(a_damaged_burst_does_no_harm)
{
	open_fixture();
	open_pair();
	memset((void *)&f.legs.stats->sending, 0xff, sizeof(f.legs.stats->sending));
	crash();
	ck_assert_uint_eq(f.legs.stats->sending.n, 0);
	audit();
	close_fixture();
}
END_TEST

TESTS("resume", the_time_away_is_in_the_part_that_was_open, a_worker_that_ended_in_order_is_missed_too,
	a_leg_that_is_opened_afterwards_has_missed_nothing,
	a_burst_that_was_under_way_is_uncertain_for_those_that_heard_it, a_damaged_burst_does_no_harm,
	relays_go_on_in_the_same_stream, plays_go_on_at_their_frame,
	counts_of_a_burst_that_was_cut_short_are_taken_from_the_rows,
	the_time_away_is_no_silence_of_the_far_end, a_leg_that_was_half_open_or_half_freed_is_free,
	a_relay_that_only_one_end_knows_is_none, damaged_rows_do_no_harm,
	a_leg_whose_program_is_damaged_is_there_until_it_is_released,
	the_control_plane_is_to_look_at_what_is_open, the_other_workers_legs_are_left_alone)
