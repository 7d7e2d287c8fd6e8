/* A session of a dead process that can't go on is ended: its far ends by a message that says why, its records
 * by rows that say that they are partial. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "controlplane/calls/engine_private.h"

/* A fact that was to be in the journal. False: not one of this session, or its end, which is written anew. */
static bool read_fact(const json_t *kept, const char *session, enum fact *fact, json_t **payload)
{
	const char *name = json_string_value(json_array_get(kept, 2));
	*payload = json_array_get(kept, 3);
	const char *of = json_string_value(json_object_get(*payload, "session"));
	*fact = name ? fact_by_name(name) : FACTS;
	return of && !strcmp(of, session) && *fact != FACTS && *fact != FACT_session_close;
}

/* The facts that the journal lost, in order. They may be all that there is of the session. */
static json_t *find_lost(struct engine *e, const char *session, const json_t *facts, unsigned known)
{
	json_t *lost = json_array(), *kept, *payload;
	size_t i;
	json_array_foreach(facts, i, kept)
	{
		enum fact fact;
		if (json_integer_value(json_array_get(kept, 1)) !=
			(json_int_t)(known + json_array_size(lost)))
			continue;
		if (!read_fact(kept, session, &fact, &payload))
			break;
		struct journal_record record = {.fact = fact, .payload = payload};
		recovery_feed(e->recovery, &record);
		json_array_append_new(lost, json_pack("[i, O]", (int)fact, payload));
	}
	return lost;
}

json_t *closing_keep(struct engine *e, const char *name, const json_t *value, const char *why)
{
	struct recovery_session *open = recovery_find(e->recovery, name);
	unsigned known = open ? open->facts : 0;
	json_t *lost = find_lost(e, name, json_object_get(value, "facts"), known);
	return json_pack("{s:s, s:I, s:o, s:O?, s:O?}", "why", why, "known", (json_int_t)known, "lost", lost,
		"session", json_object_get(value, "session"), "dialogs", json_object_get(value, "dialogs"));
}

static void append_lost(struct engine *e, struct call *call, const json_t *lost)
{
	size_t i;
	json_t *fact;
	json_array_foreach(lost, i, fact)
	{
		takeover_append(e, call, (enum fact)json_integer_value(json_array_get(fact, 0)),
			json_deep_copy(json_array_get(fact, 1)));
	}
}

static void say(char *to, size_t room, const char *text)
{
	snprintf(to, room, "%s", text);
}

/* Why it ended: as its last process had decided, if it had. */
static void set_cause(struct session *s, const json_t *kept)
{
	const json_t *was = json_object_get(kept, "session");
	const char *cause = json_string_value(json_object_get(was, "cause"));
	const char *reason = json_string_value(json_object_get(was, "reason"));
	const char *why = json_string_value(json_object_get(kept, "why"));
	char partial[160] = "control plane restarted: the end is when it was back";
	if (json_integer_value(json_object_get(was, "state")) == SESSION_CLOSING && cause && reason) {
		say(s->cause, sizeof(s->cause), cause);
		say(s->reason, sizeof(s->reason), reason);
	} else if (why) {
		say(s->cause, sizeof(s->cause), "not-taken-up");
		say(s->reason, sizeof(s->reason), why);
	} else {
		say(s->cause, sizeof(s->cause), "control-restarted");
		say(s->reason, sizeof(s->reason), "the control plane was restarted during the session");
	}
	if (why)
		snprintf(
			partial, sizeof(partial), "not taken up (%s): the end is when control was back", why);
	s->partial = strdup(partial);
}

/* A row of another region is nothing here: its index may even be none. */
static void set_row(struct engine *e, struct call *call, int leg, const struct recovery_row *row)
{
	struct leg *l = call->session->leg[leg];
	if (!row->generation || row->region != tg_region_id(e->region) ||
		row->row >= tg_region_legs(e->region))
		return;
	l->row = (struct link_row){row->row, row->generation};
	l->row_open = true;
	l->row_pending = link_releasing(e->link, l->row);
	if (l->row_pending)
		e->by_row[row->row] = (struct row_owner){call, leg};
}

/* Returns whether the far end is going to be told. */
static bool end_dialog(struct engine *e, struct call *call, int leg, const json_t *dialog)
{
	struct session *s = call->session;
	struct leg *l = s->leg[leg];
	struct action *a = takeover_dialog(e, call, leg, dialog) ? session_add(s, ACTION_END, leg) : NULL;
	l->state = a ? LEG_ENDING : LEG_GONE;
	if (!a) {
		l->ua = 0;
		return false;
	}
	a->status = 41;
	a->text = strdup("the call could not be taken up after a restart");
	return true;
}

/* Final status of the leg's INVITE: a call that stood is billed as one. A caller who waits is told by a 500
 * (ACTION_END); how a callee answers the CANCEL is not waited for. 0: not known. */
static int last_status(const struct recovery_session *r, int leg, bool tells)
{
	if (r->leg_answered[leg])
		return 200;
	return leg == 0 && tells ? 500 : 0;
}

void closing_run(struct engine *e, const struct recovery_session *r, const json_t *kept)
{
	struct session *s = session_recover(registry_ref(e->registry), &r->id);
	struct call *call = s ? engine_add_call(e, s) : NULL;
	if (!call) {
		log_error(calls, r->text, "out-of-memory", "effect=\"session not closed in the records\"");
		session_destroy(s);
		return;
	}
	struct session_env env = engine_env(e, NULL);
	const json_t *dialogs = json_object_get(kept, "dialogs");
	unsigned told = 0;
	call->facts = kept ? (unsigned)json_integer_value(json_object_get(kept, "known")) : r->facts;
	append_lost(e, call, json_object_get(kept, "lost"));
	set_cause(s, kept);
	s->stint = r->stint;
	/* Its dates are by the clock of its region. Another region's has the wall clock's time already. */
	if (recovery_elsewhere(r, tg_region_id(e->region)))
		env.now_ns -= (uint64_t)r->clock_step_ns;
	for (int i = 0; i < r->legs || (size_t)i < json_array_size(dialogs); i++) {
		struct leg *l = session_add_leg(s, &env);
		if (!l)
			break;
		set_row(e, call, i, &r->row[i]);
		bool tells = end_dialog(e, call, i, json_array_get(dialogs, (size_t)i));
		told += tells;
		l->ended_recorded = i >= r->legs || r->leg_ended[i];
		session_leg_ended(s, i, last_status(r, i, tells), 41, RELEASED_BY_GATEWAY, s->reason, &env);
	}
	s->stint_open = r->stint_open;
	if (s->legs)
		snprintf(s->leg[0]->sid, sizeof(s->leg[0]->sid), "%s", r->call);
	handoff_close_stint(s, s->cause, &env);
	session_maybe_close(s, &env);
	log_warn(calls, s->text, "session-recovered", "cause=%s legs=%d told=%u effect=\"closed by records\"",
		s->cause, s->legs, told);
	engine_process(e, call);
}
