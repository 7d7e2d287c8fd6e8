#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "controlplane/cdr/session.h"
#include "controlplane/journal/fact_value.h"

/* What the rows of one session are made from. */
struct making {
	struct cdr_session *session;
	const json_t *close;
	const struct usage_entry *entry;
	size_t entries;
	bool meters_missing;
	uint64_t end_ns; /* of the session */
	int64_t step_ns; /* from the clock that its facts go by to the wall clock that it began with */
	cdr_emit *emit;
	void *ctx;
};

struct totals {
	struct tg_meter in, out; /* of legs towards callers, of legs towards callees */
	uint64_t lost;
	uint32_t jitter_us;
	/* Outages of the leg that had most of them, for all legs miss the same ones. */
	uint64_t outages, outage_ms;
	uint64_t uncertain_packets;
};

static uint64_t time_of(const json_t *payload, const char *key)
{
	uint64_t ns = 0;
	fact_u64(payload, key, &ns);
	return ns;
}

static void copy_text(struct cdr_row *row, enum cdr_column column, const json_t *payload, const char *key)
{
	size_t len = 0;
	const char *text = fact_text(payload, key, &len);
	cdr_set_text(row, column, text, len);
}

static void copy_number(struct cdr_row *row, enum cdr_column column, const json_t *payload, const char *key)
{
	uint64_t number;
	if (fact_u64(payload, key, &number))
		cdr_set_number(row, column, number);
}

/* A time of 0 is one that is not known. The step is in whole milliseconds: durations come out the same. */
static void set_time(const struct making *m, struct cdr_row *row, enum cdr_column column, uint64_t ns)
{
	if (ns)
		cdr_set_number(row, column, ns + (uint64_t)m->step_ns);
}

/* Between times as they are written, in whole milliseconds: so durations of stints that meet add up. */
static uint64_t between_ms(struct cdr_row *row, uint64_t from_ns, uint64_t to_ns)
{
	uint64_t from = from_ns / CLOCK_NS_PER_MS, to = to_ns / CLOCK_NS_PER_MS;
	if (to >= from)
		return to - from;
	cdr_add_note(row, "times out of order");
	return 0;
}

static void begin_row(const struct making *m, struct cdr_row *row, const char *type)
{
	memset(row, 0, sizeof(*row));
	cdr_set_text(row, CDR_type, type, strlen(type));
	cdr_set_text(row, CDR_session, m->session->id, strlen(m->session->id));
	const char *partial = fact_text(m->close, "partial", NULL);
	if (partial && *partial)
		cdr_add_note(row, partial);
	if (m->meters_missing)
		cdr_add_note(row, "meter record missing");
}

static bool is_incoming(const struct cdr_leg *leg)
{
	const char *direction = fact_text(leg->open.value, "direction", NULL);
	return direction ? !strcmp(direction, "in") : leg->number == 0;
}

/* The end of a leg. One that was never told is that of its session: it must not be billed as nothing. */
static uint64_t leg_end(const struct making *m, const struct cdr_leg *leg)
{
	uint64_t ns = time_of(leg->ended.value, "at_ns");
	return ns ? ns : m->end_ns;
}

static const struct cdr_leg *leg_numbered(const struct making *m, uint32_t number)
{
	for (size_t i = 0; i < m->session->legs; i++)
		if (m->session->leg[i].number == number)
			return &m->session->leg[i];
	return NULL;
}

/* The leg of a call: the first with its id; leg 0 when none has. */
static const struct cdr_leg *leg_of_call(const struct making *m, const char *call)
{
	for (size_t i = 0; call && i < m->session->legs; i++) {
		const char *id = fact_text(m->session->leg[i].open.value, "call", NULL);
		if (id && !strcmp(id, call))
			return &m->session->leg[i];
	}
	return leg_numbered(m, 0);
}

static void raise_to(uint64_t *to, uint64_t n)
{
	if (n > *to)
		*to = n;
}

/* leg, stint: only entries of these; NULL: all. Entries of one leg follow each other. */
static struct totals add_up(const struct making *m, const uint32_t *leg, const uint32_t *stint)
{
	struct totals t = {0};
	uint64_t outages = 0, outage_ms = 0; /* of this leg so far */
	for (size_t i = 0; i < m->entries; i++) {
		const struct usage_entry *e = &m->entry[i];
		if (i && e->leg != m->entry[i - 1].leg)
			outages = outage_ms = 0;
		if ((leg && e->leg != *leg) || (stint && e->stint != *stint))
			continue;
		const struct cdr_leg *l = leg_numbered(m, e->leg);
		tg_meter_add(l && is_incoming(l) ? &t.in : &t.out, &e->counts);
		t.lost += e->lost;
		if (e->jitter_us > t.jitter_us)
			t.jitter_us = e->jitter_us;
		raise_to(&t.outages, outages += e->outages);
		raise_to(&t.outage_ms, outage_ms += e->outage_ms);
		t.uncertain_packets += e->uncertain_packets;
	}
	return t;
}

static uint64_t sent_packets(const struct tg_meter *m)
{
	return m->v[TG_METER_relayed_packets] + m->v[TG_METER_played_packets];
}

static uint64_t sent_octets(const struct tg_meter *m)
{
	return m->v[TG_METER_relayed_octets] + m->v[TG_METER_played_octets];
}

static void set_common_usage(struct cdr_row *row, const struct totals *t)
{
	struct tg_meter both = t->in;
	tg_meter_add(&both, &t->out);
	cdr_set_number(row, CDR_played_packets, both.v[TG_METER_played_packets]);
	cdr_set_number(row, CDR_played_octets, both.v[TG_METER_played_octets]);
	cdr_set_number(row, CDR_dropped_packets, both.v[TG_METER_dropped_packets]);
	cdr_set_number(row, CDR_digits, both.v[TG_METER_digits]);
	cdr_set_number(row, CDR_lost_packets, t->lost);
	cdr_set_number(row, CDR_jitter_us, t->jitter_us);
	cdr_set_number(row, CDR_outages, t->outages);
	cdr_set_number(row, CDR_outage_ms, t->outage_ms);
	cdr_set_number(row, CDR_uncertain_packets, t->uncertain_packets);
	if (t->outages)
		cdr_add_note(row, "the dataplane was replaced meanwhile: what arrived then is not counted");
	if (t->uncertain_packets)
		cdr_add_note(row, "packets that were just being sent then may not be counted");
}

static void set_leg_usage(struct cdr_row *row, const struct totals *t)
{
	struct tg_meter both = t->in;
	tg_meter_add(&both, &t->out);
	cdr_set_number(row, CDR_to_packets, sent_packets(&both));
	cdr_set_number(row, CDR_to_octets, sent_octets(&both));
	cdr_set_number(row, CDR_from_packets, both.v[TG_METER_rx_packets]);
	cdr_set_number(row, CDR_from_octets, both.v[TG_METER_rx_octets]);
	set_common_usage(row, t);
}

static void set_sides_usage(struct cdr_row *row, const struct totals *t)
{
	cdr_set_number(row, CDR_to_caller_packets, sent_packets(&t->in));
	cdr_set_number(row, CDR_to_caller_octets, sent_octets(&t->in));
	cdr_set_number(row, CDR_from_caller_packets, t->in.v[TG_METER_rx_packets]);
	cdr_set_number(row, CDR_from_caller_octets, t->in.v[TG_METER_rx_octets]);
	cdr_set_number(row, CDR_to_callee_packets, sent_packets(&t->out));
	cdr_set_number(row, CDR_to_callee_octets, sent_octets(&t->out));
	cdr_set_number(row, CDR_from_callee_packets, t->out.v[TG_METER_rx_packets]);
	cdr_set_number(row, CDR_from_callee_octets, t->out.v[TG_METER_rx_octets]);
	set_common_usage(row, t);
}

/* Ringing, answer and end, and what lies between them; of the session's row those of its leg 0. */
static void set_call_times(
	const struct making *m, struct cdr_row *row, const struct cdr_leg *leg, uint64_t end_ns)
{
	set_time(m, row, CDR_ringing_time, leg->ringing_ns);
	set_time(m, row, CDR_answer_time, leg->answered_ns);
	if (leg->ringing_ns)
		cdr_set_number(row, CDR_ring_ms,
			between_ms(row, leg->ringing_ns, leg->answered_ns ? leg->answered_ns : end_ns));
	uint64_t duration = leg->answered_ns ? between_ms(row, leg->answered_ns, end_ns) : 0;
	cdr_set_number(row, CDR_duration_ms, duration);
	cdr_set_number(row, CDR_billable_ms, duration);
}

/* What RTCP said about the leg: what was known at the end of its last part. */
static void set_quality(const struct making *m, uint32_t leg, struct cdr_row *row)
{
	const struct usage_entry *last = NULL;
	for (size_t i = 0; i < m->entries; i++)
		if (m->entry[i].leg == leg && (!last || m->entry[i].end_ns >= last->end_ns))
			last = &m->entry[i];
	if (!last)
		return;
	const struct usage_quality *q = &last->quality;
	if (q->has_trip) {
		cdr_set_number(row, CDR_round_trip_us, q->round_trip_us);
		cdr_set_number(row, CDR_round_trip_average_us, q->round_trip_average_us);
	}
	if (q->has_far) {
		cdr_set_number(row, CDR_far_lost_packets, q->far_lost);
		cdr_set_number(row, CDR_far_jitter_us, q->far_jitter_us);
	}
	if (q->has_from)
		cdr_set_number(row, CDR_mos_from, q->mos_from_x100);
	if (q->has_to)
		cdr_set_number(row, CDR_mos_to, q->mos_to_x100);
}

static void make_leg(const struct making *m, const struct cdr_leg *leg)
{
	struct cdr_row row;
	bool incoming = is_incoming(leg);
	uint64_t end_ns = leg_end(m, leg);
	begin_row(m, &row, "leg");
	copy_text(&row, CDR_call, leg->open.value, "call");
	copy_text(&row, CDR_call_id, leg->open.value, "call_id");
	cdr_set_number(&row, CDR_leg, leg->number);
	cdr_set_text(&row, CDR_direction, incoming ? "in" : "out", incoming ? 2 : 3);
	copy_text(&row, CDR_account, leg->open.value, "account");
	copy_text(&row, CDR_module, leg->open.value, "module");
	copy_text(&row, CDR_calling, leg->open.value, "from");
	copy_text(&row, CDR_called, leg->open.value, "to");
	if (incoming)
		copy_text(&row, CDR_source, m->session->open.value, "source");
	copy_text(&row, CDR_trunk, leg->open.value, "trunk");
	if (incoming && !row.v[CDR_trunk].set)
		copy_text(&row, CDR_trunk, m->session->open.value, "trunk");
	set_time(m, &row, CDR_setup_time, time_of(leg->open.value, "setup_ns"));
	set_time(m, &row, CDR_end_time, end_ns);
	set_call_times(m, &row, leg, end_ns);
	if (!leg->ended.value)
		cdr_add_note(&row, "end of the leg not recorded");
	copy_number(&row, CDR_sip_status, leg->ended.value, "status");
	copy_number(&row, CDR_q850_cause, leg->ended.value, "cause");
	copy_text(&row, CDR_released_by, leg->ended.value, "released_by");
	copy_text(&row, CDR_reason, leg->ended.value, "reason");
	copy_text(&row, CDR_codec, leg->media.value, "codec");
	copy_text(&row, CDR_local_media, leg->media.value, "local");
	copy_text(&row, CDR_remote_media, leg->media.value, "remote");
	struct totals t = add_up(m, &leg->number, NULL);
	set_leg_usage(&row, &t);
	set_quality(m, leg->number, &row);
	m->emit(m->ctx, &row);
}

/* What of the stint lies within the answered time of its call. */
static uint64_t billable_ms(
	const struct making *m, const struct cdr_leg *leg, uint64_t start_ns, uint64_t end_ns)
{
	if (!leg || !leg->answered_ns || !start_ns)
		return 0;
	uint64_t leg_end_ns = leg_end(m, leg);
	uint64_t from = start_ns > leg->answered_ns ? start_ns : leg->answered_ns;
	uint64_t to = end_ns < leg_end_ns ? end_ns : leg_end_ns;
	from /= CLOCK_NS_PER_MS;
	to /= CLOCK_NS_PER_MS;
	return to > from ? to - from : 0;
}

static void make_stint(const struct making *m, const struct cdr_stint *stint)
{
	struct cdr_row row;
	const struct cdr_leg *leg = leg_of_call(m, fact_text(stint->open.value, "call", NULL));
	uint64_t start_ns = time_of(stint->open.value, "at_ns"),
		 end_ns = time_of(stint->close.value, "at_ns");
	begin_row(m, &row, "stint");
	copy_text(&row, CDR_call, stint->open.value, "call");
	if (leg)
		copy_text(&row, CDR_call_id, leg->open.value, "call_id");
	cdr_set_number(&row, CDR_stint, stint->number);
	copy_text(&row, CDR_account, stint->open.value, "account");
	copy_text(&row, CDR_module, stint->open.value, "module");
	copy_text(&row, CDR_trigger, stint->open.value, "trigger");
	copy_text(&row, CDR_calling, m->session->open.value, "from");
	copy_text(&row, CDR_called, m->session->open.value, "to");
	if (!stint->open.value)
		cdr_add_note(&row, "start of the stint not recorded");
	if (!end_ns) {
		cdr_add_note(&row, "end of the stint not recorded");
		end_ns = m->end_ns;
	}
	set_time(m, &row, CDR_start_time, start_ns);
	set_time(m, &row, CDR_end_time, end_ns);
	cdr_set_number(&row, CDR_duration_ms, start_ns ? between_ms(&row, start_ns, end_ns) : 0);
	cdr_set_number(&row, CDR_billable_ms, billable_ms(m, leg, start_ns, end_ns));
	copy_text(&row, CDR_reason, stint->close.value, "reason");
	struct totals t = add_up(m, NULL, &stint->number);
	set_sides_usage(&row, &t);
	m->emit(m->ctx, &row);
}

static void make_session(const struct making *m)
{
	struct cdr_row row;
	const json_t *open = m->session->open.value;
	const struct cdr_leg *leg = leg_numbered(m, 0);
	begin_row(m, &row, "session");
	copy_text(&row, CDR_call, open, "call");
	copy_text(&row, CDR_call_id, open, "call_id");
	copy_text(&row, CDR_account, open, "account");
	copy_text(&row, CDR_calling, open, "from");
	copy_text(&row, CDR_called, open, "to");
	copy_text(&row, CDR_source, open, "source");
	copy_text(&row, CDR_trunk, open, "trunk");
	set_time(m, &row, CDR_setup_time, time_of(open, "setup_ns"));
	/* Closing waits for meter records: the call's end is that of its leg. */
	set_time(m, &row, CDR_end_time, leg ? leg_end(m, leg) : m->end_ns);
	cdr_set_number(&row, CDR_duration_ms, 0);
	cdr_set_number(&row, CDR_billable_ms, 0);
	if (leg) {
		set_call_times(m, &row, leg, leg_end(m, leg));
		copy_number(&row, CDR_sip_status, leg->ended.value, "status");
		copy_text(&row, CDR_released_by, leg->ended.value, "released_by");
		if (!leg->ended.value)
			cdr_add_note(&row, "end of the leg not recorded");
	}
	copy_number(&row, CDR_q850_cause, m->close, "cause");
	copy_text(&row, CDR_reason, m->close, "reason");
	struct totals t = add_up(m, NULL, NULL);
	set_sides_usage(&row, &t);
	m->emit(m->ctx, &row);
}

int cdr_session_rows(
	struct cdr_session *s, const json_t *close, const struct usage *usage, cdr_emit *emit, void *ctx)
{
	if (cdr_session_parse(s) == -ENOMEM)
		return -ENOMEM;
	struct making m = {.session = s, .close = close, .emit = emit, .ctx = ctx};
	m.entry = usage_of(usage, s->id, &m.entries);
	m.meters_missing = usage_lacks(usage, s->id);
	m.end_ns = time_of(close, "at_ns");
	m.step_ns = fact_clock_step_ns(s->open.value);
	/* Nothing metered goes without a row, even if the facts that open leg or stint are not there. */
	for (size_t i = 0; i < m.entries; i++)
		if (!cdr_session_leg(s, m.entry[i].leg) || !cdr_session_stint(s, m.entry[i].stint))
			return -ENOMEM;
	for (size_t i = 0; i < s->legs; i++)
		make_leg(&m, &s->leg[i]);
	for (size_t i = 0; i < s->stints; i++)
		make_stint(&m, &s->stint[i]);
	make_session(&m);
	return 0;
}
