/* Legs of both families on one worker: who is accepted, and where what they send goes. */
#include "dataplane/quality.h"
#include "dataplane/row.h"
#include "dataplane/rtcp.h"
#include "dataplane/rtcp_read.h"
#include "tests/unit/dataplane/fixture.h"

/* Legs 1 (IPv4, alice), LEGS and LEGS + 1 (IPv6). */
#define CAROL_LEG LEGS
#define DAVE_LEG  (LEGS + 1)

static const uint8_t gateway[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = 2};
static const uint8_t carol[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = 10};
static const uint8_t dave[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = 20};
static const uint8_t eve[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = 0x66};
static struct dp_outgoing out;

static struct tg_leg_program program6(const uint8_t ip[16])
{
	struct tg_leg_program p = program_to(ALICE_BE);
	p.remote = tg_addr_ipv6(ip);
	p.dscp = 34;
	return p;
}

static struct dp_packet packet6(uint32_t leg, const uint8_t source[16], uint16_t seq)
{
	struct dp_packet p = packet_for(leg, seq, seq * 160u);
	p.src_ip_be = 0;
	p.src_ip6 = source;
	return p;
}

static void open_bridge(
	uint32_t a, const struct tg_leg_program *pa, uint32_t b, const struct tg_leg_program *pb)
{
	open_dual_fixture();
	ck_assert_int_eq(do_program(a, 1, pa), 0);
	ck_assert_int_eq(do_program(b, 1, pb), 0);
	resolve(a);
	resolve(b);
	ck_assert_int_eq(do_source(a, 1, relay_from(b)), 0);
	ck_assert_int_eq(do_source(b, 1, relay_from(a)), 0);
}

static void is_to(const uint8_t ip[16], uint8_t dscp)
{
	ck_assert_ptr_nonnull(out.flow.src_ip6);
	ck_assert_mem_eq(out.flow.src_ip6, gateway, 16);
	ck_assert_mem_eq(out.flow.dst_ip6, ip, 16);
	ck_assert_uint_eq(out.flow.dst_port_be, htobe16(4000));
	ck_assert_uint_eq(out.flow.dscp, dscp);
}

START_TEST(between_two_ipv6_legs)
{
	struct tg_leg_program c = program6(carol), d = program6(dave);
	open_bridge(CAROL_LEG, &c, DAVE_LEG, &d);
	struct dp_packet p = packet6(CAROL_LEG, carol, 1);
	ck_assert(relay(&p, &out));
	is_to(dave, 34);
	ck_assert_uint_eq(out.flow.src_port_be, htobe16(20002));
	p = packet6(DAVE_LEG, dave, 1);
	ck_assert(relay(&p, &out));
	is_to(carol, 34);
	ck_assert_uint_eq(audit().total.v[TG_METER_relayed_packets], 2);
	close_fixture();
}
END_TEST

START_TEST(from_ipv4_to_ipv6_and_back)
{
	struct tg_leg_program a = program_to(ALICE_BE), c = program6(carol);
	open_bridge(1, &a, CAROL_LEG, &c);
	struct dp_packet p = packet_for(1, 1, 160);
	ck_assert(relay(&p, &out));
	is_to(carol, 34);
	p = packet6(CAROL_LEG, carol, 1);
	ck_assert(relay(&p, &out));
	ck_assert_ptr_null(out.flow.src_ip6);
	ck_assert_uint_eq(out.flow.src_ip_be, GATEWAY_BE);
	ck_assert_uint_eq(out.flow.dst_ip_be, ALICE_BE);
	ck_assert_uint_eq(out.flow.dscp, 46);
	/* The callee moves, and gets another class. */
	c.remote = tg_addr_ipv6(dave);
	c.dscp = 0;
	ck_assert_int_eq(do_program(CAROL_LEG, 1, &c), 0);
	p = packet_for(1, 2, 320);
	ck_assert(relay(&p, &out));
	is_to(dave, 0);
	close_fixture();
}
END_TEST

START_TEST(only_the_whole_address_is_the_far_ends)
{
	struct tg_leg_program c = program6(carol), d = program6(dave);
	open_bridge(CAROL_LEG, &c, DAVE_LEG, &d);
	uint64_t before = dropped(TG_DROP_wrong_source);
	for (int bit = 0; bit < 128; bit++) {
		uint8_t other[16];
		memcpy(other, carol, 16);
		other[bit / 8] ^= (uint8_t)(1 << bit % 8);
		struct dp_packet p = packet6(CAROL_LEG, other, 1);
		ck_assert(!relay(&p, &out));
	}
	struct dp_packet p = packet6(CAROL_LEG, carol, 1);
	p.src_port_be = htobe16(4002);
	ck_assert(!relay(&p, &out));
	ck_assert_uint_eq(dropped(TG_DROP_wrong_source) - before, 129);
	close_fixture();
}
END_TEST

START_TEST(a_leg_that_was_used_before_has_nobodys_address)
{
	open_dual_fixture();
	struct tg_leg_program c = program6(carol), none = c;
	none.remote = (struct tg_addr){.family = TG_FAMILY_NONE};
	none.remote_port_be = 0;
	none.flags = TG_LEG_LATCH;
	ck_assert_int_eq(do_program(CAROL_LEG, 1, &c), 0);
	ck_assert_int_eq(do_plain(TG_CMD_RELEASE, CAROL_LEG, 1, 0), 0);
	ck_assert_int_eq(do_program(CAROL_LEG, 2, &none), 0);
	ck_assert_uint_eq(dp_leg_far_end(&f.legs, CAROL_LEG).family, TG_FAMILY_NONE);
	for (uint16_t seq = 1; seq < 10; seq++) {
		struct dp_packet p = packet6(CAROL_LEG, carol, seq);
		ck_assert(!relay(&p, &out));
	}
	ck_assert_uint_eq(f.legs.ingress[CAROL_LEG].match_port_be, 0);
	close_fixture();
}
END_TEST

START_TEST(a_latch_takes_another_port_of_the_same_host)
{
	struct tg_leg_program c = program6(carol), d = program6(dave);
	c.flags = TG_LEG_LATCH;
	open_bridge(CAROL_LEG, &c, DAVE_LEG, &d);
	struct dp_packet p;
	for (uint16_t seq = 1; seq <= DP_LATCH_PACKETS; seq++) {
		p = packet6(CAROL_LEG, eve, seq);
		ck_assert(!relay(&p, &out));
	}
	for (uint16_t seq = 1; seq <= DP_LATCH_PACKETS; seq++) {
		p = packet6(CAROL_LEG, carol, seq);
		p.src_port_be = htobe16(4444);
		relay(&p, &out);
	}
	ck_assert(f.legs.ingress[CAROL_LEG].flags & DP_ROW_LATCHED);
	p = packet6(DAVE_LEG, dave, 1);
	ck_assert(relay(&p, &out));
	ck_assert_uint_eq(out.flow.dst_port_be, htobe16(4444));
	ck_assert_mem_eq(out.flow.dst_ip6, carol, 16);
	close_fixture();
}
END_TEST

START_TEST(a_play_goes_to_ipv6)
{
	struct tg_leg_program c = program6(carol);
	const uint8_t *frame;
	open_dual_fixture();
	make_item(0, 3, 3, TG_MEDIA_READY);
	ck_assert_int_eq(do_program(CAROL_LEG, 1, &c), 0);
	resolve(CAROL_LEG);
	ck_assert_int_eq(do_source(CAROL_LEG, 1, play_of(0, 1)), 0);
	for (int i = 0; i < 3; i++) {
		f.now += ms(20);
		ck_assert_uint_eq(play_now(&out, &frame), 1);
		is_to(carol, 34);
	}
	close_fixture();
}
END_TEST

START_TEST(a_program_is_of_the_legs_family)
{
	open_dual_fixture();
	struct tg_leg_program a = program_to(ALICE_BE), c = program6(carol);
	ck_assert_int_eq(do_program(1, 1, &c), TG_REFUSED_PROGRAM);
	ck_assert_int_eq(do_program(CAROL_LEG, 1, &a), TG_REFUSED_PROGRAM);
	static const uint8_t bad[][16] = {
		{0}, {0xff, 0x02, [15] = 1}, {0xfe, 0x80, [15] = 1}, {[10] = 0xff, [11] = 0xff, [12] = 1}};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct tg_leg_program p = program6(bad[i]);
		ck_assert_int_eq(do_program(CAROL_LEG, 1, &p), TG_REFUSED_PROGRAM);
	}
	c.dscp = 64;
	ck_assert_int_eq(do_program(CAROL_LEG, 1, &c), TG_REFUSED_PROGRAM);
	c.dscp = 63;
	ck_assert_int_eq(do_program(CAROL_LEG, 1, &c), 0);
	close_fixture();
}
END_TEST

START_TEST(a_successor_goes_on_with_both_families)
{
	struct tg_leg_program a = program_to(ALICE_BE), c = program6(carol);
	open_bridge(1, &a, CAROL_LEG, &c);
	struct dp_packet p = packet_for(1, 1, 160);
	ck_assert(relay(&p, &out));
	detach_legs();
	attach_legs();
	resolve(1);
	resolve(CAROL_LEG);
	p = packet_for(1, 2, 320);
	ck_assert(relay(&p, &out));
	is_to(carol, 34);
	p = packet6(CAROL_LEG, carol, 1);
	ck_assert(relay(&p, &out));
	ck_assert_uint_eq(out.flow.dst_ip_be, ALICE_BE);
	audit();
	close_fixture();
}
END_TEST

/* What is due within 10 s, or no bytes. */
static uint32_t next_report(uint8_t bytes[static DP_RTCP_BYTES_MAX])
{
	for (int waited = 0; waited < 10000; waited++, f.now += ms(1)) {
		uint32_t budget = 10;
		if (dp_rtcp_next(&f.legs, f.now, &budget, &out, bytes))
			return out.rtp_bytes;
	}
	return 0;
}

static bool takes_report_from(const uint8_t source[16])
{
	uint8_t bytes[DP_RTCP_BYTES_MAX];
	struct dp_rtcp_report r = {.ssrc = 7};
	struct dp_packet p = {
		.verdict = DP_RTCP, .leg = CAROL_LEG, .src_ip6 = source, .src_port_be = htobe16(4001)};
	uint64_t before = tg_counter_read(&f.legs.stats->rtcp_received);
	p.rtp_bytes = (uint16_t)dp_rtcp_write(bytes, &r);
	ck_assert(!dp_relay(&f.legs, &p, bytes, f.now, &out));
	return tg_counter_read(&f.legs.stats->rtcp_received) != before;
}

START_TEST(reports_go_to_ipv6_and_come_from_there)
{
	uint8_t bytes[DP_RTCP_BYTES_MAX];
	struct tg_leg_program c = program6(carol);
	c.rtcp_port_be = htobe16(4001);
	open_dual_fixture();
	ck_assert_int_eq(do_program(CAROL_LEG, 1, &c), 0);
	resolve(CAROL_LEG);
	ck_assert_uint_ne(next_report(bytes), 0);
	ck_assert_mem_eq(out.flow.src_ip6, gateway, 16);
	ck_assert_mem_eq(out.flow.dst_ip6, carol, 16);
	ck_assert_uint_eq(out.flow.src_port_be, htobe16(20001));
	ck_assert_uint_eq(out.flow.dst_port_be, htobe16(4001));
	ck_assert_uint_eq(out.flow.dscp, 34);
	/* An empty RR and SDES, 8 + 8 + 28 bytes, with the headers of IPv6. */
	ck_assert_uint_ge(f.legs.quality[CAROL_LEG].average_octets, 48 + 8);
	uint64_t before = dropped(TG_DROP_rtcp_source);
	for (int bit = 0; bit < 128; bit++) {
		uint8_t other[16];
		memcpy(other, carol, 16);
		other[bit / 8] ^= (uint8_t)(1 << bit % 8);
		ck_assert(!takes_report_from(other));
	}
	ck_assert_uint_eq(dropped(TG_DROP_rtcp_source) - before, 128);
	ck_assert(takes_report_from(carol));
	close_fixture();
}
END_TEST

START_TEST(a_goodbye_goes_to_whom_it_is_for)
{
	uint8_t bytes[DP_RTCP_BYTES_MAX];
	struct dp_rtcp_seen seen;
	struct tg_leg_program c = program6(carol), d = program6(dave);
	c.rtcp_port_be = d.rtcp_port_be = htobe16(4001);
	open_dual_fixture();
	ck_assert_int_eq(do_program(CAROL_LEG, 1, &c), 0);
	resolve(CAROL_LEG);
	ck_assert_uint_ne(next_report(bytes), 0);
	ck_assert_int_eq(do_plain(TG_CMD_RELEASE, CAROL_LEG, 1, 0), 0);
	ck_assert_int_eq(do_program(CAROL_LEG, 2, &d), 0); /* before it is sent */
	uint32_t n = next_report(bytes);
	ck_assert_int_eq(dp_rtcp_read(bytes, n, 7, &seen), 0);
	ck_assert(seen.bye);
	ck_assert_mem_eq(out.flow.dst_ip6, carol, 16);
	close_fixture();
}
END_TEST

TESTS("ipv6", reports_go_to_ipv6_and_come_from_there, a_goodbye_goes_to_whom_it_is_for, between_two_ipv6_legs,
	from_ipv4_to_ipv6_and_back, only_the_whole_address_is_the_far_ends,
	a_leg_that_was_used_before_has_nobodys_address, a_latch_takes_another_port_of_the_same_host,
	a_play_goes_to_ipv6, a_program_is_of_the_legs_family, a_successor_goes_on_with_both_families)
