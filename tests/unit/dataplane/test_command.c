#include "tests/unit/dataplane/fixture.h"

static void push(const struct tg_command *c, uint32_t n)
{
	ck_assert_int_eq(tg_ring_push_bulk(tg_region_commands(f.region, 0), c, n), 0);
}

static struct tg_command stint(uint32_t leg, uint32_t n, bool more)
{
	return (struct tg_command){
		.kind = TG_CMD_STINT, .leg = leg, .generation = 1, .stint = n, .more = more};
}

static uint32_t refusals(int *last)
{
	struct tg_event ev[64];
	uint32_t n = tg_ring_pop(tg_region_events(f.region, 0), ev, 64), found = 0;
	for (uint32_t i = 0; i < n; i++)
		if (ev[i].kind == TG_EVENT_REFUSED) {
			found++;
			*last = ev[i].refusal;
		}
	return found;
}

START_TEST(what_can_not_be_accepted_changes_nothing_and_says_why)
{
	open_fixture_of(2);
	struct tg_leg_program p = program_to(ALICE_BE), bad = p;
	bad.clock_khz = 44;
	uint32_t other = LEGS - 1; /* worker 1's */
	ck_assert_int_eq(do_plain(99, 1, 1, 1), TG_REFUSED_KIND);
	ck_assert_int_eq(do_plain(0, 1, 1, 1), TG_REFUSED_KIND);
	ck_assert_int_eq(do_program(LEGS, 1, &p), TG_REFUSED_LEG);
	ck_assert_int_eq(do_program(TG_NONE, 1, &p), TG_REFUSED_LEG);
	ck_assert_int_eq(do_program(other, 1, &p), TG_REFUSED_LEG);
	ck_assert_int_eq(do_program(1, 0, &p), TG_REFUSED_GENERATION);
	ck_assert_int_eq(do_program(1, 1, &bad), TG_REFUSED_PROGRAM);
	ck_assert_int_eq(do_plain(TG_CMD_STINT, 1, 1, 2), TG_REFUSED_GENERATION);
	ck_assert_int_eq(do_plain(TG_CMD_RELEASE, 1, 1, 0), TG_REFUSED_GENERATION);
	ck_assert_uint_eq(f.legs.open_count, 0);
	ck_assert_int_eq(do_program(1, 5, &p), 0);
	ck_assert_int_eq(do_program(1, 4, &p), TG_REFUSED_GENERATION);
	ck_assert_int_eq(do_program(1, 6, &p), TG_REFUSED_GENERATION);
	ck_assert_int_eq(do_plain(TG_CMD_RELEASE, 1, 4, 0), TG_REFUSED_GENERATION);
	ck_assert_int_eq(do_program(1, 5, &bad), TG_REFUSED_PROGRAM);
	ck_assert_uint_eq(f.legs.open_count, 1);
	close_fixture();
}
END_TEST

START_TEST(sources_that_do_not_exist)
{
	open_fixture_of(2);
	struct tg_leg_program p = program_to(ALICE_BE);
	ck_assert_int_eq(do_program(1, 1, &p), 0);
	ck_assert_int_eq(do_source(1, 1, relay_from(2)), TG_REFUSED_SOURCE);
	ck_assert_int_eq(do_source(1, 1, relay_from(TG_NONE)), TG_REFUSED_SOURCE);
	ck_assert_int_eq(do_source(1, 1, relay_from(LEGS - 1)), TG_REFUSED_SOURCE);
	p.rx.audio = 8; /* A-law: there is nobody to transcode it */
	ck_assert_int_eq(do_program(2, 1, &p), 0);
	ck_assert_int_eq(do_source(1, 1, relay_from(2)), TG_REFUSED_SOURCE);
	struct tg_leg_source stale = relay_from(1);
	stale.generation = 9;
	ck_assert_int_eq(do_source(2, 1, stale), TG_REFUSED_SOURCE);
	ck_assert_int_eq(do_source(1, 1, play_of(0, 1)), TG_REFUSED_SOURCE);
	ck_assert_int_eq(do_source(1, 1, play_of(4, 1)), TG_REFUSED_SOURCE);
	ck_assert_int_eq(do_source(1, 1, play_of(TG_NONE, 1)), TG_REFUSED_SOURCE);
	ck_assert_int_eq(do_source(1, 1, (struct tg_leg_source){.kind = 77}), TG_REFUSED_SOURCE);
	ck_assert_int_eq(f.legs.egress[1].source, TG_SOURCE_NONE);
	close_fixture();
}
END_TEST

START_TEST(a_refusal_carries_the_tag_and_the_rest_of_the_chain_goes_on)
{
	open_fixture();
	struct tg_command chain[3] = {
		{.kind = TG_CMD_STINT, .more = 1, .leg = 3, .generation = 8, .tag = 1234},
		{.kind = TG_CMD_PROGRAM,
			.more = 1,
			.leg = 1,
			.generation = 1,
			.program = program_to(ALICE_BE)},
		{.kind = TG_CMD_SNAPSHOT, .tag = 7}};
	struct tg_event ev;
	push(chain, 3);
	ck_assert_uint_eq(dp_commands_run(&f.commands, &f.legs, f.now), 3);
	ck_assert_uint_eq(tg_ring_pop(tg_region_events(f.region, 0), &ev, 1), 1);
	ck_assert_int_eq(ev.kind, TG_EVENT_REFUSED);
	ck_assert_int_eq(ev.refusal, TG_REFUSED_GENERATION);
	ck_assert_uint_eq(ev.tag, 1234);
	ck_assert_uint_eq(ev.leg, 3);
	ck_assert_uint_eq(ev.generation, 8);
	ck_assert_uint_eq(f.legs.open_count, 1);
	ck_assert_uint_eq(next_record().stint, 7);
	ck_assert_uint_eq(tg_counter_read(&f.legs.stats->refusals), 1);
	ck_assert_uint_eq(tg_counter_read(&f.legs.stats->commands), 2);
	close_fixture();
}
END_TEST

START_TEST(a_chain_has_one_moment)
{
	open_fixture();
	open_pair();
	struct tg_command chain[2] = {stint(1, 2, true), stint(2, 2, false)};
	push(chain, 2);
	f.now += ms(50);
	dp_commands_run(&f.commands, &f.legs, f.now);
	struct tg_meter_record a = next_record(), b = next_record();
	ck_assert_uint_eq(a.end_ns, b.end_ns);
	ck_assert_uint_gt(a.end_ns, a.start_ns);
	ck_assert_uint_eq(f.legs.egress[1].stint_start_ns, a.end_ns);
	close_fixture();
}
END_TEST

START_TEST(a_full_meter_ring_stalls_whole_chains_and_loses_nothing)
{
	open_fixture();
	open_pair();
	struct tg_command chain[3] = {
		stint(1, 2, true), stint(2, 2, true), {.kind = TG_CMD_SOURCE, .leg = 1, .generation = 1}};
	while (dp_meter_has_room(&f.legs, 2))
		ck_assert_int_eq(dp_meter_snapshot(&f.legs, 0, 1), 0);
	push(chain, 3);
	for (int i = 0; i < 5; i++)
		ck_assert_uint_eq(dp_commands_run(&f.commands, &f.legs, f.now), 0);
	ck_assert_uint_eq(tg_counter_read(&f.legs.stats->meter_waits), 1);
	ck_assert_uint_eq(f.legs.egress[1].stint, 1);
	ck_assert_int_eq(f.legs.egress[1].source, TG_SOURCE_RELAY);
	/* Packets go on meanwhile and are counted in the stint that is open. */
	struct dp_outgoing out;
	struct dp_packet p = packet_for(1, 1, 160);
	ck_assert(relay(&p, &out));
	struct tg_meter_record skipped[2];
	ck_assert_uint_eq(tg_ring_pop(tg_region_meters(f.region, 0), skipped, 2), 2);
	ck_assert_uint_eq(dp_commands_run(&f.commands, &f.legs, f.now), 3);
	ck_assert_uint_eq(f.legs.egress[1].stint, 2);
	ck_assert_int_eq(f.legs.egress[1].source, TG_SOURCE_NONE);
	close_fixture();
}
END_TEST

START_TEST(chains_are_never_cut_at_the_end_of_a_batch)
{
	open_fixture();
	open_pair();
	struct tg_command single = stint(1, 2, false), chain[TG_CHAIN_MAX];
	for (uint32_t i = 0; i < TG_CHAIN_MAX; i++)
		chain[i] = stint(2, 3, i + 1 < TG_CHAIN_MAX);
	push(&single, 1);
	push(chain, TG_CHAIN_MAX);
	push(&single, 1);
	ck_assert_uint_eq(dp_commands_run(&f.commands, &f.legs, f.now), 1);
	ck_assert_uint_eq(dp_commands_run(&f.commands, &f.legs, f.now), TG_CHAIN_MAX);
	ck_assert_uint_eq(dp_commands_run(&f.commands, &f.legs, f.now), 1);
	ck_assert_uint_eq(dp_commands_run(&f.commands, &f.legs, f.now), 0);
	close_fixture();
}
END_TEST

START_TEST(a_chain_without_end_is_cut)
{
	open_fixture();
	open_pair();
	struct tg_command chain[TG_CHAIN_MAX];
	int why = 0;
	for (uint32_t i = 0; i < TG_CHAIN_MAX; i++)
		chain[i] = (struct tg_command){.kind = 200, .more = 1};
	push(chain, TG_CHAIN_MAX);
	push(chain, 1);
	ck_assert_uint_eq(dp_commands_run(&f.commands, &f.legs, f.now), TG_CHAIN_MAX);
	ck_assert_uint_eq(refusals(&why), TG_CHAIN_MAX);
	ck_assert_int_eq(why, TG_REFUSED_KIND);
	ck_assert_uint_eq(dp_commands_run(&f.commands, &f.legs, f.now), 1);
	close_fixture();
}
END_TEST

START_TEST(commands_that_are_seen_twice_after_a_crash_change_nothing)
{
	open_fixture();
	open_pair();
	make_item(0, 10, 10, TG_MEDIA_READY);
	ck_assert_int_eq(do_source(1, 1, play_of(0, 5)), 0);
	struct dp_outgoing out;
	const uint8_t *frame;
	f.now += ms(25);
	play_now(&out, &frame);
	uint32_t at = f.legs.egress[1].frame;
	ck_assert_uint_gt(at, 0);
	ck_assert_int_eq(do_source(1, 1, play_of(0, 5)), 0);
	ck_assert_uint_eq(f.legs.egress[1].frame, at);
	struct tg_leg_program p = program_to(BOB_BE);
	struct dp_packet packet = packet_for(2, 1, 160);
	relay(&packet, &out);
	ck_assert_int_eq(do_program(2, 1, &p), 0);
	ck_assert_uint_eq(tg_counter_read(&f.legs.ingress[2].rx_packets), 1);
	ck_assert_int_eq(do_source(2, 1, relay_from(1)), 0);
	/* Refused, and that is all. */
	ck_assert_int_eq(do_plain(TG_CMD_RELEASE, 2, 1, 0), 0);
	ck_assert_int_eq(do_plain(TG_CMD_RELEASE, 2, 1, 0), TG_REFUSED_GENERATION);
	close_fixture();
}
END_TEST

START_TEST(only_a_starts_first_command_can_be_a_repeated_one)
{
	open_fixture();
	open_pair();
	struct tg_command c = stint(1, 2, false);
	push(&c, 1);
	push(&c, 1);
	dp_commands_run(&f.commands, &f.legs, f.now);
	ck_assert_uint_eq(f.legs.egress[1].part, 1);
	/* As if it had been killed before it took the second. */
	detach_legs();
	attach_legs();
	push(&c, 1);
	push(&c, 1);
	ck_assert_uint_eq(dp_commands_run(&f.commands, &f.legs, f.now), 2);
	ck_assert_uint_eq(f.legs.egress[1].part, 2);
	ck_assert_uint_eq(next_record().stint, 1);
	for (uint32_t i = 0; i < 2; i++)
		ck_assert_uint_eq(next_record().part, i);
	audit();
	close_fixture();
}
END_TEST

START_TEST(garbage_in_the_ring_is_refused)
{
	open_fixture();
	open_pair();
	srand(4);
	for (int i = 0; i < 20000; i++) {
		struct tg_command c;
		for (size_t b = 0; b < sizeof(c); b++)
			((uint8_t *)&c)[b] = (uint8_t)(rand() % 3 ? rand() % 4 : rand());
		c.kind = (uint8_t)(rand() % 7);
		c.leg = (uint32_t)rand() % (LEGS + 2);
		push(&c, 1);
		dp_commands_run(&f.commands, &f.legs, f.now);
		news();
		struct tg_meter_record r[4];
		tg_ring_pop(tg_region_meters(f.region, 0), r, 4);
		f.now += ms(1);
		uint32_t budget = 10;
		struct dp_outgoing out;
		const uint8_t *frame;
		while (dp_play_next(&f.legs, f.now, &budget, &out, &frame))
			;
	}
	audit();
	close_fixture();
}
END_TEST

TESTS("command", what_can_not_be_accepted_changes_nothing_and_says_why, sources_that_do_not_exist,
	a_refusal_carries_the_tag_and_the_rest_of_the_chain_goes_on, a_chain_has_one_moment,
	a_full_meter_ring_stalls_whole_chains_and_loses_nothing, chains_are_never_cut_at_the_end_of_a_batch,
	a_chain_without_end_is_cut, commands_that_are_seen_twice_after_a_crash_change_nothing,
	only_a_starts_first_command_can_be_a_repeated_one, garbage_in_the_ring_is_refused)
