/* The link against a region on /dev/shm; the test plays the worker. */
#include "controlplane/link/link.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/journal/scratch.h"

static struct tg_region *control, *worker;
static struct journal *journal;
static struct link *l;
static char name[64], dir[SCRATCH_BYTES];
static unsigned digits, plays, latched, released, refused, plays_refused;
static struct tg_addr latched_from;
static uint32_t latched_port;
static char last_digit, pressed[64];

static void on_digit(void *ctx, struct link_row row, char digit)
{
	if (digits < sizeof(pressed) - 1)
		pressed[digits] = digit;
	digits++;
	last_digit = digit;
}

static void on_play_done(void *ctx, struct link_row row, uint32_t id, bool stopped)
{
	plays++;
}

static void on_timeout(void *ctx, struct link_row row)
{
}

static void on_latched(void *ctx, struct link_row row, const struct tg_addr *source, uint16_t port)
{
	latched++;
	latched_from = *source;
	latched_port = port;
}

static void on_play_refused(void *ctx, struct link_row row, uint32_t id)
{
	ck_assert_uint_eq(id, 7);
	plays_refused++;
}

static void on_refused(void *ctx, struct link_row row, int refusal)
{
	refused++;
}

static void on_released(void *ctx, struct link_row row)
{
	released++;
}

static bool snapshot_ok;
static void on_snapshot(void *ctx, uint32_t tag, uint32_t w, bool ok, const json_t *fact)
{
	snapshot_ok = ok;
}

static const struct link_handler handler = {on_digit, on_play_done, on_timeout, on_latched, on_play_refused,
	on_refused, on_released, on_snapshot};

static uint64_t now(void *ctx)
{
	return 1;
}

static bool never_seen(void *ctx, const struct tg_meter_record *r)
{
	return false;
}

static void open_link(void)
{
	struct link_options o = {
		.region = control, .journal = journal, .handler = &handler, .seen = never_seen};
	ck_assert_int_eq(link_open(&l, &o), 0);
}

static void setup_workers(uint32_t workers, bool ipv6)
{
	char why[512] = "";
	digits = plays = released = refused = plays_refused = 0;
	memset(pressed, 0, sizeof(pressed));
	struct tg_capacity cap = {.workers = workers,
		.addresses = ipv6 ? 2 : 1,
		.ipv6_addresses = ipv6,
		.port_min = 20000,
		.ports = 8,
		.media_items = 4,
		.arena_bytes = 65536,
		.address = {{.b = {127, 0, 0, 1}, .family = TG_FAMILY_IPV4}}};
	if (ipv6)
		cap.address[1] = (struct tg_addr){.b = {[15] = 1}, .family = TG_FAMILY_IPV6};
	snprintf(name, sizeof(name), "tollgate-test-link-%d", (int)getpid());
	ck_assert_msg(!tg_region_open(&control, "/dev/shm", name, &cap, TG_ROLE_CONTROL, why, sizeof(why)),
		"%s", why);
	ck_assert_msg(!tg_region_open(&worker, "/dev/shm", name, &cap, TG_ROLE_DATAPLANE, why, sizeof(why)),
		"%s", why);
	scratch_make(dir);
	struct journal_options o = {.dir = dir, .segment_bytes = 1 << 20, .now = now};
	ck_assert_msg(!journal_open(&journal, &o, why, sizeof(why)), "%s", why);
	open_link();
}

static void setup(void)
{
	setup_workers(1, false);
}

static void setup_two(void)
{
	setup_workers(2, false);
}

static void setup_both(void)
{
	setup_workers(1, true);
}

static void teardown(void)
{
	link_close(l);
	journal_close(journal);
	tg_region_close(control);
	tg_region_close(worker);
	char path[128];
	snprintf(path, sizeof(path), "/dev/shm/%s", name);
	unlink(path);
	scratch_remove(dir);
}

/* What the worker got. */
static uint32_t commands(struct tg_command *c)
{
	return tg_ring_pop(tg_region_commands(worker, 0), c, 64);
}

static struct link_row open_row(void)
{
	struct link_row row;
	ck_assert_int_eq(link_reserve(l, -1, TG_FAMILY_IPV4, &row), 0);
	struct link_chain chain = {.n = 0};
	struct tg_leg_program p = {.remote = tg_addr_ipv4(1), .remote_port_be = 2};
	link_program(l, &chain, row, &p, 0, NULL);
	link_submit(l, &chain);
	struct tg_command c[64];
	ck_assert_uint_eq(commands(c), 1);
	struct tg_egress *e = tg_region_egress(worker, row.row);
	memset((void *)e, 0, sizeof(*e));
	atomic_store(&e->generation, row.generation);
	return row;
}

static void event(enum tg_event_kind kind, struct link_row row, int refusal)
{
	struct tg_event ev = {.kind = (uint8_t)kind,
		.tag = TG_CMD_RELEASE,
		.refusal = (uint8_t)refusal,
		.leg = row.row,
		.generation = row.generation};
	ck_assert_int_eq(tg_ring_push(tg_region_events(worker, 0), &ev), 0);
}

static void final_record(struct link_row row)
{
	struct tg_meter_record r = {
		.kind = TG_METER_PART, .final = 1, .leg = row.row, .generation = row.generation};
	r.counts.v[0] = 5;
	ck_assert_int_eq(tg_ring_push(tg_region_meters(worker, 0), &r), 0);
}

static void settle(void)
{
	link_poll(l);
	ck_assert_int_eq(journal_wait(journal, journal_appended(journal), 2000), 0);
	link_durable(l, journal_durable(journal));
}

START_TEST(a_chain_reaches_the_worker_whole)
{
	struct link_row a, b;
	ck_assert_int_eq(link_reserve(l, -1, TG_FAMILY_IPV4, &a), 0);
	ck_assert_int_eq(link_reserve(l, -1, TG_FAMILY_IPV4, &b), 0);
	struct link_chain chain = {.n = 0};
	struct tg_leg_program p = {.remote = tg_addr_ipv4(1)};
	link_program(l, &chain, a, &p, 3, NULL);
	link_program(l, &chain, b, &p, 3, NULL);
	link_submit(l, &chain);
	struct tg_command c[64];
	ck_assert_uint_eq(commands(c), 2);
	ck_assert_uint_eq(c[0].more, 1);
	ck_assert_uint_eq(c[1].more, 0);
	ck_assert_uint_eq(c[1].stint, 3);
	struct tg_desired d;
	ck_assert_int_eq(tg_desired_read(tg_region_desired(worker, b.row), &d), 0);
	ck_assert_uint_eq(d.generation, b.generation);
}
END_TEST

START_TEST(digits_are_passed_on_once_and_in_order)
{
	struct link_row row = open_row();
	struct tg_egress *e = tg_region_egress(worker, row.row);
	memcpy(e->digits, "12", 2);
	atomic_store(&e->digit_count, 2);
	event(TG_EVENT_NEWS, row, 0);
	event(TG_EVENT_NEWS, row, 0);
	link_poll(l);
	ck_assert_uint_eq(digits, 2);
	ck_assert_int_eq(last_digit, '2');
	ck_assert_uint_eq(tg_region_desired(worker, row.row)->digits_taken, 0);
	link_digits_settled(l, row);
	ck_assert_uint_eq(tg_region_desired(worker, row.row)->digits_taken, 2);
}
END_TEST

START_TEST(news_without_an_event_is_found_by_the_missed_count)
{
	struct link_row row = open_row();
	atomic_store(&tg_region_egress(worker, row.row)->play_done, 7);
	link_poll(l);
	ck_assert_uint_eq(plays, 0);
	tg_counter_add(&tg_region_stats(worker, 0)->events_missed, 1);
	link_poll(l);
	ck_assert_uint_eq(plays, 1);
}
END_TEST

START_TEST(stale_events_are_nobodys)
{
	struct link_row row = open_row(), stale = {row.row, row.generation + 1}, wild = {4000000, 1};
	event(TG_EVENT_REFUSED, stale, TG_REFUSED_GENERATION);
	event(TG_EVENT_NEWS, wild, 0);
	link_poll(l);
	ck_assert_uint_eq(refused, 0);
	event(TG_EVENT_REFUSED, row, TG_REFUSED_PROGRAM);
	link_poll(l);
	ck_assert_uint_eq(refused, 1);
}
END_TEST

static uint32_t send_source(struct link_row row, const struct tg_leg_source *source)
{
	struct link_chain chain = {.n = 0};
	struct tg_command c[64];
	link_source(l, &chain, row, source);
	link_submit(l, &chain);
	uint32_t n = commands(c);
	ck_assert_uint_ge(n, 1);
	ck_assert_uint_eq(c[n - 1].kind, TG_CMD_SOURCE);
	return c[n - 1].tag;
}

static void refuse_source(struct link_row row, uint32_t tag)
{
	struct tg_event ev = {.kind = TG_EVENT_REFUSED,
		.refusal = TG_REFUSED_SOURCE,
		.leg = row.row,
		.generation = row.generation,
		.tag = tag};
	ck_assert_int_eq(tg_ring_push(tg_region_events(worker, 0), &ev), 0);
	link_poll(l);
}

/* A play's source is no fault of the control plane's: who wrote the item may have been killed. */
START_TEST(a_refused_play_is_told_as_one_and_no_longer_wanted)
{
	struct link_row row = open_row();
	struct tg_leg_source play = {.kind = TG_SOURCE_PLAY, .peer = 1, .generation = 3, .play_id = 6},
			     relay = {.kind = TG_SOURCE_RELAY, .peer = 2, .generation = 3};
	uint32_t before = send_source(row, &play);
	play.play_id = 7;
	uint32_t tag = send_source(row, &play);
	refuse_source(row, before); /* one is wanted that came after it */
	ck_assert_uint_eq(plays_refused, 0);
	ck_assert_uint_eq(tg_region_desired(worker, row.row)->source.kind, TG_SOURCE_PLAY);
	refuse_source(row, tag);
	ck_assert_uint_eq(plays_refused, 1);
	ck_assert_uint_eq(tg_region_desired(worker, row.row)->source.kind, TG_SOURCE_NONE);
	refuse_source(row, tag);
	ck_assert_uint_eq(plays_refused, 1);
	ck_assert_uint_eq(refused, 0);
	refuse_source(row, send_source(row, &relay));
	ck_assert_uint_eq(plays_refused, 1);
	ck_assert_uint_eq(refused, 1);
}
END_TEST

START_TEST(a_meter_record_leaves_the_ring_when_it_is_durable)
{
	struct link_row row = open_row();
	struct link_chain chain = {.n = 0};
	link_release(l, &chain, row);
	link_submit(l, &chain);
	final_record(row);
	link_poll(l);
	ck_assert_uint_eq(released, 1);
	ck_assert_uint_eq(tg_ring_waiting(tg_region_meters(worker, 0)), 1);
	ck_assert_uint_eq(link_rows_in_use(l), 1);
	settle();
	ck_assert_uint_eq(tg_ring_waiting(tg_region_meters(worker, 0)), 0);
	ck_assert_uint_eq(link_rows_in_use(l), 0);
}
END_TEST

START_TEST(a_successor_finds_the_record_again_and_releases_rows)
{
	struct link_row row = open_row();
	final_record(row);
	link_poll(l); /* peeked, not taken: then killed */
	link_close(l);
	open_link();
	/* What was in the ring is durable before anything else. The worker still has the row: it is released.
	 */
	ck_assert_uint_eq(tg_ring_waiting(tg_region_meters(worker, 0)), 0);
	link_release_leftovers(l);
	struct tg_command c[64];
	ck_assert_uint_eq(commands(c), 1);
	ck_assert_uint_eq(c[0].kind, TG_CMD_RELEASE);
	ck_assert_uint_eq(c[0].generation, row.generation);
	ck_assert(link_releasing(l, row));
	final_record(row);
	settle();
	ck_assert_uint_eq(released, 1);
	ck_assert_uint_eq(tg_ring_waiting(tg_region_meters(worker, 0)), 0);
}
END_TEST

START_TEST(a_successor_knows_which_rows_have_ended)
{
	struct link_row row = open_row(), other = {row.row, row.generation + 1};
	struct link_chain chain = {.n = 0};
	link_release(l, &chain, row);
	link_submit(l, &chain);
	final_record(row); /* then killed */
	link_close(l);
	tg_region_desired(worker, row.row)->generation = 0;
	open_link();
	ck_assert(link_ended(l, row));
	ck_assert(!link_ended(l, other));
	ck_assert(!link_ended(l, (struct link_row){4000000, 1}));
	final_record(other); /* not read yet: it may be any row's */
	ck_assert(link_ended(l, row));
	ck_assert(link_ended(l, other));
}
END_TEST

START_TEST(a_row_the_worker_never_had_is_released_by_its_refusal)
{
	struct link_row row = open_row();
	struct link_chain chain = {.n = 0};
	link_release(l, &chain, row);
	link_submit(l, &chain);
	event(TG_EVENT_REFUSED, row, TG_REFUSED_GENERATION);
	link_poll(l);
	ck_assert_uint_eq(released, 1);
	ck_assert_uint_eq(link_rows_in_use(l), 0);
}
END_TEST

START_TEST(another_commands_refusal_does_not_end_a_release)
{
	struct link_row row = open_row();
	struct link_chain chain = {.n = 0};
	link_release(l, &chain, row);
	link_submit(l, &chain);
	struct tg_event ev = {.kind = TG_EVENT_REFUSED,
		.refusal = TG_REFUSED_SOURCE,
		.leg = row.row,
		.generation = row.generation,
		.tag = TG_CMD_SOURCE};
	ck_assert_int_eq(tg_ring_push(tg_region_events(worker, 0), &ev), 0);
	link_poll(l);
	ck_assert_uint_eq(released, 0);
	final_record(row);
	settle();
	ck_assert_uint_eq(released, 1);
}
END_TEST

START_TEST(a_second_release_waits_for_the_final_record_of_the_first)
{
	struct link_row row = open_row();
	struct link_chain chain = {.n = 0};
	link_release(l, &chain, row);
	link_submit(l, &chain);
	final_record(row);
	event(TG_EVENT_REFUSED, row, TG_REFUSED_GENERATION); /* read before the record */
	link_poll(l);
	ck_assert_uint_eq(released, 1); /* by the record */
	ck_assert_uint_eq(link_rows_in_use(l), 1);
	ck_assert_uint_eq(tg_region_desired(worker, row.row)->generation, row.generation);
	settle();
	ck_assert_uint_eq(released, 1);
	ck_assert_uint_eq(link_rows_in_use(l), 0);
	ck_assert_uint_eq(tg_region_desired(worker, row.row)->generation, 0);
}
END_TEST

START_TEST(a_latch_is_told_once)
{
	struct link_row row = open_row();
	struct tg_ingress *in = tg_region_ingress(worker, row.row);
	struct tg_egress *e = tg_region_egress(worker, row.row);
	struct link_passed passed = {0};
	uint32_t stint;
	latched = 0;
	in->match_ip_be = 0x01020304;
	in->match_port_be = htobe16(4711);
	atomic_store(&e->latches, 1);
	link_look(l, row);
	link_look(l, row);
	ck_assert_uint_eq(latched, 1);
	ck_assert_uint_eq(tg_addr_ipv4_be(&latched_from), 0x01020304);
	ck_assert_uint_eq(latched_port, 4711);
	link_close(l);
	open_link();
	ck_assert(link_adopt(l, row, &passed, &stint));
	link_look(l, row);
	ck_assert_uint_eq(latched, 1);
	atomic_store(&e->latches, 2);
	link_look(l, row);
	ck_assert_uint_eq(latched, 2);
}
END_TEST

START_TEST(a_successor_goes_on_with_the_news_from_where_it_was_kept)
{
	struct link_row row = open_row();
	struct tg_egress *e = tg_region_egress(worker, row.row);
	memcpy(e->digits, "123", 3);
	atomic_store(&e->digit_count, 3);
	atomic_store(&e->media_timeouts, 2);
	struct link_passed passed = {.digits = 1, .media_timeouts = 2};
	uint32_t stint;
	e->stint = 5;
	link_close(l);
	open_link();
	ck_assert(link_adopt(l, row, &passed, &stint));
	ck_assert_uint_eq(stint, 5);
	ck_assert(!link_adopt(l, row, &passed, &stint));
	link_release_leftovers(l);
	link_look(l, row);
	ck_assert_uint_eq(digits, 2);
	ck_assert_int_eq(last_digit, '3');
	ck_assert_uint_eq(link_passed(l, row).digits, 3);
	struct tg_command c[64];
	ck_assert_uint_eq(commands(c), 0);
}
END_TEST

/* What a successor asks of a row of leg 1 that hears nothing: is it done already? */
static bool is_done(struct link_row row, uint32_t remote_ip_be, uint32_t stint, enum tg_source_kind source)
{
	struct link_chain chain = {.n = 2};
	chain.command[0] = (struct tg_command){.kind = TG_CMD_PROGRAM,
		.leg = row.row,
		.generation = row.generation,
		.stint = stint,
		.program = {.remote = tg_addr_ipv4(remote_ip_be), .remote_port_be = 2}};
	chain.command[1] = (struct tg_command){.kind = TG_CMD_SOURCE,
		.leg = row.row,
		.generation = row.generation,
		.source = {.kind = (uint8_t)source, .peer = row.row, .generation = row.generation}};
	if (source == TG_SOURCE_NONE)
		chain.command[1].source = (struct tg_leg_source){.kind = TG_SOURCE_NONE};
	return link_is_done(l, &chain);
}

static void succeed(struct link_row row)
{
	struct link_passed passed = {0};
	uint32_t stint;
	link_close(l);
	open_link();
	ck_assert(link_adopt(l, row, &passed, &stint));
}

START_TEST(what_a_row_is_already_need_not_be_asked_again)
{
	struct link_row row = open_row();
	struct tg_egress *e = tg_region_egress(worker, row.row);
	e->program = (struct tg_leg_terms){.remote_ip_be = 1, .remote_port_be = 2};
	succeed(row);
	ck_assert(is_done(row, 1, 0, TG_SOURCE_NONE));
	ck_assert(!is_done(row, 3, 0, TG_SOURCE_NONE));
	ck_assert(!is_done(row, 1, 1, TG_SOURCE_NONE));
	ck_assert(!is_done(row, 1, 0, TG_SOURCE_RELAY));
	ck_assert(!is_done(row, 1, 0, TG_SOURCE_PLAY));
	struct link_row next = {row.row, row.generation + 1}, none = {1 << 20, 1};
	ck_assert(!is_done(next, 1, 0, TG_SOURCE_NONE));
	ck_assert(!is_done(none, 1, 0, TG_SOURCE_NONE));
	/* A worker that carried out something else, or nothing. */
	e->program.flags = TG_LEG_HOLD;
	ck_assert(!is_done(row, 1, 0, TG_SOURCE_NONE));
	e->program.flags = 0;
	e->source = TG_SOURCE_PLAY;
	ck_assert(!is_done(row, 1, 0, TG_SOURCE_NONE));
	e->source = TG_SOURCE_NONE;
	ck_assert(is_done(row, 1, 0, TG_SOURCE_NONE));
	/* A predecessor that died while it wrote. */
	tg_desired_write_begin(tg_region_desired(worker, row.row));
	ck_assert(!is_done(row, 1, 0, TG_SOURCE_NONE));
}
END_TEST

START_TEST(an_ipv6_row_is_what_its_whole_address_says)
{
	struct link_row row;
	struct tg_leg_program p = {.remote_port_be = 2};
	p.remote = tg_addr_ipv6((const uint8_t[16]){0x20, 0x01, 0x0d, 0xb8, [15] = 10});
	ck_assert_int_eq(link_reserve(l, -1, TG_FAMILY_IPV6, &row), 0);
	struct link_chain chain = {.n = 0};
	link_program(l, &chain, row, &p, 0, NULL);
	link_submit(l, &chain);
	struct tg_command c[64];
	ck_assert_uint_eq(commands(c), 1);
	struct tg_egress *e = tg_region_egress(worker, row.row);
	struct tg_leg_ipv6 *ipv6 = tg_region_ipv6(worker, row.row);
	memset((void *)e, 0, sizeof(*e));
	atomic_store(&e->generation, row.generation);
	e->program = tg_leg_terms_of(&p);
	memcpy(ipv6->remote, p.remote.b, sizeof(ipv6->remote));
	succeed(row);
	ck_assert(link_is_done(l, &chain));
	ipv6->remote[15]++;
	ck_assert(!link_is_done(l, &chain));
	/* Where a latch found it. */
	latched = 0;
	memcpy(ipv6->match, p.remote.b, sizeof(ipv6->match));
	tg_region_ingress(worker, row.row)->match_port_be = htobe16(4711);
	atomic_store(&e->latches, 1);
	link_look(l, row);
	ck_assert_uint_eq(latched, 1);
	ck_assert(tg_addr_equal(&latched_from, &p.remote));
}
END_TEST

START_TEST(nothing_is_done_while_a_predecessors_commands_wait)
{
	struct link_row row = open_row();
	tg_region_egress(worker, row.row)->program = (struct tg_leg_terms){
		.remote_ip_be = 1, .remote_port_be = 2};
	struct link_chain chain = {.n = 0};
	struct tg_leg_source source = {.kind = TG_SOURCE_NONE};
	link_source(l, &chain, row, &source);
	link_submit(l, &chain);
	succeed(row);
	ck_assert(!is_done(row, 1, 0, TG_SOURCE_NONE));
	struct tg_command c[64];
	ck_assert_uint_eq(commands(c), 1);
	ck_assert(!is_done(row, 1, 0, TG_SOURCE_NONE)); /* it was, at the start */
	succeed(row);
	ck_assert(is_done(row, 1, 0, TG_SOURCE_NONE));
}
END_TEST

START_TEST(a_relay_is_done_where_the_row_hears_that_very_leg)
{
	struct link_row row = open_row();
	struct tg_egress *e = tg_region_egress(worker, row.row);
	e->program = (struct tg_leg_terms){.remote_ip_be = 1, .remote_port_be = 2};
	struct link_chain chain = {.n = 0};
	struct tg_leg_source source = {
		.kind = TG_SOURCE_RELAY, .peer = row.row, .generation = row.generation};
	link_source(l, &chain, row, &source);
	link_submit(l, &chain);
	struct tg_command c[64];
	ck_assert_uint_eq(commands(c), 1);
	e->source = TG_SOURCE_RELAY;
	e->feeder = row.row;
	succeed(row);
	ck_assert(is_done(row, 1, 0, TG_SOURCE_RELAY));
	ck_assert(!is_done(row, 1, 0, TG_SOURCE_NONE));
	e->feeder = row.row + 1;
	ck_assert(!is_done(row, 1, 0, TG_SOURCE_RELAY));
}
END_TEST

START_TEST(commands_wait_for_room_in_order)
{
	struct link_row row = open_row();
	struct link_chain chain = {.n = 0};
	struct tg_leg_source none = {.kind = TG_SOURCE_NONE};
	link_source(l, &chain, row, &none);
	for (unsigned i = 0; i < TG_COMMAND_RING + 9; i++) {
		chain.command[0].tag = i;
		link_submit(l, &chain);
	}
	unsigned got = 0;
	struct tg_command c[64];
	for (int turn = 0; turn < 200; turn++) {
		uint32_t n = commands(c);
		for (uint32_t i = 0; i < n; i++)
			ck_assert_uint_eq(c[i].tag, got++);
		link_poll(l);
	}
	ck_assert_uint_eq(got, TG_COMMAND_RING + 9);
}
END_TEST

START_TEST(a_snapshot_is_compared_with_what_was_journalled)
{
	struct link_row row = open_row();
	struct link_chain chain = {.n = 0};
	link_release(l, &chain, row);
	link_submit(l, &chain);
	final_record(row);
	struct tg_meter_record r = {.kind = TG_METER_SNAPSHOT, .leg = TG_NONE, .stint = 1};
	r.closed.v[0] = r.total.v[0] = 5;
	ck_assert_int_eq(tg_ring_push(tg_region_meters(worker, 0), &r), 0);
	settle();
	ck_assert(snapshot_ok);
	r.total.v[0] = 6;
	ck_assert_int_eq(tg_ring_push(tg_region_meters(worker, 0), &r), 0);
	settle();
	ck_assert(!snapshot_ok);
}
END_TEST

/* A row whose digits are noise: only what a telephone has is passed on. */
START_TEST(what_is_no_digit_is_not_passed_on)
{
	struct link_row row = open_row();
	struct tg_egress *e = tg_region_egress(worker, row.row);
	memcpy(e->digits, "1\0x \xff\n*a#ED", 12);
	atomic_store(&e->digit_count, 12);
	event(TG_EVENT_NEWS, row, 0);
	link_poll(l);
	ck_assert_str_eq(pressed, "1*#D");
}
END_TEST

/* A count that no worker of ours writes: what the queue can hold is looked at, and no more. */
START_TEST(a_digit_count_of_noise_ends)
{
	struct link_row row = open_row();
	struct tg_egress *e = tg_region_egress(worker, row.row);
	memset(e->digits, '7', sizeof(e->digits));
	atomic_store(&e->digit_count, 0xdeadbeef);
	event(TG_EVENT_NEWS, row, 0);
	link_poll(l);
	ck_assert_uint_eq(digits, TG_DIGITS_WAITING);
	atomic_store(&e->digit_count, 0xdeadbef0);
	event(TG_EVENT_NEWS, row, 0);
	link_poll(l);
	ck_assert_uint_eq(digits, TG_DIGITS_WAITING + 1);
}
END_TEST

static void count_meters(void *ctx, const struct journal_record *record)
{
	*(unsigned *)ctx += record->fact == FACT_meter;
}

static unsigned meters_in_journal(void)
{
	char why[512];
	unsigned n = 0;
	ck_assert_msg(!journal_read(dir, count_meters, &n, why, sizeof(why)), "%s", why);
	return n;
}

/* Of two workers with two rows each. Those that can be nobody's leave the ring, and nothing else comes of
 * them: no money, no row that is free. */
START_TEST(a_meter_record_of_no_worker_is_not_counted)
{
	struct link_row row = open_row(); /* worker 0's */
	struct link_chain chain = {.n = 0};
	link_release(l, &chain, row);
	link_submit(l, &chain);
	const struct tg_meter_record good = {
		.kind = TG_METER_PART, .final = 1, .leg = row.row, .generation = row.generation};
	struct tg_meter_record bad[6];
	for (int i = 0; i < 6; i++) {
		bad[i] = good;
		bad[i].counts.v[0] = 1000;
	}
	bad[0].worker = 1;        /* says that it is another's */
	bad[1].leg = 4;           /* a row that there is not */
	bad[2].leg = TG_NONE;     /* the same */
	bad[3].leg = row.row ^ 2; /* the other worker's */
	bad[4].generation = 0;    /* of nobody */
	bad[5].kind = 77;         /* no record at all */
	ck_assert_int_eq(tg_ring_push_bulk(tg_region_meters(worker, 0), bad, 6), 0);
	settle();
	ck_assert_uint_eq(tg_ring_waiting(tg_region_meters(worker, 0)), 0);
	ck_assert_uint_eq(meters_in_journal(), 0);
	ck_assert_uint_eq(released, 0);
	ck_assert(link_releasing(l, row));
	ck_assert_uint_eq(link_rows_in_use(l), 1);
	ck_assert_int_eq(tg_ring_push(tg_region_meters(worker, 0), &good), 0);
	settle();
	ck_assert_uint_eq(meters_in_journal(), 1);
	ck_assert_uint_eq(released, 1);
	ck_assert_uint_eq(link_rows_in_use(l), 0);
	/* Nor does the audit believe them. */
	struct tg_meter_record sum = {.kind = TG_METER_SNAPSHOT, .leg = TG_NONE};
	ck_assert_int_eq(tg_ring_push(tg_region_meters(worker, 0), &sum), 0);
	settle();
	ck_assert(snapshot_ok);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("link");
	TCase *t = tcase_create("link");
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, a_chain_reaches_the_worker_whole);
	tcase_add_test(t, digits_are_passed_on_once_and_in_order);
	tcase_add_test(t, news_without_an_event_is_found_by_the_missed_count);
	tcase_add_test(t, stale_events_are_nobodys);
	tcase_add_test(t, a_refused_play_is_told_as_one_and_no_longer_wanted);
	tcase_add_test(t, a_meter_record_leaves_the_ring_when_it_is_durable);
	tcase_add_test(t, a_successor_finds_the_record_again_and_releases_rows);
	tcase_add_test(t, a_successor_knows_which_rows_have_ended);
	tcase_add_test(t, a_row_the_worker_never_had_is_released_by_its_refusal);
	tcase_add_test(t, another_commands_refusal_does_not_end_a_release);
	tcase_add_test(t, a_second_release_waits_for_the_final_record_of_the_first);
	tcase_add_test(t, a_latch_is_told_once);
	tcase_add_test(t, a_successor_goes_on_with_the_news_from_where_it_was_kept);
	tcase_add_test(t, what_a_row_is_already_need_not_be_asked_again);
	tcase_add_test(t, nothing_is_done_while_a_predecessors_commands_wait);
	tcase_add_test(t, a_relay_is_done_where_the_row_hears_that_very_leg);
	tcase_add_test(t, commands_wait_for_room_in_order);
	tcase_add_test(t, a_snapshot_is_compared_with_what_was_journalled);
	tcase_add_test(t, what_is_no_digit_is_not_passed_on);
	tcase_add_test(t, a_digit_count_of_noise_ends);
	suite_add_tcase(s, t);
	TCase *two = tcase_create("two workers");
	tcase_add_checked_fixture(two, setup_two, teardown);
	tcase_add_test(two, a_meter_record_of_no_worker_is_not_counted);
	suite_add_tcase(s, two);
	TCase *both = tcase_create("both families");
	tcase_add_checked_fixture(both, setup_both, teardown);
	tcase_add_test(both, an_ipv6_row_is_what_its_whole_address_says);
	suite_add_tcase(s, both);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
