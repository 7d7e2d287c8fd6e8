/* Sessions that live on the shelf: kept there for a successor, taken up from there by one. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "controlplane/calls/engine_private.h"
#include "controlplane/calls/state.h"
#include "controlplane/metering/usage.h"

/* Sessions that a start names in its log, one line each; the rest are counted. */
#define NAMED_MAX 1000

static json_t *dialogs_of(struct engine *e, const struct session *s)
{
	json_t *dialogs = json_array();
	for (int i = 0; i < s->legs; i++) {
		json_t *dialog = s->leg[i]->ua && s->leg[i]->state != LEG_GONE
					 ? ua_dialog_state(e->ua, s->leg[i]->ua)
					 : NULL;
		json_array_append_new(dialogs, dialog ? dialog : json_null());
	}
	return dialogs;
}

/* News of the rows that this state knows already. */
static json_t *passed_of(struct engine *e, const struct session *s)
{
	json_t *list = json_array();
	for (int i = 0; i < s->legs; i++) {
		struct link_passed p = link_passed(e->link, s->leg[i]->row);
		json_array_append_new(list, json_pack("[I, I, I]", (json_int_t)p.digits,
						    (json_int_t)p.play_done, (json_int_t)p.media_timeouts));
	}
	return list;
}

static struct link_passed passed_at(const json_t *list, int leg)
{
	json_int_t digits = 0, play_done = 0, media_timeouts = 0;
	json_unpack(json_array_get(list, (size_t)leg), "[I, I, I]", &digits, &play_done, &media_timeouts);
	return (struct link_passed){(uint32_t)digits, (uint32_t)play_done, (uint32_t)media_timeouts};
}

void takeover_append(struct engine *e, struct call *call, enum fact fact, json_t *payload)
{
	json_t *copy = json_deep_copy(payload);
	uint64_t at = journal_append(e->journal, fact, payload);
	if (!at) {
		json_decref(copy);
		return;
	}
	call->sip_sequence = at;
	json_array_append_new(call->unsure,
		json_pack("[I, I, s, o]", (json_int_t)at, (json_int_t)call->facts++, fact_name[fact], copy));
}

static void drop_durable(struct engine *e, struct call *call)
{
	uint64_t durable = atomic_load_explicit(&e->durable, memory_order_acquire);
	while (json_array_size(call->unsure) &&
		(uint64_t)json_integer_value(json_array_get(json_array_get(call->unsure, 0), 0)) <= durable)
		json_array_remove(call->unsure, 0);
}

/* The journal may lack the session's last facts, never one before others. */
static void append_lost(struct engine *e, struct call *call, const json_t *facts)
{
	size_t i;
	json_t *kept;
	json_array_foreach(facts, i, kept)
	{
		if ((uint64_t)json_integer_value(json_array_get(kept, 1)) != call->facts)
			continue;
		const char *name = json_string_value(json_array_get(kept, 2));
		for (int fact = 0; name && fact < FACTS; fact++)
			if (!strcmp(name, fact_name[fact]))
				takeover_append(
					e, call, (enum fact)fact, json_incref(json_array_get(kept, 3)));
	}
}

/* facts: those that a successor may have to append once more; appended: how many the session has with them.
 */
static bool put(struct engine *e, struct call *call, json_t *facts, uint64_t appended)
{
	struct session *s = call->session;
	json_t *value = json_object();
	json_object_set_new(value, "session", state_of(s));
	json_object_set_new(value, "dialogs", dialogs_of(e, s));
	json_object_set_new(value, "passed", passed_of(e, s));
	json_object_set(value, "facts", facts);
	json_object_set_new(value, "appended", json_integer((json_int_t)appended));
	int err = shelf_put(e->shelf, s->text, value);
	json_decref(value);
	if (err) /* the call goes on; a crash now would end it by records */
		log_error(calls, s->text, "session-not-kept", "reason=\"%s\"", strerror(-err));
	return !err;
}

void takeover_keep(struct engine *e, struct call *call)
{
	struct session *s = call->session;
	call->dirty = false;
	drop_durable(e, call);
	if (!put(e, call, call->unsure, call->facts))
		return;
	for (int i = 0; i < s->legs; i++)
		link_digits_settled(e->link, s->leg[i]->row);
}

void takeover_keep_first(struct engine *e, struct call *call)
{
	json_t *facts = json_array();
	uint64_t n = 0;
	for (const struct action *a = call->session->first; a; a = a->next)
		if (a->kind == ACTION_FACT)
			json_array_append_new(facts, json_pack("[I, I, s, o]", (json_int_t)0, (json_int_t)n++,
							     fact_name[a->fact], json_deep_copy(a->payload)));
	put(e, call, facts, n);
	json_decref(facts);
}

bool takeover_dialog(struct engine *e, struct call *call, int leg, const json_t *dialog)
{
	struct leg *l = call->session->leg[leg];
	return !ua_restore(e->ua, dialog, &l->ua) && !leg_index_put(e->by_ua, l->ua, call, leg);
}

static bool take_dialog(
	struct engine *e, struct call *call, int leg, const json_t *dialog, const struct session_env *env)
{
	struct leg *l = call->session->leg[leg];
	l->ua = 0;
	if (l->state == LEG_GONE)
		return true;
	if (takeover_dialog(e, call, leg, dialog))
		return true;
	session_leg_ended(
		call->session, leg, 0, 41, RELEASED_BY_GATEWAY, "its dialog could not be taken over", env);
	l->state = LEG_GONE;
	l->ua = 0;
	return false;
}

/* Decided, but not done when the process died: the row is still as it was reserved. Where its release was
 * decided too, that is so if there is no final record of it. */
static bool was_never_opened(const struct engine *e, const struct session *s, const struct leg *l)
{
	if (l->row_pending)
		return !link_ended(e->link, l->row) &&
		       !usage_is_final(e->usage, tg_region_id(e->region), l->row.row, l->row.generation);
	return s->state == SESSION_RUNNING && l->state != LEG_ENDING && l->state != LEG_GONE;
}

/* Returns false if the leg should have media and its row is lost. */
static bool take_row(
	struct engine *e, struct call *call, int leg, const struct link_passed *passed, bool *stint_differs)
{
	struct session *s = call->session;
	struct leg *l = s->leg[leg];
	uint32_t stint = s->stint;
	*stint_differs = false;
	if (!l->row.generation)
		return true;
	if (!l->row_open)
		return link_adopt_reserved(e->link, l->row);
	bool here = link_adopt(e->link, l->row, passed, &stint);
	bool released = l->row_pending;
	if (!here && was_never_opened(e, s, l) && link_adopt_reserved(e->link, l->row)) {
		l->row_pending = false; /* session_resume() releases it once more */
		e->by_row[l->row.row] = (struct row_owner){call, leg};
		return true;
	}
	l->row_pending = released && here;
	if (!here) {
		l->row_open = released;
		return released;
	}
	e->by_row[l->row.row] = (struct row_owner){call, leg};
	*stint_differs = stint != s->stint;
	if (released) {
		struct link_chain chain = {.n = 0};
		link_release(e->link, &chain, l->row);
		link_submit(e->link, &chain);
	}
	return true;
}

/* What taking a leg up may change in it. */
struct on_shelf {
	int state;
	bool row_open, row_pending;
	uint32_t generation;
};

static struct on_shelf kept_of(const struct leg *l)
{
	return (struct on_shelf){l->state, l->row_open, l->row_pending, l->row.generation};
}

static bool differs_from(const struct leg *l, const struct on_shelf *was)
{
	return (int)l->state != was->state || l->row_open != was->row_open ||
	       l->row_pending != was->row_pending || l->row.generation != was->generation;
}

/* Dialogs and rows become ours. Nothing is done with them yet: a session that goes on may take a free row,
 * and must not find one that another still has to adopt. */
static void adopt(struct engine *e, struct call *call, const json_t *dialogs, const json_t *passed)
{
	struct session *s = call->session;
	struct session_env env = engine_env(e, s);
	call->whole = true;
	for (int i = 0; i < s->legs; i++) {
		struct on_shelf was = kept_of(s->leg[i]);
		bool needed = i == 0 || (s->dial.bridged && i == s->dial.callee), differs;
		bool dialog = take_dialog(e, call, i, json_array_get(dialogs, (size_t)i), &env);
		struct link_passed p = passed_at(passed, i);
		bool row = take_row(e, call, i, &p, &differs);
		call->stint_differs |= (uint64_t)differs << i;
		if (!row)
			s->leg[i]->row = (struct link_row){0};
		call->dirty = call->dirty || differs_from(s->leg[i], &was);
		call->whole = call->whole && ((dialog && row) || !needed);
		if (s->leg[i]->row.generation && !s->leg[i]->row_open)
			e->by_row[s->leg[i]->row.row] = (struct row_owner){call, i};
	}
}

/* Nothing else is wanted but that rows are what they should be. */
static bool only_chains(const struct session *s)
{
	for (const struct action *a = s->first; a; a = a->next)
		if (a->kind != ACTION_CHAIN)
			return false;
	return true;
}

/* The usual case: a call stands, and its rows with it. Nothing is left to be asked of the dataplane then. */
static void drop_done(struct engine *e, struct session *s)
{
	struct action *a = s->first;
	if (!a || a->next || a->kind != ACTION_CHAIN || !a->chain || !link_is_done(e->link, a->chain))
		return;
	action_free(session_take_actions(s));
}

/* A session that stands as it stood is not kept again: ten thousand of them would take the time of a start.
 */
static void resume(struct engine *e, struct call *call)
{
	struct session *s = call->session;
	bool changed = call->dirty || !call->whole || s->play.waiting || json_array_size(call->unsure);
	struct session_env env = engine_env(e, s);
	bool differs[SESSION_LEGS_MAX];
	for (int i = 0; i < s->legs; i++)
		differs[i] = call->stint_differs >> i & 1;
	if (!call->whole && s->state == SESSION_RUNNING)
		session_end(s, RELEASED_BY_GATEWAY, 41, "not-taken-up",
			"the control plane was restarted and could not take the call up", &env);
	session_resume(s, differs, &env);
	drop_done(e, s);
	engine_go_on(e, call, changed || s->state != SESSION_RUNNING || !only_chains(s));
}

struct takeover {
	struct engine *engine;
	json_t *kept; /* session -> what closing_keep() made of it */
	unsigned taken;
};

/* The journal knows nothing of it: nothing had been done for it yet but to tell the caller to wait. */
static bool begins(const struct engine *e, const char *name, const json_t *facts)
{
	const json_t *first = json_array_get(facts, 0);
	return first && !json_integer_value(json_array_get(first, 1)) &&
	       !recovery_was_closed(e->recovery, name);
}

static void found(void *ctx, const char *name, const json_t *value)
{
	struct takeover *t = ctx;
	struct engine *e = t->engine;
	struct recovery_session *open = recovery_find(e->recovery, name);
	struct session *s = NULL;
	const json_t *facts = json_object_get(value, "facts");
	if (!json_is_object(value) && open)
		log_warn(calls, name, "session-not-taken-up",
			"reason=\"its state can't be read\" effect=\"its far ends are not told\"");
	if (!json_is_object(value) || (!open && !begins(e, name, facts))) {
		shelf_drop(e->shelf, name);
		return;
	}
	int err = state_restore(json_object_get(value, "session"), registry_ref(e->registry), &s);
	struct call *call = !err && s->region == tg_region_id(e->region) ? engine_add_call(e, s) : NULL;
	if (!call) {
		const char *why = err == -ENOENT ? "the registry no longer has its module"
				  : err          ? "its state can't be read"
						 : "its region is gone";
		log_warn(calls, name, "session-not-taken-up", "reason=\"%s\"", why);
		if (err)
			registry_unref(e->registry);
		session_destroy(s);
		json_object_set_new(t->kept, name, closing_keep(e, name, value, why));
		if (!recovery_find(e->recovery, name)) /* nothing that can be closed */
			shelf_drop(e->shelf, name);
		return;
	}
	if (open)
		open->taken = true;
	t->taken++;
	if (t->taken <= NAMED_MAX)
		log_info(calls, s->text, "session-taken-up", "legs=%d module=%s", s->legs, s->module->code);
	else /* a start must not wait for whoever reads ten thousand lines */
		log_debug(calls, s->text, "session-taken-up", "legs=%d module=%s", s->legs, s->module->code);
	call->facts = open ? open->facts : 0;
	append_lost(e, call, facts);
	if ((json_int_t)call->facts < json_integer_value(json_object_get(value, "appended")) && !s->partial)
		s->partial = strdup("facts are missing in the journal");
	adopt(e, call, json_object_get(value, "dialogs"), json_object_get(value, "passed"));
}

void takeover_run(struct engine *e)
{
	struct takeover t = {.engine = e, .kept = json_object()};
	uint64_t begun = clock_mono_ns();
	shelf_each(e->shelf, found, &t);
	link_release_leftovers(e->link);
	e->taken_up = t.taken;
	for (struct call *call = e->calls, *next; call; call = next) {
		next = call->next;
		resume(e, call);
	}
	for (struct recovery_session *r = recovery_first(e->recovery); r; r = r->next) {
		if (r->taken)
			continue;
		e->closed_by_record++;
		closing_run(e, r, json_object_get(t.kept, r->text));
	}
	json_decref(t.kept);
	for (uint32_t row = 0; row < tg_region_legs(e->region); row++) {
		struct row_owner o = e->by_row[row];
		if (o.call && o.call->session->leg[o.leg]->row.row == row)
			link_look(e->link, o.call->session->leg[o.leg]->row);
	}
	if (e->taken_up || e->closed_by_record)
		log_info(calls, NULL, "taken-up", "sessions=%u closed_by_record=%u ms=%llu", e->taken_up,
			e->closed_by_record,
			(unsigned long long)((clock_mono_ns() - begun) / CLOCK_NS_PER_MS));
}
