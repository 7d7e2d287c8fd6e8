#include "controlplane/calls/recovery.h"

#include "tests/unit/journal/scratch.h"

#define SE "SE000102030405060708090a0b0c0d0e0f"
#define CA "CA000102030405060708090a0b0c0d0e0f"

static struct recovery *r;

static void feed(enum fact fact, json_t *payload)
{
	ck_assert_ptr_nonnull(payload);
	struct journal_record record = {.sequence = 1, .fact = fact, .payload = payload};
	recovery_feed(r, &record);
	json_decref(payload);
}

static void open_session(const char *session)
{
	feed(FACT_session_open, json_pack("{s:s, s:s}", "session", session, "call", CA));
}

START_TEST(a_closed_session_leaves_nothing)
{
	ck_assert_int_eq(recovery_create(&r), 0);
	open_session(SE);
	feed(FACT_session_close, json_pack("{s:s}", "session", SE));
	ck_assert(recovery_was_closed(r, SE));
	ck_assert(!recovery_was_closed(r, "SE000102030405060708090a0b0c0d0e10"));
	ck_assert(!recovery_was_closed(r, "nobody"));
	ck_assert_ptr_null(recovery_first(r));
	recovery_destroy(r);
}
END_TEST

START_TEST(an_open_session_is_found_with_what_it_had)
{
	ck_assert_int_eq(recovery_create(&r), 0);
	open_session(SE);
	feed(FACT_leg_open, json_pack("{s:s, s:i}", "session", SE, "leg", 0));
	feed(FACT_leg_open, json_pack("{s:s, s:i}", "session", SE, "leg", 1));
	feed(FACT_leg_media, json_pack("{s:s, s:i, s:I, s:i, s:i}", "session", SE, "leg", 1, "region",
				     (json_int_t)77, "row", 5, "generation", 9));
	feed(FACT_leg_answered, json_pack("{s:s, s:i}", "session", SE, "leg", 0));
	feed(FACT_leg_ended, json_pack("{s:s, s:i}", "session", SE, "leg", 1));
	feed(FACT_stint_open, json_pack("{s:s, s:i}", "session", SE, "stint", 0));
	feed(FACT_stint_close, json_pack("{s:s, s:i}", "session", SE, "stint", 0));
	feed(FACT_stint_open, json_pack("{s:s, s:i}", "session", SE, "stint", 1));
	const struct recovery_session *s = recovery_first(r);
	ck_assert_ptr_nonnull(s);
	ck_assert_ptr_null(s->next);
	ck_assert_str_eq(s->text, SE);
	ck_assert_str_eq(s->call, CA);
	ck_assert_int_eq(s->legs, 2);
	ck_assert(!s->leg_ended[0] && s->leg_ended[1]);
	ck_assert(s->leg_answered[0] && !s->leg_answered[1]);
	ck_assert_uint_eq(s->row[1].generation, 9);
	ck_assert_uint_eq(s->row[1].region, 77);
	ck_assert_uint_eq(s->row[0].generation, 0);
	ck_assert(s->stint_open);
	ck_assert_uint_eq(s->stint, 1);
	ck_assert_uint_eq(s->facts, 9);
	ck_assert(!recovery_elsewhere(s, 77) && recovery_elsewhere(s, 78));
	ck_assert_int_eq(s->clock_step_ns, 0);
	ck_assert(!recovery_was_closed(r, SE));
	recovery_destroy(r);
}
END_TEST

START_TEST(nonsense_is_passed_over)
{
	ck_assert_int_eq(recovery_create(&r), 0);
	open_session("SE-no-id");
	open_session("");
	feed(FACT_leg_open, json_pack("{s:s, s:i}", "session", SE, "leg", 0)); /* of nobody */
	open_session(SE);
	feed(FACT_leg_open, json_pack("{s:s, s:I}", "session", SE, "leg", (json_int_t)1 << 40));
	feed(FACT_leg_open, json_pack("{s:s, s:i}", "session", SE, "leg", -1));
	feed(FACT_session_close, json_object());
	const struct recovery_session *s = recovery_first(r);
	ck_assert_ptr_nonnull(s);
	ck_assert_ptr_null(s->next);
	ck_assert_int_eq(s->legs, 0);
	recovery_destroy(r);
}
END_TEST

SCRATCH_MAIN("recovery", 20, a_closed_session_leaves_nothing, an_open_session_is_found_with_what_it_had,
	nonsense_is_passed_over)
