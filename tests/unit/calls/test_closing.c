/* Sessions that are closed by records, with what the shelf and the journal say of them. The engine around it
 * is played by the test: what is appended, added and told is written down. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "controlplane/calls/engine_private.h"
#include "controlplane/calls/recovery.h"
#include "controlplane/modules/registry_entry.h"
#include "tests/unit/journal/scratch.h"

#define SE    "SE000102030405060708090a0b0c0d0e0f"
#define OTHER "SE000102030405060708090a0b0c0d0e10"
#define CA    "CA000102030405060708090a0b0c0d0e0f"
#define NOW   1700000000000000000ull
#define LEGS  4

static struct engine engine;
static struct call *call;
static struct row_owner by_row[LEGS];
static json_t *appended; /* [name, payload] of what went into the journal once more */
static char region_name[64], dir[SCRATCH_BYTES];

/* --- the engine, as far as closing.c needs it --------------------------------------------------------- */

struct call *engine_add_call(struct engine *e, struct session *s)
{
	call = calloc(1, sizeof(*call));
	ck_assert_ptr_nonnull(call);
	call->session = s;
	return call;
}

struct session_env engine_env(struct engine *e, const struct session *s)
{
	return (struct session_env){.now_ns = NOW};
}

void engine_process(struct engine *e, struct call *c)
{
	ck_assert_ptr_eq(c, call);
}

void takeover_append(struct engine *e, struct call *c, enum fact fact, json_t *payload)
{
	c->facts++;
	json_array_append_new(appended, json_pack("[s, o]", fact_name[fact], payload));
}

bool takeover_dialog(struct engine *e, struct call *c, int leg, const json_t *dialog)
{
	if (!json_is_object(dialog))
		return false;
	c->session->leg[leg]->ua = 100 + (uint64_t)leg;
	return true;
}

static void on_digit(void *ctx, struct link_row row, char digit)
{
}

static void on_play_done(void *ctx, struct link_row row, uint32_t id, bool stopped)
{
}

static void on_row(void *ctx, struct link_row row)
{
}

static void on_latched(void *ctx, struct link_row row, const struct tg_addr *source, uint16_t port)
{
}

static void on_play_refused(void *ctx, struct link_row row, uint32_t id)
{
}

static void on_refused(void *ctx, struct link_row row, int refusal)
{
}

static void on_snapshot(void *ctx, uint32_t tag, uint32_t w, bool ok, const json_t *fact)
{
}

static const struct link_handler handler = {.digit = on_digit,
	.play_done = on_play_done,
	.media_timeout = on_row,
	.latched = on_latched,
	.play_refused = on_play_refused,
	.refused = on_refused,
	.released = on_row,
	.snapshot = on_snapshot};

static void setup(void)
{
	char why[512];
	struct tg_capacity cap = {.workers = 1,
		.addresses = 1,
		.port_min = 20000,
		.ports = 2 * LEGS,
		.media_items = 1,
		.arena_bytes = 4096,
		.address = {{.b = {127, 0, 0, 1}, .family = TG_FAMILY_IPV4}}};
	memset(&engine, 0, sizeof(engine));
	memset(by_row, 0, sizeof(by_row));
	call = NULL;
	appended = json_array();
	engine.by_row = by_row;
	snprintf(region_name, sizeof(region_name), "tollgate-test-closing-%d", (int)getpid());
	ck_assert_msg(!tg_region_open(&engine.region, "/dev/shm", region_name, &cap, TG_ROLE_CONTROL, why,
			      sizeof(why)),
		"%s", why);
	scratch_make(dir);
	struct journal_options j = {.dir = dir};
	ck_assert_msg(!journal_open(&engine.journal, &j, why, sizeof(why)), "%s", why);
	struct link_options l = {.region = engine.region, .journal = engine.journal, .handler = &handler};
	ck_assert_int_eq(link_open(&engine.link, &l), 0);
	static const char none[] = "accounts = (); modules = (); numbers = ();";
	ck_assert_msg(
		!registry_parse(none, strlen(none), "r", &engine.registry, why, sizeof(why)), "%s", why);
	ck_assert_int_eq(recovery_create(&engine.recovery), 0);
}

static void teardown(void)
{
	char path[128];
	if (call)
		session_destroy(call->session);
	free(call);
	json_decref(appended);
	recovery_destroy(engine.recovery);
	registry_unref(engine.registry);
	link_close(engine.link);
	journal_close(engine.journal);
	tg_region_close(engine.region);
	snprintf(path, sizeof(path), "/dev/shm/%s", region_name);
	unlink(path);
	scratch_remove(dir);
}

/* --- stories ------------------------------------------------------------------------------------------- */

/* The journal has it. */
static void journal_has(enum fact fact, json_t *payload)
{
	ck_assert_ptr_nonnull(payload);
	struct journal_record record = {.fact = fact, .payload = payload};
	recovery_feed(engine.recovery, &record);
	json_decref(payload);
}

static json_t *of_session(const char *session)
{
	return json_pack("{s:s, s:s}", "session", session, "call", CA);
}

static json_t *of_leg(int leg)
{
	return json_pack("{s:s, s:i}", "session", SE, "leg", leg);
}

static json_t *of_stint(int stint)
{
	return json_pack("{s:s, s:i}", "session", SE, "stint", stint);
}

/* The journal has a session with one leg and its first stint: three facts. */
static void journal_has_a_call(void)
{
	journal_has(FACT_session_open, of_session(SE));
	journal_has(FACT_leg_open, of_leg(0));
	journal_has(FACT_stint_open, of_stint(0));
}

/* A fact as the shelf keeps it: number `n` of the session's. */
static void shelf_has(json_t *value, int n, const char *fact, json_t *payload)
{
	json_t *facts = json_object_get(value, "facts");
	json_array_append_new(facts, json_pack("[i, i, s, o]", 1000 + n, n, fact, payload));
}

static json_t *shelf_value(void)
{
	return json_pack("{s:{}, s:[], s:[]}", "session", "dialogs", "facts");
}

/* Of the session's actions, the n-th fact of this kind, borrowed; NULL: there is none. */
static json_t *fact_of(enum fact fact, int n)
{
	for (const struct action *a = call->session->first; a; a = a->next)
		if (a->kind == ACTION_FACT && a->fact == fact && !n--)
			return a->payload;
	return NULL;
}

static const char *text_in(const json_t *fact, const char *name)
{
	const char *text = json_string_value(json_object_get(fact, name));
	return text ? text : "(none)";
}

static int number_in(const json_t *fact, const char *name)
{
	const json_t *n = json_object_get(fact, name);
	return json_is_integer(n) ? (int)json_integer_value(n) : -1;
}

static const char *appended_name(size_t i)
{
	const char *name = json_string_value(json_array_get(json_array_get(appended, i), 0));
	return name ? name : "(none)";
}

/* Keeps and closes as a start does. value: stolen; NULL: the shelf has nothing of it. */
static void close_it(json_t *value, const char *why)
{
	json_t *kept = value ? closing_keep(&engine, SE, value, why) : NULL;
	const struct recovery_session *r = recovery_find(engine.recovery, SE);
	ck_assert_ptr_nonnull(r);
	closing_run(&engine, r, kept);
	json_decref(kept);
	json_decref(value);
}

START_TEST(what_the_journal_lost_is_appended_in_order)
{
	json_t *value = shelf_value();
	journal_has_a_call();
	shelf_has(value, 1, "leg_open", of_leg(0)); /* the journal has it */
	shelf_has(value, 2, "stint_open", of_stint(0));
	shelf_has(value, 3, "leg_answered", of_leg(0));
	shelf_has(value, 4, "stint_close", of_stint(0));
	shelf_has(value, 5, "stint_open", of_stint(1));
	close_it(value, "why");
	ck_assert_uint_eq(json_array_size(appended), 3);
	ck_assert_str_eq(appended_name(0), "leg_answered");
	ck_assert_str_eq(appended_name(1), "stint_close");
	ck_assert_str_eq(appended_name(2), "stint_open");
	ck_assert_uint_eq(call->facts, 6);
	/* And what they say is known: the stint that is closed is the one that they opened. */
	ck_assert_int_eq(number_in(fact_of(FACT_stint_close, 0), "stint"), 1);
	ck_assert_ptr_null(fact_of(FACT_stint_close, 1));
	ck_assert_int_eq(number_in(fact_of(FACT_leg_ended, 0), "status"), 200);
	ck_assert_int_eq(call->session->state, SESSION_CLOSED);
}
END_TEST

/* Never a fact without those before it. */
START_TEST(facts_behind_a_gap_are_left_out)
{
	json_t *value = shelf_value();
	journal_has_a_call();
	shelf_has(value, 4, "leg_answered", of_leg(0));
	shelf_has(value, 5, "leg_ended", of_leg(0));
	close_it(value, "why");
	ck_assert_uint_eq(json_array_size(appended), 0);
	ck_assert_int_eq(number_in(fact_of(FACT_leg_ended, 0), "status"), 0);
}
END_TEST

START_TEST(a_session_that_the_journal_does_not_know_is_closed_too)
{
	json_t *value = shelf_value();
	shelf_has(value, 0, "session_open", of_session(SE));
	shelf_has(value, 1, "leg_open", of_leg(0));
	close_it(value, "its region is gone");
	ck_assert_uint_eq(json_array_size(appended), 2);
	ck_assert_str_eq(appended_name(0), "session_open");
	ck_assert_str_eq(appended_name(1), "leg_open");
	ck_assert_int_eq(number_in(fact_of(FACT_leg_ended, 0), "leg"), 0);
	ck_assert_ptr_nonnull(fact_of(FACT_session_close, 0));
	ck_assert_str_eq(call->session->leg[0]->sid, CA);
}
END_TEST

/* Its first fact is nowhere: there is nothing that could be closed. */
START_TEST(a_session_without_a_beginning_is_none)
{
	json_t *value = shelf_value();
	shelf_has(value, 1, "leg_open", of_leg(0));
	json_t *kept = closing_keep(&engine, SE, value, "why");
	ck_assert_ptr_null(recovery_find(engine.recovery, SE));
	ck_assert_uint_eq(json_array_size(json_object_get(kept, "lost")), 0);
	json_decref(kept);
	json_decref(value);
}
END_TEST

static void check_refused(const char *name, json_t *payload)
{
	json_t *value = shelf_value();
	shelf_has(value, 3, name, payload);
	shelf_has(value, 4, "leg_answered", of_leg(0));
	json_t *kept = closing_keep(&engine, SE, value, "why");
	ck_assert_msg(!json_array_size(json_object_get(kept, "lost")), "%s was believed", name);
	json_decref(kept);
	json_decref(value);
}

/* Nor anything behind them. The end of the session is written anew. */
START_TEST(facts_that_are_none_of_its_own_are_left_out)
{
	journal_has_a_call();
	check_refused("leg_answered", json_pack("{s:s, s:i}", "session", OTHER, "leg", 0));
	check_refused("leg_answered", json_pack("{s:i}", "leg", 0));
	check_refused("leg_answered", json_null());
	check_refused("nothing", of_leg(0));
	check_refused("session_close", of_session(SE));
	ck_assert_uint_eq(recovery_find(engine.recovery, SE)->facts, 3);
	/* Nor is a file that says something else altogether. */
	json_t *value = json_pack("{s:[i, s, {}, [], n]}", "facts", 1, "x"), *empty = json_object();
	json_t *kept = closing_keep(&engine, SE, value, "why");
	ck_assert_uint_eq(json_array_size(json_object_get(kept, "lost")), 0);
	json_decref(kept);
	kept = closing_keep(&engine, SE, empty, "why");
	ck_assert_uint_eq(json_array_size(json_object_get(kept, "lost")), 0);
	json_decref(kept);
	json_decref(value);
	json_decref(empty);
}
END_TEST

START_TEST(what_cannot_be_taken_up_says_why)
{
	journal_has_a_call();
	close_it(shelf_value(), "its region is gone");
	const json_t *end = fact_of(FACT_session_close, 0);
	ck_assert_str_eq(text_in(end, "cause"), "not-taken-up");
	ck_assert_str_eq(text_in(end, "reason"), "its region is gone");
	ck_assert_str_eq(text_in(end, "partial"),
		"not taken up (its region is gone): the end is when control was back");
	ck_assert_str_eq(text_in(fact_of(FACT_stint_close, 0), "reason"), "not-taken-up");
	ck_assert_int_eq(number_in(fact_of(FACT_leg_ended, 0), "cause"), 41);
	ck_assert_str_eq(text_in(fact_of(FACT_leg_ended, 0), "released_by"), "gateway");
}
END_TEST

START_TEST(what_the_shelf_has_nothing_of_says_that)
{
	journal_has_a_call();
	close_it(NULL, NULL);
	const json_t *end = fact_of(FACT_session_close, 0);
	ck_assert_str_eq(text_in(end, "cause"), "control-restarted");
	ck_assert_str_eq(text_in(end, "partial"), "control plane restarted: the end is when it was back");
	ck_assert_uint_eq(call->facts, 3);
}
END_TEST

/* Its last process had decided why it ends; that the end's time is uncertain is said all the same. */
START_TEST(an_end_that_was_decided_keeps_its_cause)
{
	json_t *value = shelf_value();
	journal_has_a_call();
	json_object_set_new(value, "session",
		json_pack("{s:i, s:s, s:s}", "state", SESSION_CLOSING, "cause", "caller-hung-up", "reason",
			"the caller hung up"));
	close_it(value, "its region is gone");
	const json_t *end = fact_of(FACT_session_close, 0);
	ck_assert_str_eq(text_in(end, "cause"), "caller-hung-up");
	ck_assert_str_eq(text_in(end, "reason"), "the caller hung up");
	ck_assert_str_eq(text_in(end, "partial"),
		"not taken up (its region is gone): the end is when control was back");
	ck_assert_str_eq(text_in(fact_of(FACT_stint_close, 0), "reason"), "caller-hung-up");
}
END_TEST

START_TEST(far_ends_are_told_before_it_is_over)
{
	json_t *value = shelf_value();
	journal_has_a_call();
	journal_has(FACT_leg_open, of_leg(1));
	journal_has(FACT_leg_open, of_leg(2));
	journal_has(FACT_leg_answered, of_leg(1));
	journal_has(FACT_leg_ended, of_leg(2));
	json_object_set_new(value, "dialogs", json_pack("[{}, {}, n]"));
	close_it(value, "why");
	struct session *s = call->session;
	ck_assert_int_eq(s->leg[0]->state, LEG_ENDING);
	ck_assert_int_eq(s->leg[1]->state, LEG_ENDING);
	ck_assert_int_eq(s->leg[2]->state, LEG_GONE);
	ck_assert_uint_eq(s->leg[2]->ua, 0);
	int ends = 0;
	for (const struct action *a = s->first; a; a = a->next)
		ends += a->kind == ACTION_END && a->status == 41;
	ck_assert_int_eq(ends, 2);
	/* The caller was waiting and gets a 500; the callee had answered; the third has its record already.
	 */
	ck_assert_int_eq(number_in(fact_of(FACT_leg_ended, 0), "status"), 500);
	ck_assert_int_eq(number_in(fact_of(FACT_leg_ended, 1), "status"), 200);
	ck_assert_int_eq(number_in(fact_of(FACT_leg_ended, 1), "leg"), 1);
	ck_assert_ptr_null(fact_of(FACT_leg_ended, 2));
	ck_assert_ptr_null(fact_of(FACT_session_close, 0));
	struct session_env env = engine_env(&engine, s);
	struct ua_event gone = {.kind = UA_GONE};
	session_on_ua(s, 0, &gone, &env);
	ck_assert_ptr_null(fact_of(FACT_session_close, 0));
	session_on_ua(s, 1, &gone, &env);
	ck_assert_ptr_nonnull(fact_of(FACT_session_close, 0));
	ck_assert_ptr_null(fact_of(FACT_leg_ended, 2));
}
END_TEST

/* More dialogs than a session has legs, as only a damaged shelf has them. */
START_TEST(too_many_dialogs_are_no_harm)
{
	json_t *value = shelf_value(), *dialogs = json_object_get(value, "dialogs");
	journal_has_a_call();
	for (int i = 0; i < 200; i++)
		json_array_append_new(dialogs, json_object());
	close_it(value, "why");
	ck_assert_int_eq(call->session->legs, SESSION_LEGS_MAX);
	ck_assert_ptr_nonnull(fact_of(FACT_leg_ended, 0));
	ck_assert_ptr_null(fact_of(FACT_leg_ended, 1)); /* of legs that the journal doesn't know */
}
END_TEST

static void has_media(int leg, uint64_t region, uint32_t row, uint32_t generation)
{
	journal_has(FACT_leg_open, of_leg(leg));
	journal_has(FACT_leg_media,
		json_pack("{s:s, s:i, s:I, s:I, s:I}", "session", SE, "leg", leg, "region",
			(json_int_t)region, "row", (json_int_t)row, "generation", (json_int_t)generation));
}

/* A row of this region that is being released is waited for; of another region, or one that there can't be,
 * nothing is known. */
START_TEST(rows_are_waited_for)
{
	uint64_t here = tg_region_id(engine.region);
	atomic_store(&tg_region_egress(engine.region, 1)->generation, 9);
	link_release_leftovers(engine.link);
	journal_has(FACT_session_open, of_session(SE));
	has_media(0, here, 1, 9);
	has_media(1, here, 4000000, 9);
	has_media(2, here, 2, 7); /* was free by then */
	close_it(NULL, NULL);
	struct session *s = call->session;
	ck_assert(s->leg[0]->row_pending && !s->leg[1]->row_pending && !s->leg[2]->row_pending);
	ck_assert_ptr_eq(by_row[1].call, call);
	ck_assert_ptr_null(by_row[2].call);
	ck_assert_ptr_null(fact_of(FACT_session_close, 0));
	struct session_env env = engine_env(&engine, s);
	session_on_row_released(s, 0, &env);
	ck_assert_ptr_nonnull(fact_of(FACT_session_close, 0));
}
END_TEST

START_TEST(another_regions_rows_are_nothing_here)
{
	const uint64_t step_ms = 3600000;
	atomic_store(&tg_region_egress(engine.region, 1)->generation, 9);
	link_release_leftovers(engine.link);
	json_t *open = of_session(SE);
	json_object_set_new(open, "clock_step_ms", json_integer((json_int_t)step_ms));
	journal_has(FACT_session_open, open);
	has_media(0, tg_region_id(engine.region) + 1, 1, 9);
	close_it(NULL, NULL);
	ck_assert(!call->session->leg[0]->row_pending);
	ck_assert_ptr_null(by_row[1].call);
	/* By the clock that the session began with, whose rows are dated with the step. */
	const json_t *end = fact_of(FACT_session_close, 0);
	ck_assert_uint_eq(
		(uint64_t)json_integer_value(json_object_get(end, "at_ns")), NOW - step_ms * 1000000);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("closing");
	TCase *t = tcase_create("closing");
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, what_the_journal_lost_is_appended_in_order);
	tcase_add_test(t, facts_behind_a_gap_are_left_out);
	tcase_add_test(t, a_session_that_the_journal_does_not_know_is_closed_too);
	tcase_add_test(t, a_session_without_a_beginning_is_none);
	tcase_add_test(t, facts_that_are_none_of_its_own_are_left_out);
	tcase_add_test(t, what_cannot_be_taken_up_says_why);
	tcase_add_test(t, what_the_shelf_has_nothing_of_says_that);
	tcase_add_test(t, an_end_that_was_decided_keeps_its_cause);
	tcase_add_test(t, far_ends_are_told_before_it_is_over);
	tcase_add_test(t, too_many_dialogs_are_no_harm);
	tcase_add_test(t, rows_are_waited_for);
	tcase_add_test(t, another_regions_rows_are_nothing_here);
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
