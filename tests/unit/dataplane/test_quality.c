#include "dataplane/quality.h"

#include "tests/unit/dataplane/fixture.h"

static void say(uint32_t leg, uint16_t seq, uint32_t ssrc)
{
	struct dp_outgoing out;
	struct dp_packet p = packet_for(leg, seq, seq * 160u);
	p.ssrc = ssrc;
	relay(&p, &out);
	f.now += ms(20);
}

static void new_stint(uint32_t stint)
{
	ck_assert_int_eq(do_plain(TG_CMD_STINT, 1, 1, stint), 0);
	ck_assert_int_eq(do_plain(TG_CMD_STINT, 2, 1, stint), 0);
}

START_TEST(sums_go_on_over_stints)
{
	open_fixture();
	open_pair();
	uint16_t seq = 65530;
	for (uint32_t stint = 2; stint < 20; stint++) {
		for (int i = 0; i < 10; i++, seq++)
			if (seq % 5)
				say(1, seq, 7);
		new_stint(stint);
	}
	struct tg_quality_sums from = dp_quality_sums(&f.legs, 1), to = dp_quality_sums(&f.legs, 2);
	/* 65530 is missing, and so is every fifth up to the last; the first that came was 65531. */
	ck_assert_uint_eq(from.expected, 179);
	ck_assert_uint_eq(from.received, to.sent_packets);
	ck_assert_uint_eq(to.sent_octets, to.sent_packets * 160);
	ck_assert_uint_eq(dp_quality_ext_seq(&f.legs.quality[1], &from), 65530 + 179);
	ck_assert_uint_eq(from.sent_packets, 0);
	close_fixture();
}
END_TEST

START_TEST(another_source_begins_anew)
{
	open_fixture();
	open_pair();
	for (uint16_t i = 100; i < 110; i++)
		if (i != 105)
			say(1, i, 7);
	new_stint(2);
	say(1, 110, 7);
	for (uint16_t i = 5000; i < 5020; i++)
		if (i % 10 != 4)
			say(1, i, 8);
	struct tg_quality_sums s = dp_quality_sums(&f.legs, 1);
	ck_assert_uint_eq(s.expected, 20);
	ck_assert_uint_eq(s.received, 18);
	ck_assert_uint_eq(dp_quality_ext_seq(&f.legs.quality[1], &s), 5019);
	new_stint(3);
	say(1, 5020, 8);
	s = dp_quality_sums(&f.legs, 1);
	ck_assert_uint_eq(s.expected, 21);
	ck_assert_uint_eq(s.received, 19);
	/* The stream that leg 2 hears is one. */
	ck_assert_uint_eq(dp_quality_sums(&f.legs, 2).sent_packets, 9 + 1 + 18 + 1);
	close_fixture();
}
END_TEST

START_TEST(scores)
{
	open_fixture();
	open_pair();
	const struct tg_quality_figures *q = dp_quality_rate(&f.legs, 1);
	ck_assert_uint_eq(q->known, 0);
	for (uint16_t i = 0; i < 100; i++)
		say(1, i, 7);
	q = dp_quality_rate(&f.legs, 1);
	ck_assert_uint_eq(q->known, TG_QUALITY_FROM);
	ck_assert_uint_eq(q->mos_from_x100, 441); /* nothing impairs G.711 */
	q = dp_quality_rate(&f.legs, 2);
	ck_assert_uint_eq(q->known, 0);
	/* 10 of 100 lost on the way to leg 2's far end: Ie,eff 27.07, R 66.1. */
	struct dp_rtcp_block b = {.lost = 10, .jitter = 24, .fraction = 3};
	dp_quality_reported(&f.legs.quality[2], &b, 8);
	dp_quality_trip(&f.legs.quality[2], 65536 / 10);
	dp_quality_trip(&f.legs.quality[2], 65536 / 5);
	q = dp_quality_rate(&f.legs, 2);
	ck_assert_uint_eq(q->known, TG_QUALITY_TO | TG_QUALITY_REPORTED | TG_QUALITY_TRIP);
	ck_assert_int_eq(q->far_lost, 10);
	ck_assert_uint_eq(q->far_jitter_us, 3000);
	ck_assert_uint_eq(q->round_trip_us, 199996); /* as exact as 1/65536 s are */
	ck_assert_uint_eq(q->round_trip_average_us, (199996 + 99990) / 2);
	ck_assert_uint_ge(q->mos_to_x100, 335);
	ck_assert_uint_le(q->mos_to_x100, 345);
	/* The far end knows better. */
	dp_quality_said(&f.legs.quality[2], &(struct dp_rtcp_voip){.mos_lq_x10 = 127});
	dp_quality_said(&f.legs.quality[2], &(struct dp_rtcp_voip){.mos_lq_x10 = 9});
	ck_assert_uint_ge(dp_quality_rate(&f.legs, 2)->mos_to_x100, 335);
	dp_quality_said(&f.legs.quality[2], &(struct dp_rtcp_voip){.mos_lq_x10 = 21});
	ck_assert_uint_eq(dp_quality_rate(&f.legs, 2)->mos_to_x100, 210);
	/* What is impossible isn't believed. */
	dp_quality_trip(&f.legs.quality[2], 0x7fffffff);
	ck_assert_uint_eq(f.legs.quality[2].round_trips, 2);
	close_fixture();
}
END_TEST

START_TEST(the_meter_record_has_the_figures)
{
	open_fixture();
	open_pair();
	for (uint16_t i = 0; i < 50; i++)
		say(1, i, 7);
	dp_quality_reported(&f.legs.quality[1], &(struct dp_rtcp_block){.lost = -2, .jitter = 8}, 8);
	ck_assert_int_eq(do_plain(TG_CMD_RELEASE, 1, 1, 0), 0);
	struct tg_meter_record r = next_record();
	ck_assert_uint_eq(r.quality.known, TG_QUALITY_FROM | TG_QUALITY_REPORTED);
	ck_assert_int_eq(r.quality.far_lost, -2);
	ck_assert_uint_eq(r.quality.far_jitter_us, 1000);
	ck_assert_uint_eq(r.quality.mos_from_x100, 441);
	/* Its next leg knows nothing of that. */
	struct tg_leg_program p = program_to(ALICE_BE);
	ck_assert_int_eq(do_program(1, 2, &p), 0);
	ck_assert_uint_eq(f.legs.quality[1].figures.known, 0);
	ck_assert_uint_eq(dp_quality_sums(&f.legs, 1).received, 0);
	close_fixture();
}
END_TEST

TESTS("quality", sums_go_on_over_stints, another_source_begins_anew, scores, the_meter_record_has_the_figures)
