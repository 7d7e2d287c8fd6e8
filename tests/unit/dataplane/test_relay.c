#include "tests/unit/dataplane/fixture.h"

#include "dataplane/row.h"

static struct dp_outgoing out;

START_TEST(a_packet_of_alice_becomes_one_of_ours_for_bob)
{
	open_fixture();
	open_pair();
	struct dp_packet p = packet_for(1, 500, 90000);
	ck_assert(relay(&p, &out));
	ck_assert_uint_eq(out.flow.src_ip_be, GATEWAY_BE);
	ck_assert_uint_eq(out.flow.src_port_be, htobe16(20004));
	ck_assert_uint_eq(out.flow.dst_ip_be, BOB_BE);
	ck_assert_uint_eq(out.flow.dst_port_be, htobe16(4000));
	ck_assert_uint_eq(out.flow.dscp, 46);
	ck_assert_uint_eq(out.rtp.ssrc_be, htobe32(0x11223344));
	ck_assert_uint_eq(out.rtp.marker, 1);
	uint16_t seq = out.rtp.seq;
	uint32_t ts = out.rtp.ts;
	p = packet_for(1, 501, 90160);
	f.now += ms(20);
	ck_assert(relay(&p, &out));
	ck_assert_uint_eq(out.rtp.marker, 0);
	ck_assert_uint_eq(out.rtp.seq, (uint16_t)(seq + 1));
	ck_assert_uint_eq(out.rtp.ts, ts + 160);
	p.marker = 1;
	p.seq++;
	ck_assert(relay(&p, &out));
	ck_assert_uint_eq(out.rtp.marker, 1);
	struct tg_meter_record r = audit();
	ck_assert_uint_eq(r.counts.v[TG_METER_rx_packets], 3);
	ck_assert_uint_eq(r.counts.v[TG_METER_rx_octets], 516);
	ck_assert_uint_eq(r.counts.v[TG_METER_relayed_packets], 3);
	ck_assert_uint_eq(r.counts.v[TG_METER_relayed_octets], 516);
	close_fixture();
}
END_TEST

START_TEST(reasons_to_drop)
{
	open_fixture();
	open_pair();
	struct dp_packet p = packet_for(1, 1, 1);
	p.leg = 5;
	ck_assert(!relay(&p, &out));
	ck_assert_uint_eq(dropped(TG_DROP_unknown_port), 1);
	p = packet_for(1, 1, 1);
	p.src_port_be++;
	ck_assert(!relay(&p, &out));
	p = packet_for(1, 1, 1);
	p.src_ip_be++;
	ck_assert(!relay(&p, &out));
	ck_assert_uint_eq(dropped(TG_DROP_wrong_source), 2);
	p = packet_for(1, 1, 1);
	p.payload_type = 8;
	ck_assert(!relay(&p, &out));
	ck_assert_uint_eq(dropped(TG_DROP_payload_type), 1);
	p = packet_for(1, 1, 1);
	p.verdict = DP_DROP;
	p.drop = TG_DROP_bad_length;
	ck_assert(!relay(&p, &out));
	ck_assert_uint_eq(dropped(TG_DROP_bad_length), 1);
	p.drop = TG_DROP_fragment;
	ck_assert(!relay(&p, &out));
	p.verdict = DP_RTCP;
	ck_assert(!relay(&p, &out));
	ck_assert_uint_eq(dropped(TG_DROP_rtcp_ignored), 1);
	ck_assert_uint_eq(tg_counter_read(&f.legs.stats->rtcp), 1);
	p = packet_for(1, 1, 1); /* an event that is too short */
	p.payload_type = 101;
	p.payload_bytes = 3;
	ck_assert(!relay(&p, &out));
	ck_assert_uint_eq(dropped(TG_DROP_bad_rtp), 1);
	/* Charged: two sources, one payload type, one length, one event. */
	struct tg_meter_record r = audit();
	ck_assert_uint_eq(r.counts.v[TG_METER_dropped_packets], 5);
	ck_assert_uint_eq(r.counts.v[TG_METER_rx_packets], 0);
	close_fixture();
}
END_TEST

START_TEST(a_port_that_takes_nothing_and_a_neighbour_that_is_not_known)
{
	open_fixture();
	open_pair();
	struct dp_packet p = packet_for(1, 1, 160);
	ck_assert(dp_relay(&f.legs, &p, NULL, f.now, &out));
	dp_legs_not_sent(&f.legs, &(struct tg_sending_entry){.leg = out.leg, .as = out.as});
	ck_assert_uint_eq(dropped(TG_DROP_tx_full), 1);
	/* Without a link it is for the worker to let it wait (waiting.c). */
	atomic_store(&f.legs.hops.entry[f.legs.egress[2].next_hop].link, 0);
	p.seq++;
	ck_assert(dp_relay(&f.legs, &p, NULL, f.now, &out));
	ck_assert_uint_eq(out.link, 0);
	ck_assert_uint_eq(out.next_hop, f.legs.egress[2].next_hop);
	dp_legs_drop(&f.legs, TG_DROP_no_next_hop, out.leg);
	struct tg_meter_record r = audit();
	ck_assert_uint_eq(r.counts.v[TG_METER_rx_packets], 2);
	ck_assert_uint_eq(r.counts.v[TG_METER_relayed_packets], 0);
	ck_assert_uint_eq(r.counts.v[TG_METER_dropped_packets], 2);
	ck_assert_uint_eq(f.legs.ingress[1].dropped_packets, 2);
	close_fixture();
}
END_TEST

START_TEST(nobody_hears_it_and_it_is_counted)
{
	open_fixture();
	struct tg_leg_program a = program_to(ALICE_BE);
	do_program(1, 1, &a);
	struct dp_packet p = packet_for(1, 1, 160);
	ck_assert(!relay(&p, &out));
	struct tg_meter_record r = audit();
	ck_assert_uint_eq(r.counts.v[TG_METER_rx_packets], 1);
	ck_assert_uint_eq(r.counts.v[TG_METER_dropped_packets], 0);
	close_fixture();
}
END_TEST

START_TEST(a_latch_takes_who_goes_on_sending_what_was_negotiated)
{
	open_fixture();
	open_pair();
	struct tg_leg_program a = program_to(ALICE_BE);
	a.flags = TG_LEG_LATCH;
	ck_assert_int_eq(do_program(1, 1, &a), 0);
	news();
	struct dp_packet p = packet_for(1, 1, 160);
	p.src_port_be = htobe16(9999);
	p.payload_type = 55; /* not yet */
	ck_assert(!relay(&p, &out));
	ck_assert_uint_eq(f.legs.egress[1].latches, 0);
	p.payload_type = 0;
	p.src_ip_be = htobe32(0xc6120063); /* another host */
	ck_assert(!relay(&p, &out));
	ck_assert_uint_eq(f.legs.egress[1].latches, 0);
	p.src_ip_be = ALICE_BE;
	for (p.seq = 1; p.seq < DP_LATCH_PACKETS; p.seq++) {
		ck_assert(!relay(&p, &out));
		ck_assert_uint_eq(f.legs.egress[1].latches, 0);
	}
	ck_assert(relay(&p, &out));
	ck_assert_uint_eq(f.legs.egress[1].latches, 1);
	ck_assert_uint_eq(news(), 1);
	/* Once. */
	struct dp_packet other = packet_for(1, 9, 320);
	ck_assert(!relay(&other, &out));
	ck_assert_uint_eq(f.legs.egress[1].latches, 1);
	/* What alice is sent goes there now. */
	resolve(1);
	struct dp_packet back = packet_for(2, 1, 160);
	ck_assert(relay(&back, &out));
	ck_assert_uint_eq(out.flow.dst_ip_be, ALICE_BE);
	ck_assert_uint_eq(out.flow.dst_port_be, htobe16(9999));
	/* A hold that doesn't move the far end keeps it, another address does not. */
	a.flags |= TG_LEG_HOLD;
	ck_assert_int_eq(do_program(1, 1, &a), 0);
	ck_assert_uint_eq(f.legs.ingress[1].match_port_be, htobe16(9999));
	a.flags = TG_LEG_LATCH;
	a.remote_port_be++;
	ck_assert_int_eq(do_program(1, 1, &a), 0);
	ck_assert_uint_eq(f.legs.ingress[1].match_port_be, a.remote_port_be);
	for (p.seq = 9; p.seq < 8 + DP_LATCH_PACKETS; p.seq++)
		ck_assert(!relay(&p, &out));
	ck_assert(relay(&p, &out));
	ck_assert_uint_eq(f.legs.egress[1].latches, 2);
	close_fixture();
}
END_TEST

START_TEST(the_signalled_source_ends_the_search)
{
	open_fixture();
	open_pair();
	struct tg_leg_program a = program_to(ALICE_BE);
	a.flags = TG_LEG_LATCH;
	ck_assert_int_eq(do_program(1, 1, &a), 0);
	struct dp_packet stranger = packet_for(1, 1, 160), p = packet_for(1, 1, 160);
	stranger.src_port_be = htobe16(9999);
	for (stranger.seq = 1; stranger.seq < DP_LATCH_PACKETS; stranger.seq++)
		ck_assert(!relay(&stranger, &out));
	ck_assert(relay(&p, &out));
	for (int i = 0; i < 2 * DP_LATCH_PACKETS; i++, stranger.seq++)
		ck_assert(!relay(&stranger, &out));
	ck_assert_uint_eq(f.legs.ingress[1].match_port_be, a.remote_port_be);
	ck_assert_uint_eq(dropped(TG_DROP_wrong_source), 3 * DP_LATCH_PACKETS - 1);
	close_fixture();
}
END_TEST

START_TEST(a_leg_without_a_far_end_accepts_nothing_but_a_latch)
{
	open_fixture();
	struct tg_leg_program a = program_to(0);
	a.remote_port_be = 0;
	ck_assert_int_eq(do_program(1, 1, &a), 0);
	struct dp_packet p = packet_for(1, 1, 160);
	ck_assert(!relay(&p, &out));
	ck_assert_uint_eq(dropped(TG_DROP_wrong_source), 1);
	a.flags = TG_LEG_LATCH;
	ck_assert_int_eq(do_program(1, 1, &a), 0);
	for (p.seq = 1; p.seq <= DP_LATCH_PACKETS; p.seq++) {
		ck_assert_uint_eq(f.legs.ingress[1].match_ip_be, 0);
		relay(&p, &out);
	}
	ck_assert_uint_eq(f.legs.ingress[1].match_ip_be, ALICE_BE);
	close_fixture();
}
END_TEST

START_TEST(digits_are_taken_once_and_sent_on)
{
	open_fixture();
	open_pair();
	news();
	struct dp_packet p = packet_for(1, 1, 160);
	relay(&p, &out);
	for (uint16_t i = 0; i < 5; i++) {
		p = packet_for(1, (uint16_t)(2 + i), 320);
		ck_assert(relay_event(p, 11, (uint16_t)(160 * (i + 1)), &out));
		ck_assert_uint_eq(out.rtp.payload_type, 101);
	}
	ck_assert_uint_eq(f.legs.egress[1].digit_count, 1);
	ck_assert_int_eq(f.legs.egress[1].digits[0], '#');
	ck_assert_uint_eq(news(), 1);
	struct tg_meter_record r = audit();
	ck_assert_uint_eq(r.counts.v[TG_METER_digits], 1);
	ck_assert_uint_eq(r.counts.v[TG_METER_rx_packets], 6);
	close_fixture();
}
END_TEST

START_TEST(events_are_mapped_or_left_out_without_a_gap)
{
	open_fixture();
	open_pair();
	struct tg_leg_program b = program_to(BOB_BE);
	b.tx.event = 96;
	do_program(2, 1, &b);
	struct dp_packet p = packet_for(1, 1, 160);
	ck_assert(relay(&p, &out));
	uint16_t seq = out.rtp.seq;
	uint32_t ts = out.rtp.ts;
	ck_assert(relay_event(packet_for(1, 2, 320), 1, 160, &out));
	ck_assert_uint_eq(out.rtp.payload_type, 96);
	ck_assert_uint_eq(out.rtp.ts, ts + 160);
	b.tx.event = 255;
	do_program(2, 1, &b);
	for (uint16_t i = 3; i < 8; i++)
		ck_assert(!relay_event(packet_for(1, i, 1000), 2, 160, &out));
	p = packet_for(1, 8, 1800);
	ck_assert(relay(&p, &out));
	ck_assert_uint_eq(out.rtp.seq, (uint16_t)(seq + 2));
	ck_assert_uint_eq(out.rtp.ts, ts + 1640);
	ck_assert_uint_eq(f.legs.egress[1].digit_count, 2);
	audit();
	close_fixture();
}
END_TEST

START_TEST(hold_sends_nothing_and_the_stream_goes_on_afterwards)
{
	open_fixture();
	open_pair();
	struct tg_leg_program b = program_to(BOB_BE);
	struct dp_packet p = packet_for(1, 1, 160);
	ck_assert(relay(&p, &out));
	uint16_t seq = out.rtp.seq;
	uint32_t ts = out.rtp.ts;
	b.flags = TG_LEG_HOLD;
	do_program(2, 1, &b);
	for (uint16_t i = 2; i < 102; i++) {
		p = packet_for(1, i, i * 160u);
		f.now += ms(20);
		ck_assert(!relay(&p, &out));
	}
	b.flags = 0;
	do_program(2, 1, &b);
	p = packet_for(1, 102, 102 * 160);
	f.now += ms(20);
	ck_assert(relay(&p, &out));
	ck_assert_uint_eq(out.rtp.seq, (uint16_t)(seq + 1));
	ck_assert_uint_le(out.rtp.ts + 2 - (ts + 101 * 160), 4);
	ck_assert_uint_eq(out.rtp.marker, 1);
	close_fixture();
}
END_TEST

START_TEST(a_new_ssrc_of_the_far_end_does_not_show)
{
	open_fixture();
	open_pair();
	struct dp_packet p = packet_for(1, 1, 160);
	ck_assert(relay(&p, &out));
	uint16_t seq = out.rtp.seq;
	uint32_t ts = out.rtp.ts;
	f.now += ms(100);
	p = packet_for(1, 40000, 0xfffffff0);
	p.ssrc = 8;
	ck_assert(relay(&p, &out));
	ck_assert_uint_eq(out.rtp.seq, (uint16_t)(seq + 1));
	ck_assert_uint_le(out.rtp.ts - ts - 799, 2);
	ck_assert_uint_eq(out.rtp.marker, 1);
	ck_assert_uint_eq(out.rtp.ssrc_be, htobe32(0x11223344));
	/* The same SSRC, restarted. */
	p = packet_for(1, 20, 5);
	p.ssrc = 8;
	ck_assert(relay(&p, &out));
	ck_assert_uint_eq(out.rtp.seq, (uint16_t)(seq + 2));
	close_fixture();
}
END_TEST

START_TEST(a_change_of_source_does_not_show)
{
	open_fixture();
	open_pair();
	struct tg_leg_program c = program_to(htobe32(0xc612001e));
	ck_assert_int_eq(do_program(3, 1, &c), 0);
	struct dp_packet p = packet_for(1, 1000, 5000);
	ck_assert(relay(&p, &out));
	uint16_t seq = out.rtp.seq;
	uint32_t ts = out.rtp.ts;
	/* Bob hears the third one from here on. */
	ck_assert_int_eq(do_source(2, 1, relay_from(3)), 0);
	p = packet_for(1, 1001, 5160);
	ck_assert(!relay(&p, &out));
	f.now += ms(60);
	p = packet_for(3, 7, 77);
	p.src_ip_be = htobe32(0xc612001e);
	ck_assert(relay(&p, &out));
	ck_assert_uint_eq(out.rtp.seq, (uint16_t)(seq + 1));
	ck_assert_uint_le(out.rtp.ts - ts - 479, 2);
	ck_assert_uint_eq(out.rtp.marker, 1);
	ck_assert_uint_eq(out.flow.dst_ip_be, BOB_BE);
	/* A late packet of the new source, from before it was heard, isn't sent. */
	p.seq = 6;
	ck_assert(!relay(&p, &out));
	ck_assert_uint_eq(f.legs.ingress[1].sink, TG_NONE);
	ck_assert_uint_eq(f.legs.egress[2].feeder, 3);
	audit();
	close_fixture();
}
END_TEST

START_TEST(another_codec_goes_nowhere)
{
	open_fixture();
	open_pair();
	struct tg_leg_program b = program_to(BOB_BE);
	b.tx.audio = 8;
	do_program(2, 1, &b);
	struct dp_packet p = packet_for(1, 1, 160);
	ck_assert(!relay(&p, &out));
	struct tg_leg_program a = program_to(ALICE_BE);
	a.rx.audio = 8;
	do_program(1, 1, &a);
	p.payload_type = 8;
	p.seq++;
	ck_assert(relay(&p, &out));
	ck_assert_uint_eq(out.rtp.payload_type, 8);
	close_fixture();
}
END_TEST

START_TEST(a_leg_can_hear_itself)
{
	open_fixture();
	struct tg_leg_program a = program_to(ALICE_BE);
	do_program(1, 1, &a);
	resolve(1);
	ck_assert_int_eq(do_source(1, 1, relay_from(1)), 0);
	struct dp_packet p = packet_for(1, 1, 160);
	ck_assert(relay(&p, &out));
	ck_assert_uint_eq(out.flow.dst_ip_be, ALICE_BE);
	ck_assert_int_eq(do_plain(TG_CMD_RELEASE, 1, 1, 0), 0);
	struct tg_meter_record r = next_record();
	ck_assert_uint_eq(r.counts.v[TG_METER_relayed_packets], 1);
	ck_assert_uint_eq(r.counts.v[TG_METER_rx_packets], 1);
	audit();
	close_fixture();
}
END_TEST

/* A ring that was full: what it held, a hole, and then what comes now. */
START_TEST(a_backlog_is_counted_and_not_relayed)
{
	open_fixture();
	open_pair();
	struct dp_packet p = packet_for(1, 100, 160);
	ck_assert(relay(&p, &out));
	uint16_t seq = out.rtp.seq;
	dp_legs_close(&f.legs);
	ck_assert_int_eq(dp_legs_open(&f.legs, f.region, 0), 0);
	f.now += ms(300);
	static const uint8_t digit[16] = {0x80, 101, [12] = 5, 0x80 | 10, 3, 32}; /* the end of a 5 */
	for (uint16_t i = 0; i < 20; i++) {
		p = packet_for(1, (uint16_t)(105 + i), 160u * i);
		dp_relay_discard(&f.legs, &p, digit, f.now);
	}
	p = packet_for(1, 125, 160 * 25);
	p.payload_type = 101;
	p.rtp_bytes = 16;
	p.payload_bytes = 4;
	dp_relay_discard(&f.legs, &p, digit, f.now);
	p = packet_for(1, 126, 160 * 26);
	p.src_ip_be = BOB_BE;
	dp_relay_discard(&f.legs, &p, digit, f.now);
	ck_assert_uint_eq(dropped(TG_DROP_backlog), 21);
	ck_assert_uint_eq(dropped(TG_DROP_wrong_source), 1);
	ck_assert_uint_eq(f.legs.egress[1].digit_count, 1);
	ck_assert_int_eq(f.legs.egress[1].digits[0], '5');
	p = packet_for(1, 400, 160 * 300);
	f.now += ms(1);
	ck_assert(relay(&p, &out));
	ck_assert_uint_eq(out.rtp.seq, (uint16_t)(seq + 1));
	ck_assert_uint_eq(out.rtp.marker, 1);
	ck_assert_int_eq(do_plain(TG_CMD_STINT, 1, 1, 2), 0);
	struct tg_meter_record r = next_record();
	ck_assert_uint_eq(r.counts.v[TG_METER_rx_packets], 23);
	ck_assert_uint_eq(r.counts.v[TG_METER_dropped_packets], 22);
	ck_assert_uint_eq(r.counts.v[TG_METER_digits], 1);
	ck_assert_int_eq(do_plain(TG_CMD_STINT, 2, 1, 2), 0);
	ck_assert_uint_eq(next_record().counts.v[TG_METER_relayed_packets], 2);
	audit();
	close_fixture();
}
END_TEST

TESTS("relay", a_backlog_is_counted_and_not_relayed, a_packet_of_alice_becomes_one_of_ours_for_bob,
	reasons_to_drop, a_port_that_takes_nothing_and_a_neighbour_that_is_not_known,
	nobody_hears_it_and_it_is_counted, a_latch_takes_who_goes_on_sending_what_was_negotiated,
	the_signalled_source_ends_the_search, a_leg_without_a_far_end_accepts_nothing_but_a_latch,
	digits_are_taken_once_and_sent_on, events_are_mapped_or_left_out_without_a_gap,
	hold_sends_nothing_and_the_stream_goes_on_afterwards, a_new_ssrc_of_the_far_end_does_not_show,
	a_change_of_source_does_not_show, another_codec_goes_nowhere, a_leg_can_hear_itself)
