/* What a worker was told is done, once, whenever it is killed: the states that a kill can leave are those of
 * kill.h; from each of them a successor goes on, and from some it is killed again. */
#include "dataplane/quality.h"
#include "dataplane/resume.h"
#include "dataplane/row.h"
#include "dataplane/step.h"
#include "tests/unit/dataplane/kill.h"

/* Sanitizers make many instructions of one. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SECOND_KILLS 1
#else
#define SECOND_KILLS 6
#endif
#define OTHER_BE htobe32(0xc612001e)

/* Packets, by leg: received; relayed to it. */
static uint64_t rx[KILL_LEGS], relayed[KILL_LEGS];
static struct tg_meter_record part[KILL_RECORDS];
static uint32_t parts, refused;
static uint8_t *empty; /* state of the region without legs */
static uint32_t kills; /* before the successor that goes on */

static void say(uint32_t leg, uint16_t seq)
{
	if (f.legs.place[leg] == TG_NONE)
		return;
	uint32_t sink = f.legs.ingress[leg].sink;
	struct dp_packet p = packet_for(leg, seq, seq * 160u);
	p.src_ip_be = f.legs.ingress[leg].match_ip_be;
	p.src_port_be = f.legs.ingress[leg].match_port_be;
	struct dp_outgoing out;
	bool sent = relay(&p, &out);
	rx[leg]++;
	if (sent)
		relayed[sink]++;
}

static void open_talking_pair(void)
{
	struct kill_range r[KILL_RANGES];
	open_fixture();
	empty = malloc(kill_watch(r));
	kill_save(empty);
	open_pair();
	memset(rx, 0, sizeof(rx));
	memset(relayed, 0, sizeof(relayed));
	for (uint16_t i = 0; i < 5; i++, f.now += ms(20)) {
		say(1, i);
		if (i < 3)
			say(2, i);
	}
	ck_assert_uint_eq(relayed[2], 5);
}

static void tell(struct tg_command c)
{
	c.generation = c.generation ? c.generation : 1;
	ck_assert_int_eq(tg_ring_push(tg_region_commands(f.region, 0), &c), 0);
}

static void obey(void)
{
	while (dp_commands_run(&f.commands, &f.legs, f.now))
		;
}

static void start(void)
{
	ck_assert_int_eq(dp_legs_open(&f.legs, f.region, 0), 0);
	f.commands = (struct dp_commands){0};
}

/* What a start does to the region, without what it does beside: that is long, and steps are slow. */
static void resume_and_obey(void)
{
	dp_resume(&f.legs, f.now);
	obey();
}

static void start_but_for_that(const uint8_t *state)
{
	dp_legs_close(&f.legs);
	kill_load(empty);
	start();
	kill_load(state);
	dp_nexthops_attach(&f.legs.hops, f.legs.hops.entry);
}

/* Every packet is in one part, parts have names of their own and meet, the worker's sums are right. */
static void check_parts(void)
{
	struct tg_meter sum = {0};
	uint64_t end[KILL_LEGS] = {0};
	parts = tg_ring_pop(tg_region_meters(f.region, 0), part, KILL_RECORDS);
	for (uint32_t i = 0; i < parts; i++) {
		struct tg_meter_record *r = &part[i];
		ck_assert_int_eq(r->kind, TG_METER_PART);
		ck_assert_uint_lt(r->leg, KILL_LEGS);
		for (uint32_t k = 0; k < i; k++)
			ck_assert(part[k].leg != r->leg || part[k].stint != r->stint ||
				  part[k].part != r->part);
		ck_assert(!end[r->leg] || r->start_ns == end[r->leg]);
		ck_assert_uint_ge(r->end_ns, r->start_ns);
		end[r->leg] = r->end_ns;
		tg_meter_add(&sum, &r->counts);
		ck_assert_mem_eq(&r->closed, &sum, sizeof(sum));
	}
	for (uint32_t leg = 1; leg < KILL_LEGS; leg++) {
		struct tg_meter counted = {0};
		uint32_t outages = f.legs.place[leg] != TG_NONE ? f.legs.outage[leg].count : 0;
		if (f.legs.place[leg] != TG_NONE)
			dp_meter_open_counts(&f.legs, leg, &counted);
		ck_assert(!end[leg] || f.legs.place[leg] == TG_NONE ||
			  f.legs.egress[leg].stint_start_ns == end[leg]);
		for (uint32_t i = 0; i < parts; i++)
			if (part[i].leg == leg) {
				tg_meter_add(&counted, &part[i].counts);
				outages += part[i].outages;
				ck_assert_uint_eq(part[i].uncertain_packets, 0);
			}
		ck_assert_uint_le(outages, kills);
		ck_assert_uint_eq(counted.v[TG_METER_rx_packets], rx[leg]);
		ck_assert_uint_eq(counted.v[TG_METER_rx_octets], rx[leg] * 172);
		ck_assert_uint_eq(counted.v[TG_METER_relayed_packets], relayed[leg]);
		ck_assert_uint_eq(counted.v[TG_METER_relayed_octets], relayed[leg] * 172);
		if (f.legs.place[leg] == TG_NONE)
			continue;
		/* What reports say goes on as if nothing had happened. */
		struct tg_quality_sums life = dp_quality_sums(&f.legs, leg);
		ck_assert_uint_eq(life.received, rx[leg]);
		ck_assert_uint_eq(life.sent_packets, relayed[leg]);
		ck_assert_uint_eq(life.sent_octets, relayed[leg] * 160);
	}
	struct tg_meter_record s = audit();
	ck_assert_mem_eq(&s.closed, &sum, sizeof(sum));
}

static void count_refusals(void)
{
	struct tg_event ev[KILL_RECORDS * 2];
	uint32_t n = tg_ring_pop(tg_region_events(f.region, 0), ev, KILL_RECORDS * 2);
	refused = 0;
	for (uint32_t i = 0; i < n; i++)
		refused += ev[i].kind == TG_EVENT_REFUSED;
}

/* A successor: packets come before it gets to the commands. */
static void go_on(void (*check)(void))
{
	dp_legs_close(&f.legs);
	start();
	/* All that are there when it takes over say so, once for each that took over; of parts that were
	 * closed before none does. */
	for (uint32_t i = 0; i < f.legs.open_count; i++) {
		const struct tg_outage *o = &f.legs.outage[f.legs.open[i]];
		ck_assert_uint_ge(o->count, 1);
		ck_assert_uint_le(o->count, kills);
		ck_assert_uint_eq(o->uncertain, 0);
	}
	say(1, 5);
	say(2, 5);
	f.now += ms(30);
	obey();
	f.now += ms(30);
	say(1, 6);
	say(2, 6);
	count_refusals();
	check_parts();
	check();
}

static void from_each(const struct kill_states *s, void (*check)(void))
{
	uint64_t rx_before[KILL_LEGS], relayed_before[KILL_LEGS];
	memcpy(rx_before, rx, sizeof(rx));
	memcpy(relayed_before, relayed, sizeof(relayed));
	for (uint32_t i = 0; i < s->n; i++) {
		kill_load(s->state + i * s->bytes);
		memcpy(rx, rx_before, sizeof(rx));
		memcpy(relayed, relayed_before, sizeof(relayed));
		go_on(check);
	}
	memcpy(rx, rx_before, sizeof(rx));
	memcpy(relayed, relayed_before, sizeof(relayed));
}

static void kill_in(void (*act)(void), void (*check)(void))
{
	struct kill_states s = kill_states_of(act);
	ck_assert_uint_gt(s.n, 3);
	kills = 1;
	from_each(&s, check);
	kills = 2;
	uint32_t stride = s.n / SECOND_KILLS + 1;
	for (uint32_t i = stride / 2; i < s.n; i += stride) {
		start_but_for_that(s.state + i * s.bytes);
		struct kill_states again = kill_states_of(resume_and_obey);
		from_each(&again, check);
		free(again.state);
	}
	free(s.state);
	free(empty);
	close_fixture();
}

static void both_have_stint_2(void)
{
	for (uint32_t leg = 1; leg <= 2; leg++) {
		ck_assert_uint_eq(f.legs.egress[leg].stint, 2);
		ck_assert_uint_eq(f.legs.egress[leg].part, 0);
	}
	for (uint32_t i = 0; i < parts; i++)
		ck_assert_uint_eq(part[i].stint, 1);
	ck_assert_uint_ge(parts, 2);
	ck_assert_uint_le(parts, 4); /* the one that was being closed at a kill may be in two */
	ck_assert_uint_eq(refused, 0);
}

START_TEST(in_a_stint)
{
	open_talking_pair();
	tell((struct tg_command){.kind = TG_CMD_STINT, .leg = 1, .stint = 2, .more = 1});
	tell((struct tg_command){.kind = TG_CMD_STINT, .leg = 2, .stint = 2});
	kill_in(obey, both_have_stint_2);
}
END_TEST

static void alice_has_stint_3(void)
{
	ck_assert_uint_eq(f.legs.egress[1].stint, 3);
	ck_assert_uint_eq(f.legs.egress[1].part, 0);
	for (uint32_t i = 0; i < parts; i++)
		ck_assert_uint_le(part[i].stint, 2);
}

START_TEST(in_one_stint_after_another)
{
	open_talking_pair();
	tell((struct tg_command){.kind = TG_CMD_STINT, .leg = 1, .stint = 2});
	tell((struct tg_command){.kind = TG_CMD_STINT, .leg = 1, .stint = 2}); /* a part of the same */
	tell((struct tg_command){.kind = TG_CMD_STINT, .leg = 1, .stint = 3});
	kill_in(obey, alice_has_stint_3);
}
END_TEST

static void all_are_gone(void)
{
	ck_assert_uint_eq(f.legs.open_count, 0);
	ck_assert_uint_eq(parts, 2);
	ck_assert(part[0].final && part[1].final);
	ck_assert_uint_eq(part[0].leg, 1);
	ck_assert_uint_eq(part[1].leg, 2);
	for (uint32_t leg = 1; leg <= 2; leg++)
		ck_assert(!f.legs.egress[leg].generation && !f.legs.ingress[leg].generation);
	for (uint32_t i = 0; i < TG_NEXT_HOPS; i++)
		ck_assert_uint_eq(f.legs.hops.entry[i].refs, 0);
	ck_assert_uint_le(refused, 2); /* a RELEASE that is repeated finds nothing */
}

START_TEST(in_a_release)
{
	open_talking_pair();
	tell((struct tg_command){.kind = TG_CMD_RELEASE, .leg = 1, .more = 1});
	tell((struct tg_command){.kind = TG_CMD_RELEASE, .leg = 2});
	kill_in(obey, all_are_gone);
}
END_TEST

static void the_third_hears_alice(void)
{
	ck_assert_uint_eq(parts, 0);
	ck_assert_int_eq(f.legs.egress[1].source, TG_SOURCE_NONE);
	ck_assert_int_eq(f.legs.egress[2].source, TG_SOURCE_NONE);
	ck_assert_int_eq(f.legs.egress[3].source, TG_SOURCE_RELAY);
	ck_assert_uint_eq(f.legs.egress[3].feeder, 1);
	ck_assert_uint_eq(f.legs.ingress[1].sink, 3);
	ck_assert_uint_eq(f.legs.ingress[2].sink, TG_NONE);
	ck_assert_uint_eq(refused, 0);
}

START_TEST(in_a_change_of_relays)
{
	open_talking_pair();
	tell((struct tg_command){.kind = TG_CMD_PROGRAM, .leg = 3, .program = program_to(BOB_BE)});
	tell((struct tg_command){.kind = TG_CMD_SOURCE, .leg = 3, .source = relay_from(1)});
	tell((struct tg_command){.kind = TG_CMD_SOURCE, .leg = 1});
	kill_in(obey, the_third_hears_alice);
}
END_TEST

static void bob_has_stint_2_and_hears_nothing(void)
{
	ck_assert_uint_eq(f.legs.open_count, 1);
	ck_assert_uint_eq(f.legs.egress[2].stint, 2);
	ck_assert_int_eq(f.legs.egress[2].source, TG_SOURCE_NONE);
	ck_assert_uint_ge(parts, 2);
	ck_assert_uint_le(refused, 2);
}

START_TEST(in_a_release_of_a_leg_that_is_heard)
{
	open_talking_pair();
	tell((struct tg_command){.kind = TG_CMD_SNAPSHOT});
	obey();
	next_record();
	tell((struct tg_command){.kind = TG_CMD_RELEASE, .leg = 1, .more = 1});
	tell((struct tg_command){.kind = TG_CMD_STINT, .leg = 2, .stint = 2});
	kill_in(obey, bob_has_stint_2_and_hears_nothing);
}
END_TEST

static void alice_hears_play_9(void)
{
	const struct tg_egress *e = &f.legs.egress[1];
	ck_assert_uint_eq(e->play_id, 9);
	ck_assert_int_eq(e->source, TG_SOURCE_PLAY);
	ck_assert_uint_eq(e->play_done, 0);
	ck_assert_uint_eq(f.legs.wheel.active, 1);
	ck_assert_uint_eq(f.legs.ingress[2].sink, TG_NONE);
	ck_assert_uint_eq(refused, 0);
}

START_TEST(in_a_play_that_begins)
{
	open_talking_pair();
	make_item(0, 10, 10, TG_MEDIA_READY);
	tell((struct tg_command){.kind = TG_CMD_SOURCE, .leg = 1, .source = play_of(0, 8)});
	tell((struct tg_command){.kind = TG_CMD_SOURCE, .leg = 1, .source = play_of(0, 9)});
	kill_in(obey, alice_hears_play_9);
}
END_TEST

static void end_the_play(void)
{
	dp_leg_play_done(&f.legs, 1, true);
}

/* Told to be over and silent, or it goes on. */
static void play_8_is_over_or_not(void)
{
	const struct tg_egress *e = &f.legs.egress[1];
	ck_assert_uint_eq(e->play_id, 8);
	ck_assert((e->play_done == 8 && e->play_stopped && e->source == TG_SOURCE_NONE) ||
		  (!e->play_done && e->source == TG_SOURCE_PLAY));
	ck_assert_uint_eq(f.legs.wheel.active, !e->play_done);
	ck_assert_uint_ge(tg_counter_read(&f.legs.stats->events_missed), 1);
}

START_TEST(in_a_play_that_ends)
{
	open_talking_pair();
	make_item(0, 10, 10, TG_MEDIA_READY);
	ck_assert_int_eq(do_source(1, 1, play_of(0, 8)), 0);
	kill_in(end_the_play, play_8_is_over_or_not);
}
END_TEST

static void bob_has_moved(void)
{
	const struct tg_ingress *row = &f.legs.ingress[2];
	ck_assert_uint_eq(f.legs.open_count, 2);
	ck_assert_uint_eq(row->match_ip_be, OTHER_BE);
	ck_assert(
		!(row->flags & DP_ROW_LATCHED) == !(row->flags & TG_LEG_LATCH)); /* by the packet after it */
	ck_assert_uint_eq(f.legs.ingress[1].out_dst_ip_be, OTHER_BE);
	ck_assert_uint_eq(f.legs.egress[2].program.ssrc, 99);
	ck_assert_uint_eq(f.legs.egress[2].ssrc_be, htobe32(99));
	ck_assert_uint_eq(f.legs.ingress[1].out_ssrc_be, htobe32(99));
	ck_assert_uint_eq(f.legs.egress[2].program.media_timeout_ms, 7000);
	ck_assert_uint_eq(row->rx.event, 96);
	ck_assert_uint_eq(f.legs.ingress[1].tx.event, 97);
	ck_assert_uint_eq(parts, 0);
	ck_assert_uint_eq(refused, 0);
}

START_TEST(in_a_change)
{
	open_talking_pair();
	struct tg_leg_program p = program_to(BOB_BE);
	p.flags = TG_LEG_LATCH;
	ck_assert_int_eq(do_program(2, 1, &p), 0);
	struct tg_addr found = tg_addr_ipv4(htobe32(0xc6120063));
	dp_leg_set_far_end(&f.legs, 2, &found, htobe16(4444));
	f.legs.ingress[2].flags |= DP_ROW_LATCHED;
	p.remote = tg_addr_ipv4(OTHER_BE);
	p.remote_port_be = htobe16(5000);
	p.rx.event = 96;
	p.tx.event = 97;
	p.ssrc = 99;
	p.media_timeout_ms = 7000;
	tell((struct tg_command){.kind = TG_CMD_PROGRAM, .leg = 2, .program = p});
	kill_in(obey, bob_has_moved);
}
END_TEST

/* The port counts for itself what it was given, by the leg that hears it: in a row that is no leg's. */
static tg_counter *given_to(uint32_t leg)
{
	struct tg_ingress *row = &f.legs.ingress[0];
	tg_counter *const by_leg[KILL_LEGS] = {
		NULL, &row->rx_packets, &row->rx_octets, &row->forwarded_packets};
	return by_leg[leg];
}

static void give(const struct tg_sending_entry *entry, uint32_t n)
{
	dp_legs_sending(&f.legs, entry, n);
	for (uint32_t i = 0; i < n; i++) {
		if (entry[i].as == TG_SENT_FOR_KERNEL)
			continue;
		tg_counter_add(given_to(entry[i].as == TG_SENT_RELAYED ? f.legs.ingress[entry[i].leg].sink
								       : entry[i].leg),
			1);
		dp_step();
	}
	for (uint32_t i = 0; i < n; i++)
		dp_legs_sent(&f.legs, &entry[i], 1);
	dp_legs_sending_done(&f.legs);
}

/* Two that bob hears, one that is played to the third, one of the kernel's; then one that alice hears. */
static void send_two_bursts(void)
{
	static const struct tg_sending_entry one[] = {{.leg = 1, .rtp_bytes = 172, .as = TG_SENT_RELAYED},
		{.leg = 3, .rtp_bytes = 172, .as = TG_SENT_PLAYED},
		{.leg = TG_NONE, .as = TG_SENT_FOR_KERNEL},
		{.leg = 1, .rtp_bytes = 172, .as = TG_SENT_RELAYED}};
	static const struct tg_sending_entry two[] = {{.leg = 2, .rtp_bytes = 172, .as = TG_SENT_RELAYED}};
	give(one, 4);
	give(two, 1);
}

/* What a leg's record says of the packets that were sent to it, against what the port says. */
static void check_sent(uint32_t leg, uint32_t most)
{
	ck_assert_int_eq(do_plain(TG_CMD_RELEASE, leg, 1, 0), 0);
	struct tg_meter_record r = next_record();
	ck_assert_uint_eq(r.leg, leg);
	uint64_t sent = relayed[leg] + tg_counter_read(given_to(leg));
	uint64_t metered = r.counts.v[TG_METER_relayed_packets] + r.counts.v[TG_METER_played_packets];
	ck_assert_uint_le(metered, sent);
	ck_assert_uint_le(sent - metered, r.uncertain_packets);
	ck_assert_uint_le(r.uncertain_packets, most);
	ck_assert_uint_ge(r.outages, 1);
	ck_assert_uint_le(r.outages, kills);
}

/* Of the burst that was under way, by the leg that is to hear it. Others are exact. */
static void count_under_way(uint32_t most[static KILL_LEGS])
{
	const struct tg_sending *s = &f.legs.stats->sending;
	memset(most, 0, KILL_LEGS * sizeof(*most));
	for (uint32_t i = 0; i < s->n; i++) {
		const struct tg_sending_entry *e = &s->entry[i];
		if (e->as != TG_SENT_FOR_KERNEL)
			most[e->as == TG_SENT_RELAYED ? 3 - e->leg : e->leg]++;
	}
}

static void go_on_and_release(const uint32_t most[static KILL_LEGS])
{
	dp_legs_close(&f.legs);
	start();
	audit();
	ck_assert_uint_eq(f.legs.stats->sending.n, 0);
	for (uint32_t leg = 1; leg < KILL_LEGS; leg++)
		check_sent(leg, most[leg]);
}

START_TEST(in_a_burst)
{
	uint32_t most[KILL_LEGS];
	open_talking_pair();
	struct tg_leg_program c = program_to(OTHER_BE);
	ck_assert_int_eq(do_program(3, 1, &c), 0);
	struct kill_states s = kill_states_of(send_two_bursts);
	ck_assert_uint_gt(s.n, 15);
	kills = 1;
	for (uint32_t i = 0; i < s.n; i++) {
		kill_load(s.state + i * s.bytes);
		count_under_way(most);
		go_on_and_release(most);
	}
	kills = 2;
	for (uint32_t i = 0; i < s.n; i += s.n / SECOND_KILLS / 2 + 1) {
		start_but_for_that(s.state + i * s.bytes);
		count_under_way(most);
		struct kill_states again = kill_states_of(resume_and_obey);
		for (uint32_t leg = 1; leg < KILL_LEGS; leg++)
			most[leg] += !!most[leg]; /* the one that was being noted may be noted twice */
		for (uint32_t k = 0; k < again.n; k++) {
			kill_load(again.state + k * again.bytes);
			go_on_and_release(most);
		}
		free(again.state);
	}
	free(s.state);
	free(empty);
	close_fixture();
}
END_TEST

TESTS("killed", in_a_burst, in_a_stint, in_one_stint_after_another, in_a_release, in_a_change_of_relays,
	in_a_release_of_a_leg_that_is_heard, in_a_play_that_begins, in_a_play_that_ends, in_a_change)
