#include "controlplane/calls/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "controlplane/journal/fact_value.h"

/* As long as a From header of ours takes, with every character escaped. */
#define CALLER_ID_MAX 63

static void copy(char *to, size_t room, const char *from)
{
	snprintf(to, room, "%s", from ? from : "");
}

/* A caller may call itself anything. What no From header of ours can carry is left out, so that the call can
 * be passed on all the same. */
static void copy_name(char *to, size_t room, const char *from)
{
	size_t used = 0, left = strlen(from);
	while (left) {
		size_t n = fact_character(from, left);
		bool plain = n > 1 || (n == 1 && (unsigned char)*from >= ' ' && !strchr("\"\\\x7f", *from));
		if (plain && used + n >= room)
			break;
		if (plain)
			memcpy(to + used, from, n);
		used += plain ? n : 0;
		from += n ? n : 1;
		left -= n ? n : 1;
	}
	to[used] = '\0';
}

/* The same for its number, of which no half may be shown. */
static const char *shown_number(const char *from)
{
	for (const unsigned char *p = (const unsigned char *)from; *p; p++)
		if (*p < ' ' || *p == 0x7f || *p == '"' || p - (const unsigned char *)from == CALLER_ID_MAX)
			return "anonymous";
	return *from ? from : "anonymous";
}

static const char *dial_status(int sip_status)
{
	switch (sip_status) {
	case 486:
	case 600:
		return "busy";
	case 408:
	case 480:
	case 487:
		return "no-answer";
	}
	return "failed";
}

static void finish(
	struct session *s, const char *status, uint32_t seconds, bool bridged, const struct session_env *env)
{
	char sid[ID_TEXT_BYTES] = "";
	int shown = s->dial.callee >= 0 ? s->dial.callee : s->dial.first;
	if (shown < s->legs)
		memcpy(sid, s->leg[shown]->sid, sizeof(sid));
	s->dial.active = s->dial.bridged = false;
	s->dial.callee = -1;
	s->deadline[TIMER_DIAL] = s->deadline[TIMER_LIMIT] = 0;
	struct interpreter_event ev = {.kind = INTERPRETER_DIAL_DONE,
		.dial_status = status,
		.dial_sid = sid,
		.dial_seconds = seconds,
		.bridged = bridged};
	instructions_event(s, &ev, env);
}

static bool any_pending(const struct session *s)
{
	for (int i = s->dial.first; i < s->legs; i++)
		if (s->leg[i]->state == LEG_CALLING || s->leg[i]->state == LEG_RINGING)
			return true;
	return false;
}

/* Returns true if a leg was made for the target. */
static bool invite(struct session *s, const struct interpreter_dial *dial, const struct interpreter_target *t,
	const struct session_env *env)
{
	const char *destination = t->number ? t->number : t->sip;
	/* Showing the caller's own number to where the call is passed on is no claim of the account's. */
	const char *caller_id = dial->caller_id ? dial->caller_id : shown_number(s->leg[0]->from);
	const struct policy_denial *denial = policy_dial(s->module->account, destination,
		dial->caller_id ? dial->caller_id : "anonymous", env->dial_rate, env->now_ns);
	if (!denial && s->legs == SESSION_LEGS_MAX) {
		static const struct policy_denial legs = {
			POLICY_LEGS, "LEGS", "a session has at most 50 legs"};
		denial = &legs;
	}
	if (denial) {
		session_fact(s, FACT_denied, record_error(s, denial->number, denial->sentence, env));
		log_info(calls, s->text, "dial-denied", "module=%s destination=%s number=%d reason=\"%s\"",
			s->module->code, log_quote(destination), denial->number, denial->sentence);
		s->dial.last_status = 403;
		return false;
	}
	struct leg *l = session_add_leg(s, env);
	struct action *a = l ? session_add(s, ACTION_INVITE, s->legs - 1) : NULL;
	if (!a)
		return false;
	l->outbound = true;
	l->state = LEG_CALLING;
	copy(l->from, sizeof(l->from), caller_id);
	copy(l->to, sizeof(l->to), destination);
	copy(l->target, sizeof(l->target), destination);
	copy_name(l->display, sizeof(l->display), dial->caller_id ? "" : s->leg[0]->display);
	a->payload = record_leg_open(s, s->legs - 1);
	if (t->send_digits && t->send_digits[0])
		session_fact(s, FACT_error,
			record_error(s, 41014, "sendDigits is not available: the digits are not sent", env));
	if (t->username && t->password) {
		a->text = strdup(t->username);
		a->method = strdup(t->password);
	}
	return true;
}

void dialing_start(struct session *s, const struct interpreter_dial *dial, const struct session_env *env)
{
	s->dial = (struct session_dial){.active = true,
		.first = s->legs,
		.callee = -1,
		.hangup_on_star = dial->hangup_on_star,
		.time_limit_s = dial->time_limit_s};
	int made = 0;
	for (int i = 0; i < dial->targets; i++)
		made += invite(s, dial, &dial->target[i], env);
	if (!made) {
		finish(s, "failed", 0, false, env);
		return;
	}
	s->deadline[TIMER_DIAL] = env->now_ns + dial->timeout_s * 1000000000ull;
}

/* A leg of the Dial came to nothing. */
static void leg_failed(struct session *s, int leg, int status, const struct session_env *env)
{
	if (!s->dial.active || leg < s->dial.first || s->dial.bridged)
		return;
	if (s->dial.last_status != 486 || status == 486)
		s->dial.last_status = status;
	if (!any_pending(s))
		finish(s, dial_status(s->dial.last_status), 0, false, env);
}

void dialing_invite_failed(
	struct session *s, int leg, int status, const char *reason, const struct session_env *env)
{
	session_leg_ended(s, leg, status, 41, RELEASED_BY_GATEWAY, reason, env);
	s->leg[leg]->state = LEG_GONE;
	if (s->state == SESSION_RUNNING)
		leg_failed(s, leg, status, env);
	session_maybe_close(s, env);
}

void session_on_invite_failed(
	struct session *s, int leg, int status, const char *reason, const struct session_env *env)
{
	dialing_invite_failed(s, leg, status, reason, env);
}

static void cancel_others(struct session *s, int but)
{
	for (int i = s->dial.first; i < s->legs; i++) {
		struct leg *l = s->leg[i];
		if (i == but || (l->state != LEG_CALLING && l->state != LEG_RINGING))
			continue;
		session_add(s, ACTION_CANCEL, i);
		l->cancelled = true;
		l->state = LEG_ENDING;
	}
}

void dialing_timeout(struct session *s, const struct session_env *env)
{
	if (!s->dial.active || s->dial.bridged)
		return;
	cancel_others(s, -1);
	s->dial.last_status = 480;
	finish(s, "no-answer", 0, false, env);
}

static void hang_up(struct session *s, int leg, enum released_by by, int q850, const char *reason,
	const struct session_env *env)
{
	struct action *a = session_add(s, ACTION_BYE, leg);
	if (a) {
		a->status = q850;
		a->text = strdup(reason);
	}
	s->leg[leg]->state = LEG_ENDING;
	session_leg_ended(s, leg, 200, q850, by, reason, env);
}

/* Both directions of the bridge begin at one moment, after everything that the callee's leg needs. */
static void bridge(struct session *s, int callee, const struct session_env *env)
{
	struct leg *a = s->leg[0], *b = s->leg[callee];
	struct link_chain chain = {.n = 0};
	bool answer = a->state == LEG_INCOMING;
	if (answer) {
		a->state = LEG_ANSWERED;
		a->answered_ns = env->now_ns;
		s->deadline[TIMER_RING] = 0;
		media_program(s, 0, &chain, env);
		session_fact(s, FACT_leg_answered, record_leg_answered(s, 0));
	}
	media_program(s, callee, &chain, env);
	struct tg_leg_source hear_caller = {
		.kind = TG_SOURCE_RELAY, .peer = a->row.row, .generation = a->row.generation};
	struct tg_leg_source hear_callee = {
		.kind = TG_SOURCE_RELAY, .peer = b->row.row, .generation = b->row.generation};
	media_hear(s, callee, &chain, &hear_caller);
	media_hear(s, 0, &chain, &hear_callee);
	media_submit(s, &chain);
	session_add(s, ACTION_ACK, callee);
	struct action *respond = answer ? session_add(s, ACTION_RESPOND, 0) : NULL;
	if (respond) {
		respond->status = 200;
		respond->sdp = malloc(sizeof(*respond->sdp));
		if (respond->sdp)
			*respond->sdp = a->local;
	}
}

static void on_answered(struct session *s, int leg, const struct ua_event *ev, const struct session_env *env)
{
	struct leg *l = s->leg[leg];
	bool wanted = s->state == SESSION_RUNNING && s->dial.active && !s->dial.bridged &&
		      l->state != LEG_ENDING;
	l->state = LEG_ANSWERED;
	l->answered_ns = env->now_ns;
	session_fact(s, FACT_leg_answered, record_leg_answered(s, leg));
	if (!wanted || !ev->sdp || !media_remote_answered(s, leg, ev->sdp)) {
		session_add(s, ACTION_ACK, leg);
		hang_up(s, leg, RELEASED_BY_GATEWAY, wanted ? 79 : 16,
			wanted ? "the answer fits nothing offered" : "no longer wanted", env);
		if (wanted)
			leg_failed(s, leg, 488, env);
		return;
	}
	s->dial.callee = leg;
	s->dial.bridged = true;
	s->dial.bridged_ns = env->now_ns;
	s->documents = 0;
	s->deadline[TIMER_DIAL] = 0;
	s->deadline[TIMER_LIMIT] = env->now_ns + s->dial.time_limit_s * 1000000000ull;
	cancel_others(s, leg);
	bridge(s, leg, env);
	log_info(calls, s->text, "bridged", "caller=%s callee=%s", s->leg[0]->sid, l->sid);
}

static void on_progress(struct session *s, int leg, const struct ua_event *ev, const struct session_env *env)
{
	struct leg *l = s->leg[leg];
	if (l->state == LEG_CALLING && ev->status >= 180)
		l->state = LEG_RINGING;
	if (ev->status < 180 || l->ringing_recorded)
		return;
	l->ringing_recorded = true;
	session_fact(s, FACT_leg_ringing, record_leg_ringing(s, leg, ev->status, env));
}

/* The callee of the bridge is gone: the caller's document goes on. */
static void unbridge(struct session *s, int leg, const struct session_env *env)
{
	uint32_t seconds = (uint32_t)((env->now_ns - s->dial.bridged_ns + 500000000ull) / 1000000000ull);
	struct link_chain chain = {.n = 0};
	struct tg_leg_source none = {.kind = TG_SOURCE_NONE};
	media_hear(s, 0, &chain, &none);
	media_submit(s, &chain);
	media_release_rows(s, leg);
	finish(s, "completed", seconds, true, env);
}

void dialing_hang_up_callee(
	struct session *s, enum released_by by, const char *reason, const struct session_env *env)
{
	int leg = s->dial.callee;
	if (s->state != SESSION_RUNNING || leg < 0)
		return;
	hang_up(s, leg, by, 16, reason, env);
	unbridge(s, leg, env);
}

static void on_ended(struct session *s, int leg, const struct ua_event *ev, const struct session_env *env)
{
	struct leg *l = s->leg[leg];
	bool was_up = l->state == LEG_ANSWERED;
	l->state = LEG_ENDING;
	session_leg_ended(s, leg, ev->status ? ev->status : 200, ev->q850 ? ev->q850 : 16,
		ev->status ? RELEASED_BY_GATEWAY : RELEASED_BY_CALLEE, ev->reason, env);
	if (was_up && s->state == SESSION_RUNNING && leg == s->dial.callee)
		unbridge(s, leg, env);
}

void dialing_on_ua(struct session *s, int leg, const struct ua_event *ev, const struct session_env *env)
{
	switch (ev->kind) {
	case UA_PROGRESS:
		on_progress(s, leg, ev, env);
		break;
	case UA_ANSWERED:
		on_answered(s, leg, ev, env);
		break;
	case UA_FAILED:
		session_leg_ended(s, leg, ev->status, ev->q850,
			s->leg[leg]->cancelled ? RELEASED_BY_GATEWAY
			: ev->local            ? RELEASED_BY_GATEWAY
					       : RELEASED_BY_CALLEE,
			ev->crossed ? "answered after it was cancelled" : ev->reason, env);
		s->leg[leg]->state = LEG_ENDING;
		if (s->state == SESSION_RUNNING && !s->leg[leg]->cancelled)
			leg_failed(s, leg, ev->status, env);
		break;
	case UA_ENDED:
		on_ended(s, leg, ev, env);
		break;
	default:
		break;
	}
}
