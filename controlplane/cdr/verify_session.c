#include "controlplane/cdr/verify_session.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "controlplane/cdr/row_read.h"

#define COUNT(a) (sizeof(a) / sizeof(*(a)))

struct judging {
	const struct cdr_verify_session *s;
	const struct cdr_verify_row *session; /* its own row */
	size_t legs, stints;
	cdr_session_fault *fault;
	void *ctx;
};

int cdr_verify_session_add(
	struct cdr_verify_session *s, json_t *object, const struct cdr_row *row, uint64_t line)
{
	if (s->rows == s->room) {
		size_t room = 2 * s->room + 16;
		struct cdr_verify_row *more = realloc(s->row, room * sizeof(*more));
		if (!more)
			return -ENOMEM;
		s->row = more;
		s->room = room;
	}
	s->row[s->rows++] = (struct cdr_verify_row){.object = json_incref(object), .row = *row, .line = line};
	return 0;
}

void cdr_verify_session_clear(struct cdr_verify_session *s)
{
	while (s->rows)
		json_decref(s->row[--s->rows].object);
}

static const struct cdr_value *id_of(const struct cdr_verify_session *s)
{
	return &s->row[0].row.v[CDR_session];
}

const char *cdr_verify_session_id(const struct cdr_verify_session *s)
{
	return id_of(s)->text;
}

bool cdr_verify_session_has(const struct cdr_verify_session *s, const struct cdr_value *id)
{
	const struct cdr_value *own = id_of(s);
	return own->len == id->len && !memcmp(own->text, id->text, id->len);
}

static void report(const struct judging *j, const struct cdr_verify_row *r, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static void report(const struct judging *j, const struct cdr_verify_row *r, const char *fmt, ...)
{
	char sentence[256];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(sentence, sizeof(sentence), fmt, ap);
	va_end(ap);
	j->fault(j->ctx, r->line, sentence);
}

static const struct cdr_value *value(const struct cdr_verify_row *r, enum cdr_column column)
{
	return &r->row.v[column];
}

static bool is_type(const struct cdr_verify_row *r, const char *type)
{
	return !strcmp(value(r, CDR_type)->text, type);
}

static bool is_uncertain(const struct cdr_verify_row *r)
{
	return value(r, CDR_partial)->set;
}

static uint64_t ms_of(const struct cdr_value *time)
{
	return time->number / CLOCK_NS_PER_MS;
}

static void check_difference(const struct judging *j, const struct cdr_verify_row *r, enum cdr_column column,
	const struct cdr_value *from, const struct cdr_value *to)
{
	const struct cdr_value *said = value(r, column);
	bool backwards = ms_of(to) < ms_of(from);
	uint64_t is = backwards ? 0 : ms_of(to) - ms_of(from);
	if (backwards && !is_uncertain(r))
		report(j, r, "times out of order, and the row does not say that it is uncertain");
	if (!said->set || said->number != is)
		report(j, r, "%s is not the difference of its times, %" PRIu64, cdr_column_name[column], is);
}

/* A session or a leg. */
static void check_call(const struct judging *j, const struct cdr_verify_row *r)
{
	const struct cdr_value *ringing = value(r, CDR_ringing_time), *answer = value(r, CDR_answer_time),
			       *end = value(r, CDR_end_time);
	if (!value(r, CDR_setup_time)->set || !end->set) {
		if (!is_uncertain(r))
			report(j, r, "the row has no setup_time or no end_time");
		return;
	}
	if (ms_of(end) < ms_of(value(r, CDR_setup_time)) && !is_uncertain(r))
		report(j, r, "it ends before it begins");
	check_difference(j, r, CDR_duration_ms, answer->set ? answer : end, end);
	if (ringing->set)
		check_difference(j, r, CDR_ring_ms, ringing, answer->set ? answer : end);
	else if (value(r, CDR_ring_ms)->set)
		report(j, r, "ring_ms without a ringing_time");
	if (value(r, CDR_billable_ms)->number != value(r, CDR_duration_ms)->number)
		report(j, r, "billable_ms is not duration_ms");
}

static void check_stint(
	const struct judging *j, const struct cdr_verify_row *r, const struct cdr_verify_row *before)
{
	const struct cdr_value *start = value(r, CDR_start_time), *end = value(r, CDR_end_time);
	if (!start->set || !end->set) {
		if (!is_uncertain(r))
			report(j, r, "the row has no start_time or no end_time");
		return;
	}
	check_difference(j, r, CDR_duration_ms, start, end);
	if (value(r, CDR_billable_ms)->number > value(r, CDR_duration_ms)->number)
		report(j, r, "billable_ms is more than duration_ms");
	if (before && ms_of(value(before, CDR_end_time)) != ms_of(start) && !is_uncertain(before) &&
		!is_uncertain(r))
		report(j, r, "the stint does not begin where the one before ends");
}

/* Numbered from 0, without gaps unless the row is uncertain; never twice. */
static void check_order(const struct judging *j, const struct cdr_verify_row *r, enum cdr_column column,
	const struct cdr_verify_row *before, size_t wanted)
{
	const struct cdr_value *number = value(r, column);
	if (!number->set || (before && number->number <= value(before, column)->number) ||
		(number->number != wanted && !is_uncertain(r)))
		report(j, r, "%s should be %zu", cdr_column_name[column], wanted);
}

static void check_rows(struct judging *j)
{
	const struct cdr_verify_row *leg = NULL, *stint = NULL;
	for (size_t i = 0; i < j->s->rows; i++) {
		const struct cdr_verify_row *r = &j->s->row[i];
		if (is_type(r, "leg")) {
			if (stint)
				report(j, r, "a leg after the stints");
			check_order(j, r, CDR_leg, leg, j->legs++);
			check_call(j, r);
			leg = r;
		} else if (is_type(r, "stint")) {
			check_order(j, r, CDR_stint, stint, j->stints++);
			check_stint(j, r, stint);
			stint = r;
		} else if (is_type(r, "session")) {
			check_call(j, r);
		} else {
			report(j, r, "type is none of session, leg and stint");
		}
	}
	if (!j->legs || !j->stints)
		report(j, j->session, "the session has %zu leg rows and %zu stint rows", j->legs, j->stints);
}

/* direction: of the legs that count, NULL: all rows of the type. Largest instead of sum for jitter. */
static void check_sum(const struct judging *j, const char *type, const char *direction,
	enum cdr_column column, enum cdr_column whole)
{
	uint64_t sum = 0;
	for (size_t i = 0; i < j->s->rows; i++) {
		const struct cdr_verify_row *r = &j->s->row[i];
		const struct cdr_value *way = value(r, CDR_direction);
		if (!is_type(r, type) || (direction && (!way->set || strcmp(way->text, direction) != 0)))
			continue;
		uint64_t one = value(r, column)->number;
		sum = column != CDR_jitter_us ? sum + one : one > sum ? one : sum;
	}
	if (sum != value(j->session, whole)->number)
		report(j, j->session, "%s is not that of its %ss: %" PRIu64, cdr_column_name[whole], type,
			sum);
}

static void check_sums(const struct judging *j)
{
	static const enum cdr_column sides[] = {CDR_to_caller_packets, CDR_to_caller_octets,
		CDR_from_caller_packets, CDR_from_caller_octets, CDR_to_callee_packets, CDR_to_callee_octets,
		CDR_from_callee_packets, CDR_from_callee_octets},
				     both[] = {CDR_played_packets, CDR_played_octets, CDR_dropped_packets,
					     CDR_digits, CDR_lost_packets, CDR_jitter_us},
				     ways[] = {CDR_to_packets, CDR_to_octets, CDR_from_packets,
					     CDR_from_octets};
	for (size_t i = 0; i < COUNT(sides); i++)
		check_sum(j, "stint", NULL, sides[i], sides[i]);
	for (size_t i = 0; i < COUNT(both); i++) {
		check_sum(j, "stint", NULL, both[i], both[i]);
		check_sum(j, "leg", NULL, both[i], both[i]);
	}
	for (size_t i = 0; i < COUNT(ways); i++) {
		check_sum(j, "leg", "in", ways[i], sides[i]);
		check_sum(j, "leg", "out", ways[i], sides[COUNT(ways) + i]);
	}
}

void cdr_verify_session_judge(const struct cdr_verify_session *s, cdr_session_fault *fault, void *ctx)
{
	struct judging j = {.s = s, .session = &s->row[s->rows - 1], .fault = fault, .ctx = ctx};
	check_rows(&j);
	check_sums(&j);
}
