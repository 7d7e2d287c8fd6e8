/* Facts of made-up sessions, for the tests of the CDR files. */
#ifndef TG_TEST_CDR_STORY_H
#define TG_TEST_CDR_STORY_H

#include "contract/meter.h"
#include "controlplane/journal/fact_value.h"
#include "controlplane/journal/journal.h"
#include "tests/unit/journal/scratch.h"

#define STORY_MAX    4096
#define STORY_S      1000000000ll
#define STORY_MS     1000000ll
#define STORY_T0     (1790000000ll * STORY_S + 123 * STORY_MS) /* 2026-09-21T14:13:20.123Z */
#define STORY_REGION 0xfedcba9876543210ull

/* Records as a journal would pass them. */
struct story {
	struct journal_record record[STORY_MAX];
	json_t *payload[STORY_MAX];
	size_t n;
};

static inline void story_add(struct story *s, enum fact fact, int64_t at_ns, json_t *payload)
{
	ck_assert_ptr_nonnull(payload);
	ck_assert_uint_lt(s->n, STORY_MAX);
	s->payload[s->n] = payload;
	s->record[s->n] = (struct journal_record){
		.sequence = s->n + 1, .time_ns = (uint64_t)at_ns, .fact = fact, .payload = payload};
	s->n++;
}

static inline void story_free(struct story *s)
{
	for (size_t i = 0; i < s->n; i++)
		json_decref(s->payload[i]);
	s->n = 0;
}

static inline void story_start(struct story *s, int max_rows)
{
	story_add(s, FACT_node_start, STORY_T0,
		json_pack("{s:s,s:s,s:o,s:b,s:i}", "node", "gw1", "version", "0", "region",
			fact_string_of_region(STORY_REGION), "created", 1, "max_rows", max_rows));
}

static inline void story_rotate(struct story *s, int64_t at_ns)
{
	story_add(s, FACT_cdr_rotate, at_ns, json_pack("{s:s}", "reason", "age"));
}

static inline void story_meter(
	struct story *s, int64_t start, int64_t end, int row, int stint, bool final, int n)
{
	json_t *f = json_pack("{s:o,s:i,s:i,s:i,s:i,s:i,s:I,s:I,s:b,s:b,s:i,s:i}", "region",
		fact_string_of_region(STORY_REGION), "worker", 0, "row", row, "generation", 1, "stint", stint,
		"part", 0, "start_ns", (json_int_t)start, "end_ns", (json_int_t)end, "final", (int) final,
		"media_timeout", 0, "lost", n / 100, "jitter_us", 120 + row);
	for (int i = 0; i < TG_METERS; i++)
		json_object_set_new(f, tg_meter_name[i], json_integer(n * (1 + i)));
	story_add(s, FACT_meter, end, f);
}

static inline void story_leg_at(struct story *s, enum fact fact, const char *session, int leg, int64_t at)
{
	story_add(s, fact, at,
		json_pack("{s:s,s:i,s:I}", "session", session, "leg", leg, "at_ns", (json_int_t)at));
}

static inline void story_leg_end(struct story *s, const char *session, int leg, int64_t at, int status,
	int cause, const char *by, const char *reason)
{
	story_add(s, FACT_leg_ended, at,
		json_pack("{s:s,s:i,s:I,s:i,s:i,s:s,s:s}", "session", session, "leg", leg, "at_ns",
			(json_int_t)at, "status", status, "cause", cause, "released_by", by, "reason",
			reason));
}

static inline void story_media(struct story *s, const char *session, int leg, int row, int64_t at)
{
	char local[32], remote[32];
	snprintf(local, sizeof(local), "198.18.0.1:%d", 20000 + 2 * row);
	snprintf(remote, sizeof(remote), "198.18.1.%d:4000", leg + 1);
	story_add(s, FACT_leg_media, at,
		json_pack("{s:s,s:i,s:i,s:i,s:o,s:s,s:s,s:s,s:i,s:I}", "session", session, "leg", leg, "row",
			row, "generation", 1, "region", fact_string_of_region(STORY_REGION), "local", local,
			"remote", remote, "codec", "PCMA", "stint", 0, "at_ns", (json_int_t)at));
}

static inline void story_stint(struct story *s, const char *session, const char *call, int stint,
	const char *module, const char *why, int64_t at)
{
	story_add(s, FACT_stint_open, at,
		json_pack("{s:s,s:s,s:i,s:s,s:s,s:s,s:I}", "session", session, "call", call, "stint", stint,
			"module", module, "account", "AC1", "trigger", why, "at_ns", (json_int_t)at));
}

static inline void story_stint_end(
	struct story *s, const char *session, const char *call, int stint, const char *reason, int64_t at)
{
	story_add(s, FACT_stint_close, at,
		json_pack("{s:s,s:s,s:i,s:s,s:I}", "session", session, "call", call, "stint", stint, "reason",
			reason, "at_ns", (json_int_t)at));
}

static inline void story_leg(
	struct story *s, const char *session, const char *call, int leg, const char *to, int64_t at)
{
	story_add(s, FACT_leg_open, at,
		json_pack("{s:s,s:s,s:i,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:I}", "session", session, "call",
			call, "leg", leg, "direction", leg ? "out" : "in", "account", "AC1", "module", "ivr",
			"from", "+15550100", "to", to, "target", "sip:x", "trunk", "carrier-a", "call_id",
			call, "setup_ns", (json_int_t)at));
}

static inline void story_open(
	struct story *s, const char *session, const char *call, const char *from, int64_t at)
{
	story_add(s, FACT_session_open, at,
		json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:I}", "session", session, "call", call,
			"account", "AC0", "number", "+15550199", "from", from, "to", "+15550199", "source",
			"198.18.0.9", "trunk", "carrier-a", "call_id", call, "setup_ns", (json_int_t)at));
}

static inline void story_close(struct story *s, const char *session, int64_t at)
{
	story_add(s, FACT_session_close, at,
		json_pack("{s:s,s:I,s:i,s:s}", "session", session, "at_ns", (json_int_t)at, "cause", 16,
			"reason", "normal"));
}

/* An incoming call that an IVR answers and hands to a router, which tries a callee that is busy and then one
 * that answers. Rows 2k and 2k + 1 of the dataplane are those of the k-th session. */
static inline void story_call(struct story *s, int k, int64_t t)
{
	char session[16], caller[16], busy[16], callee[16];
	snprintf(session, sizeof(session), "SE%d", k);
	snprintf(caller, sizeof(caller), "CA%d0", k);
	snprintf(busy, sizeof(busy), "CA%d1", k);
	snprintf(callee, sizeof(callee), "CA%d2", k);
	story_open(s, session, caller, "+15550100", t);
	story_leg(s, session, caller, 0, "+15550199", t);
	story_stint(s, session, caller, 0, "ivr", "incoming", t);
	story_media(s, session, 0, 2 * k, t + 1 * STORY_S);
	story_leg_at(s, FACT_leg_ringing, session, 0, t + 1 * STORY_S);
	story_leg_at(s, FACT_leg_answered, session, 0, t + 2 * STORY_S);
	story_stint_end(s, session, caller, 0, "redirect", t + 12 * STORY_S + 500 * STORY_MS);
	story_stint(s, session, caller, 1, "router", "redirect", t + 12 * STORY_S + 500 * STORY_MS);
	story_meter(s, t + 2 * STORY_S, t + 12 * STORY_S + 500 * STORY_MS, 2 * k, 0, false, 500);
	story_leg(s, session, busy, 1, "+15550101", t + 13 * STORY_S);
	story_leg_end(s, session, 1, t + 14 * STORY_S, 486, 17, "callee", "busy");
	story_leg(s, session, callee, 2, "+15550102", t + 15 * STORY_S);
	story_media(s, session, 2, 2 * k + 1, t + 16 * STORY_S);
	story_leg_at(s, FACT_leg_ringing, session, 2, t + 16 * STORY_S);
	story_leg_at(s, FACT_leg_answered, session, 2, t + 20 * STORY_S);
	story_leg_end(s, session, 2, t + 60 * STORY_S, 200, 16, "callee", "bye");
	story_leg_end(s, session, 0, t + 60 * STORY_S + 1, 200, 16, "callee", "bye");
	story_stint_end(s, session, caller, 1, "hangup", t + 60 * STORY_S + 1);
	story_meter(s, t + 12 * STORY_S + 500 * STORY_MS, t + 60 * STORY_S, 2 * k, 1, true, 2000);
	story_meter(s, t + 16 * STORY_S, t + 60 * STORY_S, 2 * k + 1, 1, true, 1500);
	story_close(s, session, t + 60 * STORY_S + 30 * STORY_MS);
}

#endif
