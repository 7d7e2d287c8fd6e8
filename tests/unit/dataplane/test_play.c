#include "tests/unit/dataplane/fixture.h"

static struct dp_outgoing out;
static const uint8_t *frame;

static void start(uint32_t frames, uint32_t ready, enum tg_media_state state)
{
	open_fixture();
	struct tg_leg_program a = program_to(ALICE_BE);
	ck_assert_int_eq(do_program(1, 1, &a), 0);
	resolve(1);
	make_item(0, frames, ready, state);
	dp_wheel_advance(&f.legs.wheel, f.now);
}

static void play_it(struct tg_leg_source s)
{
	ck_assert_int_eq(do_source(1, 1, s), 0);
}

START_TEST(every_frame_once_in_order_then_done)
{
	start(5, 5, TG_MEDIA_READY);
	play_it(play_of(0, 77));
	news();
	uint16_t seq = 0;
	uint32_t ts = 0;
	f.now += ms(1);
	for (uint32_t i = 0; i < 5; i++, f.now += ms(20)) {
		ck_assert_uint_eq(f.legs.egress[1].play_done, 0);
		ck_assert_uint_eq(play_now(&out, &frame), 1);
		ck_assert_uint_eq(frame[0], i);
		ck_assert_uint_eq(out.rtp_bytes, 172);
		ck_assert_uint_eq(out.rtp.marker, i == 0);
		ck_assert_uint_eq(out.flow.dst_ip_be, ALICE_BE);
		ck_assert_uint_eq(out.flow.src_port_be, htobe16(20002));
		if (i)
			ck_assert(out.rtp.seq == (uint16_t)(seq + 1) && out.rtp.ts == ts + 160);
		seq = out.rtp.seq;
		ts = out.rtp.ts;
	}
	ck_assert_uint_eq(f.legs.egress[1].play_done, 77);
	ck_assert_uint_eq(f.legs.egress[1].play_stopped, 0);
	ck_assert_uint_eq(news(), 1);
	ck_assert_uint_eq(play_now(&out, &frame), 0);
	ck_assert_uint_eq(f.legs.wheel.active, 0);
	struct tg_meter_record r = audit();
	ck_assert_uint_eq(r.counts.v[TG_METER_played_packets], 5);
	ck_assert_uint_eq(r.counts.v[TG_METER_played_octets], 860);
	close_fixture();
}
END_TEST

START_TEST(loops_and_a_first_frame)
{
	start(4, 4, TG_MEDIA_READY);
	struct tg_leg_source s = play_of(0, 1);
	s.loops = 3;
	s.start_frame = 2;
	play_it(s);
	static const uint8_t wanted[] = {2, 3, 0, 1, 2, 3, 0, 1, 2, 3};
	f.now += ms(1);
	for (size_t i = 0; i < sizeof(wanted); i++, f.now += ms(20)) {
		ck_assert_uint_eq(play_now(&out, &frame), 1);
		ck_assert_uint_eq(frame[0], wanted[i]);
	}
	ck_assert_uint_eq(f.legs.egress[1].play_done, 1);
	close_fixture();
}
END_TEST

START_TEST(one_play_follows_another_without_a_gap)
{
	start(2, 2, TG_MEDIA_READY);
	play_it(play_of(0, 1));
	f.now += ms(1);
	play_now(&out, &frame);
	f.now += ms(20);
	play_now(&out, &frame);
	uint32_t ts = out.rtp.ts;
	uint16_t seq = out.rtp.seq;
	ck_assert_uint_eq(f.legs.egress[1].play_done, 1);
	f.now += ms(3); /* the control plane's answer */
	play_it(play_of(0, 2));
	ck_assert_uint_eq(play_now(&out, &frame), 0);
	f.now += ms(18);
	ck_assert_uint_eq(play_now(&out, &frame), 1);
	ck_assert_uint_eq(out.rtp.ts, ts + 160);
	ck_assert_uint_eq(out.rtp.seq, (uint16_t)(seq + 1));
	close_fixture();
}
END_TEST

START_TEST(frames_that_are_not_there_yet_are_waited_for_in_silence)
{
	start(10, 2, TG_MEDIA_FILLING);
	play_it(play_of(0, 1));
	f.now += ms(1);
	play_now(&out, &frame);
	f.now += ms(20);
	ck_assert_uint_eq(play_now(&out, &frame), 1);
	uint32_t ts = out.rtp.ts;
	uint16_t seq = out.rtp.seq;
	for (int i = 0; i < 3; i++) {
		f.now += ms(20);
		ck_assert_uint_eq(play_now(&out, &frame), 0);
	}
	atomic_store(&f.legs.media[0].frames_ready, 3);
	atomic_store(&f.legs.media[0].state, TG_MEDIA_READY);
	f.now += ms(20);
	ck_assert_uint_eq(play_now(&out, &frame), 1);
	ck_assert_uint_eq(frame[0], 2);
	ck_assert_uint_eq(out.rtp.seq, (uint16_t)(seq + 1));
	ck_assert_uint_le(out.rtp.ts - ts - 639, 2);
	ck_assert_uint_eq(f.legs.egress[1].play_done, 1);
	close_fixture();
}
END_TEST

static void ends_when(void (*change)(struct tg_media_item *))
{
	start(10, 10, TG_MEDIA_READY);
	play_it(play_of(0, 9));
	f.now += ms(1);
	play_now(&out, &frame);
	change(&f.legs.media[0]);
	f.now += ms(20);
	ck_assert_uint_eq(play_now(&out, &frame), 0);
	ck_assert_uint_eq(f.legs.egress[1].play_done, 9);
	ck_assert_int_eq(f.legs.egress[1].source, TG_SOURCE_NONE);
	close_fixture();
}

static void retire(struct tg_media_item *m)
{
	atomic_store(&m->state, TG_MEDIA_RETIRED);
}

static void reuse(struct tg_media_item *m)
{
	atomic_store(&m->generation, 2);
}

static void damage(struct tg_media_item *m)
{
	m->offset = UINT64_MAX - 10;
}

static void recode(struct tg_media_item *m)
{
	m->codec = 8;
}

START_TEST(an_item_that_goes_away_ends_the_play)
{
	ends_when(retire);
	ends_when(reuse);
	ends_when(damage);
	ends_when(recode);
}
END_TEST

START_TEST(an_empty_item_and_a_start_behind_the_end_are_over_at_once)
{
	start(0, 0, TG_MEDIA_READY);
	play_it(play_of(0, 3));
	f.now += ms(1);
	ck_assert_uint_eq(play_now(&out, &frame), 0);
	ck_assert_uint_eq(f.legs.egress[1].play_done, 3);
	close_fixture();
	start(3, 3, TG_MEDIA_READY);
	struct tg_leg_source s = play_of(0, 4);
	s.start_frame = 99;
	play_it(s);
	f.now += ms(1);
	ck_assert_uint_eq(play_now(&out, &frame), 0);
	ck_assert_uint_eq(f.legs.egress[1].play_done, 4);
	close_fixture();
}
END_TEST

START_TEST(a_digit_stops_it_where_it_may)
{
	start(100, 100, TG_MEDIA_READY);
	struct tg_leg_source s = play_of(0, 5);
	play_it(s);
	f.now += ms(1);
	play_now(&out, &frame);
	struct dp_outgoing none;
	relay_event(packet_for(1, 1, 1000), 3, 160, &none);
	ck_assert_int_eq(f.legs.egress[1].source, TG_SOURCE_PLAY);
	s = play_of(0, 6);
	s.stop_on_digit = 1;
	play_it(s);
	relay_event(packet_for(1, 2, 1000), 3, 320, &none); /* still the same digit */
	ck_assert_int_eq(f.legs.egress[1].source, TG_SOURCE_PLAY);
	relay_event(packet_for(1, 3, 9000), 4, 160, &none);
	ck_assert_int_eq(f.legs.egress[1].source, TG_SOURCE_NONE);
	ck_assert_uint_eq(f.legs.egress[1].play_done, 6);
	ck_assert_uint_eq(f.legs.egress[1].play_stopped, 1);
	ck_assert_uint_eq(f.legs.egress[1].digit_count, 2);
	f.now += ms(50);
	ck_assert_uint_eq(play_now(&out, &frame), 0);
	close_fixture();
}
END_TEST

START_TEST(on_hold_it_goes_on_unheard)
{
	start(10, 10, TG_MEDIA_READY);
	play_it(play_of(0, 1));
	f.now += ms(1);
	play_now(&out, &frame);
	uint16_t seq = out.rtp.seq;
	uint32_t ts = out.rtp.ts;
	struct tg_leg_program a = program_to(ALICE_BE);
	a.flags = TG_LEG_HOLD;
	do_program(1, 1, &a);
	for (int i = 0; i < 4; i++) {
		f.now += ms(20);
		ck_assert_uint_eq(play_now(&out, &frame), 0);
	}
	a.flags = 0;
	do_program(1, 1, &a);
	f.now += ms(20);
	ck_assert_uint_eq(play_now(&out, &frame), 1);
	ck_assert_uint_eq(frame[0], 5);
	ck_assert_uint_eq(out.rtp.seq, (uint16_t)(seq + 1));
	ck_assert_uint_le(out.rtp.ts - ts - 799, 2);
	ck_assert_uint_eq(audit().counts.v[TG_METER_played_packets], 2);
	close_fixture();
}
END_TEST

START_TEST(a_play_waits_for_its_next_hop_but_not_for_ever)
{
	start(3, 3, TG_MEDIA_READY);
	_Atomic uint64_t *link = &f.legs.hops.entry[f.legs.egress[1].next_hop].link;
	uint64_t known = *link;
	atomic_store(link, 0);
	play_it(play_of(0, 1));
	f.now += ms(1);
	for (int i = 0; i < 10; i++, f.now += ms(20))
		ck_assert_uint_eq(play_now(&out, &frame), 0);
	atomic_store(link, known);
	ck_assert_uint_eq(play_now(&out, &frame), 1);
	ck_assert_uint_eq(frame[0], 0);
	ck_assert_uint_eq(dropped(TG_DROP_no_next_hop), 0);
	atomic_store(link, 0);
	play_it(play_of(0, 2));
	for (int i = 0; i < 40; i++, f.now += ms(20))
		ck_assert_uint_eq(play_now(&out, &frame), 0);
	ck_assert_uint_eq(f.legs.egress[1].play_done, 2);
	ck_assert_uint_eq(dropped(TG_DROP_no_next_hop), 3);
	ck_assert_uint_eq(audit().counts.v[TG_METER_dropped_packets], 3);
	close_fixture();
}
END_TEST

START_TEST(from_relay_to_play_and_back_it_is_one_stream)
{
	open_fixture();
	open_pair();
	make_item(0, 3, 3, TG_MEDIA_READY);
	uint32_t next = 0;
	struct dp_packet p = packet_for(2, 100, 1600);
	ck_assert(relay(&p, &out));
	next = out.rtp.seq + 1u;
	uint32_t ts = out.rtp.ts;
	f.now += ms(5);
	ck_assert_int_eq(do_source(1, 1, play_of(0, 1)), 0);
	ck_assert_uint_eq(play_now(&out, &frame), 0); /* a frame after the last one, not at once */
	f.now += ms(16);
	for (uint32_t i = 0; i < 3; i++, f.now += ms(20)) {
		ck_assert_uint_eq(play_now(&out, &frame), 1);
		ck_assert_uint_eq(out.rtp.seq, (uint16_t)next++);
		ck_assert_uint_eq(out.rtp.marker, i == 0);
		ck_assert_uint_eq(out.rtp.ts, ts + 160 * (i + 1));
	}
	ck_assert_int_eq(do_source(1, 1, relay_from(2)), 0);
	p = packet_for(2, 105, 2400);
	ck_assert(relay(&p, &out));
	ck_assert_uint_eq(out.rtp.seq, (uint16_t)next);
	ck_assert_uint_eq(out.rtp.marker, 1);
	audit();
	close_fixture();
}
END_TEST

START_TEST(late_frames_are_told)
{
	start(10, 10, TG_MEDIA_READY);
	play_it(play_of(0, 1));
	f.now += ms(1);
	play_now(&out, &frame);
	ck_assert_uint_eq(tg_counter_read(&f.legs.stats->plays_late), 0);
	f.now += ms(29);
	play_now(&out, &frame);
	ck_assert_uint_eq(tg_counter_read(&f.legs.stats->plays_late), 1);
	close_fixture();
}
END_TEST

TESTS("play", every_frame_once_in_order_then_done, loops_and_a_first_frame,
	one_play_follows_another_without_a_gap, frames_that_are_not_there_yet_are_waited_for_in_silence,
	an_item_that_goes_away_ends_the_play, an_empty_item_and_a_start_behind_the_end_are_over_at_once,
	a_digit_stops_it_where_it_may, on_hold_it_goes_on_unheard,
	a_play_waits_for_its_next_hop_but_not_for_ever, from_relay_to_play_and_back_it_is_one_stream,
	late_frames_are_told)
