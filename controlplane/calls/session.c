#include "controlplane/calls/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/log.h"
#include "controlplane/calls/cause.h"

static void copy(char *to, size_t room, const char *from)
{
	snprintf(to, room, "%s", from ? from : "");
}

struct action *session_add(struct session *s, enum action_kind kind, int leg)
{
	struct action *a = calloc(1, sizeof(*a));
	if (!a) { /* one action is lost; the call's timers end what hangs */
		log_error(calls, s->text, "out-of-memory", "action=%d", (int)kind);
		return NULL;
	}
	a->kind = kind;
	a->leg = leg;
	*s->last = a;
	s->last = &a->next;
	return a;
}

void session_fact(struct session *s, enum fact fact, json_t *payload)
{
	struct action *a = payload ? session_add(s, ACTION_FACT, -1) : NULL;
	if (!a) {
		json_decref(payload);
		return;
	}
	a->fact = fact;
	a->payload = payload;
}

struct action *session_take_actions(struct session *s)
{
	struct action *first = s->first;
	s->first = NULL;
	s->last = &s->first;
	return first;
}

struct leg *session_add_leg(struct session *s, const struct session_env *env)
{
	if (s->legs == SESSION_LEGS_MAX)
		return NULL;
	struct leg *l = calloc(1, sizeof(*l));
	if (!l)
		return NULL;
	if (id_new(&l->call)) {
		free(l);
		return NULL;
	}
	id_format(&l->call, ID_KIND_CALL, l->sid);
	if (getrandom(&l->ssrc, sizeof(l->ssrc), 0) != sizeof(l->ssrc))
		l->ssrc = (uint32_t)l->call.b[0] << 24 | (uint32_t)l->call.b[5] << 16 | l->call.b[9];
	l->setup_ns = env->now_ns;
	l->agreed.event_rx = l->agreed.event_tx = MEDIA_PT_NONE;
	s->leg[s->legs++] = l;
	return l;
}

static struct session *make(struct registry *registry)
{
	struct session *s = calloc(1, sizeof(*s));
	if (!s)
		return NULL;
	s->last = &s->first;
	s->registry = registry;
	s->dial.callee = -1;
	copy(s->cause, sizeof(s->cause), "completed");
	s->refusal = 500;
	return s;
}

static void fill_incoming(struct leg *l, const struct ua_event *invite, const struct session_begin *begin)
{
	l->state = LEG_INCOMING;
	l->ua = invite->leg;
	l->row = begin->row;
	l->local.address = begin->address;
	l->local.port = begin->port;
	l->dscp = begin->dscp;
	copy(l->from, sizeof(l->from), invite->from_user);
	copy(l->to, sizeof(l->to), invite->to_user);
	copy(l->target, sizeof(l->target), invite->request_uri);
	copy(l->display, sizeof(l->display), invite->from_display);
	copy(l->call_id, sizeof(l->call_id), invite->call_id);
	copy(l->trunk, sizeof(l->trunk), invite->trunk);
	copy(l->source, sizeof(l->source), invite->source);
	l->late_offer = invite->sdp == NULL;
	if (invite->sdp) {
		l->remote = *invite->sdp;
		l->have_remote = true;
	}
}

static void copy_headers(struct session *s, const struct ua_event *invite)
{
	for (int i = 0; i < invite->headers && i < UA_HEADERS_MAX; i++) {
		char *name = strdup(invite->header[i].name), *value = strdup(invite->header[i].value);
		if (!name || !value) {
			free(name);
			free(value);
			return;
		}
		s->header_name[s->headers] = name;
		s->header_value[s->headers++] = value;
	}
}

struct session *session_create(struct registry *registry, const struct registry_number *number,
	const struct ua_event *invite, const struct session_begin *begin, const struct session_env *env)
{
	struct session *s = make(registry);
	if (!s)
		return NULL;
	struct leg *l = session_add_leg(s, env);
	if (!l || id_new(&s->id)) {
		s->registry = NULL; /* stays the caller's */
		session_destroy(s);
		return NULL;
	}
	id_format(&s->id, ID_KIND_SESSION, s->text);
	s->owner = number->account;
	s->module = number->module;
	copy(s->number, sizeof(s->number), invite->to_user);
	s->media_timeout_ms = begin->media_timeout_ms;
	s->latch = begin->latch;
	s->region = begin->region;
	s->clock_step_ms = begin->clock_step_ms;
	fill_incoming(l, invite, begin);
	copy_headers(s, invite);
	session_fact(s, FACT_session_open, record_session_open(s));
	session_fact(s, FACT_leg_open, record_leg_open(s, 0));
	struct media_refusal refusal;
	if (!media_answer_incoming(s, env, &refusal)) {
		media_refuse(s, 0, &refusal);
		session_leg_ended(s, 0, 488, 88, RELEASED_BY_GATEWAY, refusal.reason, env);
		l->state = LEG_ENDING;
		session_end(s, RELEASED_BY_GATEWAY, 88, refusal.cause, refusal.reason, env);
		return s;
	}
	struct action *ringing = session_add(s, ACTION_RESPOND, 0);
	if (ringing)
		ringing->status = 180;
	l->ringing_recorded = true;
	session_fact(s, FACT_leg_ringing, record_leg_ringing(s, 0, 180, env));
	s->deadline[TIMER_RING] = env->now_ns + begin->ring_seconds * 1000000000ull;
	handoff_first(s, env);
	return s;
}

struct session *session_recover(struct registry *registry, const struct id *id)
{
	struct session *s = make(registry);
	if (!s)
		return NULL;
	s->id = *id;
	id_format(&s->id, ID_KIND_SESSION, s->text);
	s->state = SESSION_CLOSING;
	return s;
}

void session_destroy(struct session *s)
{
	if (!s)
		return;
	struct action *a = session_take_actions(s);
	while (a) {
		struct action *next = a->next;
		action_free(a);
		a = next;
	}
	for (int i = 0; i < s->legs; i++)
		free(s->leg[i]);
	for (int i = 0; i < s->headers; i++) {
		free(s->header_name[i]);
		free(s->header_value[i]);
	}
	while (s->depth)
		free(s->stack[--s->depth].return_url);
	document_free(s->document);
	free(s->url);
	free(s->wanted_url);
	free(s->wanted_method);
	json_decref(s->wanted_extra);
	free(s->body);
	free(s->content_type);
	free(s->play.url);
	free(s->play.lease);
	free(s->play.address);
	free(s->partial);
	if (s->registry)
		registry_unref(s->registry);
	free(s);
}

static const char *const released_by_name[] = {"", "caller", "callee", "gateway", "module"};

void session_leg_ended(struct session *s, int leg, int status, int q850, enum released_by by,
	const char *reason, const struct session_env *env)
{
	struct leg *l = s->leg[leg];
	if (l->ended_recorded)
		return;
	l->ended_recorded = true;
	l->final_status = status;
	if (!q850)
		q850 = cause_of_status(status);
	json_t *f = record_text(s, leg, env);
	json_object_set_new(f, "status", json_integer(status));
	json_object_set_new(f, "cause", json_integer(q850));
	json_object_set_new(f, "released_by", json_string(released_by_name[by]));
	json_t *why = json_string(reason ? reason : "");
	json_object_set_new(f, "reason", why ? why : json_string("(not UTF-8)"));
	session_fact(s, FACT_leg_ended, f);
}

/* What is left of a leg when the session ends. */
static void end_leg(struct session *s, int leg, enum released_by by, int q850, const char *reason,
	const struct session_env *env)
{
	struct leg *l = s->leg[leg];
	struct action *a = NULL;
	switch (l->state) {
	case LEG_INCOMING:
		a = session_add(s, ACTION_RESPOND, leg);
		if (a)
			a->status = by == RELEASED_BY_MODULE ? 603 : s->refusal;
		session_leg_ended(s, leg, a ? a->status : s->refusal, q850, by, reason, env);
		break;
	case LEG_CALLING:
	case LEG_RINGING:
		session_add(s, ACTION_CANCEL, leg);
		l->cancelled = true;
		break; /* its record says how that ended: UA_FAILED */
	case LEG_ANSWERED:
		a = session_add(s, ACTION_BYE, leg);
		if (a) {
			a->status = q850;
			a->text = strdup(reason ? reason : "");
		}
		session_leg_ended(s, leg, 200, q850, by, reason, env);
		break;
	case LEG_ENDING:
	case LEG_GONE:
		return;
	}
	l->state = LEG_ENDING;
}

void session_end(struct session *s, enum released_by by, int q850, const char *cause, const char *reason,
	const struct session_env *env)
{
	if (s->state != SESSION_RUNNING)
		return;
	s->state = SESSION_CLOSING;
	copy(s->cause, sizeof(s->cause), cause);
	copy(s->reason, sizeof(s->reason), reason);
	instructions_stop(s, env);
	for (int t = 0; t < TIMERS; t++)
		s->deadline[t] = 0;
	s->dial.active = s->dial.bridged = false;
	for (int i = 0; i < s->legs; i++)
		end_leg(s, i, by, q850, reason, env);
	media_release_rows(s, -1);
	handoff_close_stint(s, cause, env);
	log_info(calls, s->text, "session-ending", "cause=%s reason=%s", cause, log_quote(reason));
	session_maybe_close(s, env);
}

void session_maybe_close(struct session *s, const struct session_env *env)
{
	if (s->state != SESSION_CLOSING)
		return;
	for (int i = 0; i < s->legs; i++)
		if (s->leg[i]->state != LEG_GONE || s->leg[i]->row_pending)
			return;
	s->state = SESSION_CLOSED;
	json_t *f = json_object();
	json_object_set_new(f, "session", json_string(s->text));
	json_object_set_new(f, "at_ns", json_integer((json_int_t)env->now_ns));
	json_object_set_new(f, "cause", json_string(s->cause));
	json_t *reason = json_string(s->reason);
	json_object_set_new(f, "reason", reason ? reason : json_string("(not UTF-8)"));
	if (s->partial)
		json_object_set_new(f, "partial", json_string(s->partial));
	session_fact(s, FACT_session_close, f);
}

static void on_gone(struct session *s, int leg, const struct session_env *env)
{
	struct leg *l = s->leg[leg];
	/* A leg always ends with a record, however its dialog ended. */
	session_leg_ended(s, leg, 0, 41, RELEASED_BY_GATEWAY, "dialog lost", env);
	l->state = LEG_GONE;
	if (!l->row_open && l->row.generation) {
		struct action *a = session_add(s, ACTION_UNRESERVE, leg);
		if (a)
			a->row = l->row;
		l->row.generation = 0;
	}
	if (leg == 0 && s->state == SESSION_RUNNING)
		session_end(s, RELEASED_BY_GATEWAY, 41, "dialog-lost", "dialog lost", env);
	session_maybe_close(s, env);
}

static void on_acked(struct session *s, int leg, const struct ua_event *ev, const struct session_env *env)
{
	struct leg *l = s->leg[leg];
	l->acked = true;
	if (!l->late_offer || leg != 0)
		return;
	l->late_offer = false;
	if (!ev->sdp || !media_remote_answered(s, leg, ev->sdp)) {
		session_end(s, RELEASED_BY_GATEWAY, 79, "no-common-codec",
			"the answer in the ACK fits nothing offered", env);
		return;
	}
	struct link_chain chain = {.n = 0};
	media_program(s, leg, &chain, env);
	media_submit(s, &chain);
	instructions_play_pending(s, env);
}

/* Events of the caller's leg. */
static void on_caller(struct session *s, const struct ua_event *ev, const struct session_env *env)
{
	struct leg *l = s->leg[0];
	switch (ev->kind) {
	case UA_CANCELLED:
		l->state = LEG_ENDING;
		session_leg_ended(s, 0, 487, ev->q850, RELEASED_BY_CALLER, ev->reason, env);
		session_end(s, RELEASED_BY_CALLER, ev->q850, "cancelled", "the caller gave up", env);
		break;
	case UA_NOT_ACKED:
		session_end(s, RELEASED_BY_GATEWAY, 41, "no-ack", "the answer was never acknowledged", env);
		break;
	case UA_ENDED:
		if (l->state == LEG_ANSWERED)
			l->state = LEG_ENDING;
		session_leg_ended(s, 0, ev->status ? ev->status : 200, ev->q850,
			ev->status ? RELEASED_BY_GATEWAY : RELEASED_BY_CALLER, ev->reason, env);
		session_end(s, RELEASED_BY_CALLER, 16, ev->status ? "dialog-lost" : "caller-hung-up",
			ev->status ? "the caller's dialog is gone" : "the caller hung up", env);
		break;
	default:
		break;
	}
}

void session_on_ua(struct session *s, int leg, const struct ua_event *ev, const struct session_env *env)
{
	switch (ev->kind) {
	case UA_GONE:
		on_gone(s, leg, env);
		return;
	case UA_ACKED:
		on_acked(s, leg, ev, env);
		return;
	case UA_REINVITE:
		media_reinvite(s, leg, ev, env);
		return;
	default:
		break;
	}
	if (leg == 0)
		on_caller(s, ev, env);
	else
		dialing_on_ua(s, leg, ev, env);
}

void session_on_row_released(struct session *s, int leg, const struct session_env *env)
{
	s->leg[leg]->row_pending = false;
	session_maybe_close(s, env);
}

void session_on_media_timeout(struct session *s, int leg, const struct session_env *env)
{
	if (s->state != SESSION_RUNNING || s->leg[leg]->hold)
		return;
	session_end(s, RELEASED_BY_GATEWAY, 41, "media-timeout",
		leg == 0 ? "no media from the caller" : "no media from the callee", env);
}

void session_on_timer(struct session *s, enum session_timer timer, const struct session_env *env)
{
	s->deadline[timer] = 0;
	if (s->state != SESSION_RUNNING)
		return;
	switch (timer) {
	case TIMER_INTERPRETER: {
		struct interpreter_event ev = {.kind = INTERPRETER_TIMER};
		instructions_event(s, &ev, env);
		break;
	}
	case TIMER_DIAL:
		dialing_timeout(s, env);
		break;
	case TIMER_LIMIT:
		dialing_hang_up_callee(s, RELEASED_BY_GATEWAY, "the Dial's time limit was reached", env);
		break;
	case TIMER_RING:
		if (s->leg[0]->state == LEG_INCOMING) {
			struct action *a = session_add(s, ACTION_RESPOND, 0);
			if (a)
				a->status = 480;
			session_leg_ended(s, 0, 480, 19, RELEASED_BY_GATEWAY, "not answered in time", env);
			s->leg[0]->state = LEG_ENDING;
			session_end(s, RELEASED_BY_GATEWAY, 19, "not-answered", "not answered in time", env);
		}
		break;
	case TIMERS:
		break;
	}
}
