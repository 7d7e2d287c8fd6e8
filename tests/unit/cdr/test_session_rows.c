#include "controlplane/cdr/session.h"

#include <errno.h>

#include "tests/unit/cdr/story.h"

#define ROWS_MAX 32

struct rows {
	struct cdr_row row[ROWS_MAX];
	char type[ROWS_MAX][8];
	size_t n;
};

static void collect(void *ctx, struct cdr_row *row)
{
	struct rows *r = ctx;
	ck_assert_uint_lt(r->n, ROWS_MAX);
	snprintf(r->type[r->n], 8, "%.*s", (int)row->v[CDR_type].len, row->v[CDR_type].text);
	r->row[r->n++] = *row;
}

/* Rows of the one session of a story. */
static void tell(struct story *s, struct rows *rows, struct cdr_session **session)
{
	struct usage *usage;
	*session = NULL;
	rows->n = 0;
	ck_assert_int_eq(usage_create(&usage), 0);
	for (size_t i = 0; i < s->n; i++) {
		const struct journal_record *r = &s->record[i];
		if (r->fact == FACT_session_open)
			ck_assert_int_eq(cdr_session_create(session, r), 0);
		else if (r->fact == FACT_session_close)
			ck_assert_int_eq(cdr_session_rows(*session, r->payload, usage, collect, rows), 0);
		else if (*session)
			cdr_session_feed(*session, r);
		usage_feed(usage, r->fact, r->payload);
	}
	usage_destroy(usage);
}

static struct story story;
static struct rows rows;
static struct cdr_session *session;

static void teardown(void)
{
	cdr_session_free(session);
	session = NULL;
	story_free(&story);
}

static uint64_t number(size_t row, enum cdr_column column)
{
	ck_assert_uint_lt(row, rows.n);
	ck_assert_msg(rows.row[row].v[column].set, "row %zu column %d is empty", row, (int)column);
	return rows.row[row].v[column].number;
}

static bool noted(size_t row, const char *note)
{
	return strstr(rows.row[row].note, note) != NULL;
}

START_TEST(sums_agree)
{
	story_start(&story, 100);
	story_call(&story, 1, STORY_T0);
	tell(&story, &rows, &session);
	ck_assert_uint_eq(rows.n, 6);
	static const char *const types[] = {"leg", "leg", "leg", "stint", "stint", "session"};
	for (size_t i = 0; i < 6; i++)
		ck_assert_str_eq(rows.type[i], types[i]);
	/* Stints meet and add up to the session, exactly. */
	ck_assert_uint_eq(
		number(3, CDR_billable_ms) + number(4, CDR_billable_ms), number(5, CDR_billable_ms));
	ck_assert_uint_eq(number(5, CDR_billable_ms), 58000);
	ck_assert_uint_eq(number(5, CDR_ring_ms), 1000);
	ck_assert_uint_eq(number(3, CDR_duration_ms), 12500);
	ck_assert_uint_eq(number(3, CDR_billable_ms), 10500);
	ck_assert_uint_eq(number(2, CDR_duration_ms), 40000);
	ck_assert_uint_eq(number(1, CDR_duration_ms), 0);
	ck_assert_uint_eq(number(1, CDR_sip_status), 486);
	ck_assert_uint_eq(number(1, CDR_to_packets), 0);
	static const enum cdr_column columns[] = {
		CDR_played_packets, CDR_played_octets, CDR_dropped_packets, CDR_digits, CDR_lost_packets};
	for (size_t c = 0; c < 5; c++) {
		uint64_t all = number(5, columns[c]);
		ck_assert_uint_gt(all, 0);
		ck_assert_uint_eq(number(0, columns[c]) + number(1, columns[c]) + number(2, columns[c]), all);
		ck_assert_uint_eq(number(3, columns[c]) + number(4, columns[c]), all);
	}
	ck_assert_uint_eq(number(0, CDR_from_packets), number(5, CDR_from_caller_packets));
	ck_assert_uint_eq(number(2, CDR_to_octets), number(5, CDR_to_callee_octets));
	ck_assert_uint_eq(number(3, CDR_to_callee_packets), 0);
	ck_assert_uint_eq(number(4, CDR_from_callee_packets), 1500);
	ck_assert_uint_eq(number(3, CDR_to_caller_packets), 500 * 3 + 500 * 5);
	for (size_t i = 0; i < rows.n; i++)
		ck_assert(!rows.row[i].v[CDR_partial].set);
}
END_TEST

/* A session that began after the wall clock was stepped: every date is moved, no duration changes. */
START_TEST(stepped_clock)
{
	static const enum cdr_column times[] = {
		CDR_setup_time, CDR_ringing_time, CDR_answer_time, CDR_start_time, CDR_end_time};
	static const enum cdr_column spans[] = {CDR_ring_ms, CDR_duration_ms, CDR_billable_ms};
	static const int64_t steps_ms[] = {3600007, -3600007};
	static struct rows plain;
	story_call(&story, 1, STORY_T0);
	tell(&story, &plain, &session);
	for (int k = 0; k < 2; k++) {
		cdr_session_free(session);
		json_object_set_new(story.payload[0], "clock_step_ms", json_integer(steps_ms[k]));
		tell(&story, &rows, &session);
		ck_assert_uint_eq(rows.n, plain.n);
		for (size_t i = 0; i < rows.n; i++) {
			for (size_t c = 0; c < 5; c++)
				if (plain.row[i].v[times[c]].set)
					ck_assert_uint_eq(number(i, times[c]),
						plain.row[i].v[times[c]].number +
							(uint64_t)(steps_ms[k] * STORY_MS));
			for (size_t c = 0; c < 3; c++)
				if (plain.row[i].v[spans[c]].set)
					ck_assert_uint_eq(
						number(i, spans[c]), plain.row[i].v[spans[c]].number);
		}
	}
	/* What no clock can be off by is not believed. */
	cdr_session_free(session);
	json_object_set_new(story.payload[0], "clock_step_ms", json_integer(INT64_MAX));
	tell(&story, &rows, &session);
	ck_assert_uint_eq(number(0, CDR_setup_time), plain.row[0].v[CDR_setup_time].number);
}
END_TEST

START_TEST(never_answered)
{
	story_open(&story, "S", "C", "1", STORY_T0);
	story_leg(&story, "S", "C", 0, "2", STORY_T0);
	story_leg_at(&story, FACT_leg_ringing, "S", 0, STORY_T0 + STORY_S);
	story_leg_end(&story, "S", 0, STORY_T0 + 31 * STORY_S, 487, 16, "caller", "cancel");
	story_close(&story, "S", STORY_T0 + 32 * STORY_S);
	tell(&story, &rows, &session);
	ck_assert_uint_eq(rows.n, 2);
	for (size_t i = 0; i < 2; i++) {
		ck_assert_uint_eq(number(i, CDR_duration_ms), 0);
		ck_assert_uint_eq(number(i, CDR_billable_ms), 0);
		ck_assert_uint_eq(number(i, CDR_ring_ms), 30000);
		ck_assert_uint_eq(number(i, CDR_sip_status), 487);
		ck_assert(!rows.row[i].v[CDR_answer_time].set);
	}
}
END_TEST

/* An end that was never told is that of the session, and marked: not billed as nothing. */
START_TEST(end_not_recorded)
{
	story_open(&story, "S", "C", "1", STORY_T0);
	story_leg(&story, "S", "C", 0, "2", STORY_T0);
	story_stint(&story, "S", "C", 0, "ivr", "incoming", STORY_T0);
	story_media(&story, "S", 0, 1, STORY_T0);
	story_leg_at(&story, FACT_leg_answered, "S", 0, STORY_T0 + STORY_S);
	story_close(&story, "S", STORY_T0 + 11 * STORY_S);
	tell(&story, &rows, &session);
	ck_assert_uint_eq(rows.n, 3);
	for (size_t i = 0; i < 3; i++) {
		ck_assert_uint_eq(number(i, CDR_billable_ms), 10000);
		ck_assert(noted(i, "meter record missing"));
		ck_assert(noted(i, "not recorded"));
	}
}
END_TEST

START_TEST(times_out_of_order)
{
	story_open(&story, "S", "C", "1", STORY_T0);
	story_leg(&story, "S", "C", 0, "2", STORY_T0);
	story_stint(&story, "S", "C", 0, "ivr", "incoming", STORY_T0 + 50 * STORY_S);
	story_leg_at(&story, FACT_leg_ringing, "S", 0, STORY_T0 + 10 * STORY_S);
	story_leg_at(&story, FACT_leg_answered, "S", 0, STORY_T0 + 9 * STORY_S);
	story_stint_end(&story, "S", "C", 0, "hangup", STORY_T0 + 8 * STORY_S);
	story_leg_end(&story, "S", 0, STORY_T0 + 8 * STORY_S, 200, 16, "caller", "bye");
	story_close(&story, "S", STORY_T0 + 7 * STORY_S);
	tell(&story, &rows, &session);
	ck_assert_uint_eq(rows.n, 3);
	for (size_t i = 0; i < 3; i++) {
		ck_assert_uint_eq(number(i, CDR_duration_ms), 0);
		ck_assert_uint_eq(number(i, CDR_billable_ms), 0);
		ck_assert(noted(i, "times out of order"));
	}
	ck_assert_uint_eq(number(0, CDR_ring_ms), 0);
}
END_TEST

static void had_outage(json_t *meter, int outages, int ms, int uncertain)
{
	json_object_set_new(meter, "outages", json_integer(outages));
	json_object_set_new(meter, "outage_ms", json_integer(ms));
	json_object_set_new(meter, "uncertain_packets", json_integer(uncertain));
}

/* Rows of what was open when the dataplane was replaced say so, and no others. */
START_TEST(the_dataplane_was_replaced)
{
	story_start(&story, 100);
	story_call(&story, 1, STORY_T0);
	/* Both legs of the second stint missed the same outage, the callee's alone the one before. */
	json_t *meter[3];
	for (size_t i = 0, n = 0; i < story.n; i++)
		if (story.record[i].fact == FACT_meter)
			meter[n++] = story.payload[i];
	had_outage(meter[1], 1, 200, 3);
	had_outage(meter[2], 2, 430, 4);
	tell(&story, &rows, &session);
	ck_assert_uint_eq(rows.n, 6);
	/* Legs 0, 1 (busy) and 2, stints 0 and 1, the session. */
	static const uint64_t wanted[6][3] = {
		{1, 200, 3}, {0, 0, 0}, {2, 430, 4}, {0, 0, 0}, {2, 430, 7}, {2, 430, 7}};
	for (size_t i = 0; i < 6; i++) {
		ck_assert_uint_eq(number(i, CDR_outages), wanted[i][0]);
		ck_assert_uint_eq(number(i, CDR_outage_ms), wanted[i][1]);
		ck_assert_uint_eq(number(i, CDR_uncertain_packets), wanted[i][2]);
		ck_assert_int_eq(rows.row[i].v[CDR_partial].set, wanted[i][0] > 0);
		ck_assert_int_eq(noted(i, "the dataplane was replaced"), wanted[i][0] > 0);
		ck_assert_int_eq(noted(i, "may not be counted"), wanted[i][2] > 0);
	}
}
END_TEST

/* What RTCP said is in the rows of legs, as of the last part. */
START_TEST(what_rtcp_said)
{
	story_start(&story, 100);
	story_call(&story, 1, STORY_T0);
	json_t *meter[3];
	for (size_t i = 0, n = 0; i < story.n; i++)
		if (story.record[i].fact == FACT_meter)
			meter[n++] = story.payload[i];
	/* Leg 0 in its first and second stint. */
	json_object_set_new(meter[0], "mos_from_x100", json_integer(300));
	json_t *all = json_pack("{s:i,s:i,s:i,s:i,s:i,s:i}", "round_trip_us", 50000, "round_trip_average_us",
		40000, "far_lost", 7, "far_jitter_us", 1500, "mos_from_x100", 441, "mos_to_x100", 399);
	json_object_update(meter[1], all);
	json_decref(all);
	tell(&story, &rows, &session);
	ck_assert_uint_eq(number(0, CDR_round_trip_us), 50000);
	ck_assert_uint_eq(number(0, CDR_round_trip_average_us), 40000);
	ck_assert_uint_eq(number(0, CDR_far_lost_packets), 7);
	ck_assert_uint_eq(number(0, CDR_far_jitter_us), 1500);
	ck_assert_uint_eq(number(0, CDR_mos_from), 441);
	ck_assert_uint_eq(number(0, CDR_mos_to), 399);
	for (size_t i = 1; i < rows.n; i++)
		for (int c = CDR_round_trip_us; c <= CDR_mos_to; c++)
			ck_assert(!rows.row[i].v[c].set);
}
END_TEST

/* Whatever is metered is in a row, also of a stint and leg that nothing else tells of. */
START_TEST(metered_without_a_stint)
{
	story_open(&story, "S", "C", "1", STORY_T0);
	story_media(&story, "S", 4, 1, STORY_T0);
	story_meter(&story, STORY_T0, STORY_T0 + 1, 1, 9, true, 10);
	json_t *close = json_pack("{s:s,s:I,s:s}", "session", "S", "at_ns", (json_int_t)STORY_T0, "partial",
		"dataplane restarted");
	story_add(&story, FACT_session_close, STORY_T0, close);
	tell(&story, &rows, &session);
	ck_assert_uint_eq(rows.n, 3);
	ck_assert_uint_eq(number(0, CDR_leg), 4);
	ck_assert_uint_eq(number(0, CDR_from_packets), 10);
	ck_assert_uint_eq(number(1, CDR_stint), 9);
	ck_assert_uint_eq(number(1, CDR_from_callee_packets), 10);
	for (size_t i = 0; i < 3; i++)
		ck_assert(noted(i, "dataplane restarted"));
}
END_TEST

START_TEST(facts_without_their_members)
{
	struct cdr_session *s;
	json_t *nothing = json_object();
	struct journal_record record = {.fact = FACT_session_open, .payload = nothing};
	ck_assert_int_eq(cdr_session_create(&s, &record), -EINVAL);
	record.payload = NULL;
	ck_assert_int_eq(cdr_session_create(&s, &record), -EINVAL);
	json_t *open = json_pack("{s:s,s:[],s:i}", "session", "S", "from", "setup_ns", -5);
	record.payload = open;
	ck_assert_int_eq(cdr_session_create(&s, &record), 0);
	record.payload = nothing;
	for (int f = 0; f < FACTS; f++) {
		record.fact = (enum fact)f;
		cdr_session_feed(s, &record);
	}
	record.fact = FACT_leg_open;
	ck_assert_int_eq(cdr_session_feed(s, &record), -EINVAL);
	record.fact = FACT_stint_open;
	ck_assert_int_eq(cdr_session_feed(s, &record), -EINVAL);
	struct usage *usage;
	ck_assert_int_eq(usage_create(&usage), 0);
	rows.n = 0;
	ck_assert_int_eq(cdr_session_rows(s, nothing, usage, collect, &rows), 0);
	ck_assert_uint_eq(rows.n, 1);
	usage_destroy(usage);
	cdr_session_free(s);
	json_decref(open);
	json_decref(nothing);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {sums_agree, stepped_clock, never_answered, end_not_recorded,
		times_out_of_order, the_dataplane_was_replaced, what_rtcp_said, metered_without_a_stint,
		facts_without_their_members};
	Suite *suite = suite_create("session_rows");
	TCase *tcase = tcase_create("session_rows");
	tcase_add_checked_fixture(tcase, NULL, teardown);
	for (size_t i = 0; i < sizeof(tests) / sizeof(*tests); i++)
		tcase_add_test(tcase, tests[i]);
	suite_add_tcase(suite, tcase);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
