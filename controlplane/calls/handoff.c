#include "controlplane/calls/session.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"

static void open_stint(struct session *s, const char *trigger, const struct session_env *env)
{
	s->stint_open = true;
	s->stint_ns = env->now_ns;
	session_fact(s, FACT_stint_open, record_stint(s, trigger, true, env));
}

void handoff_first(struct session *s, const struct session_env *env)
{
	open_stint(s, "number", env);
	instructions_fetch(s, s->module->url, s->module->method, NULL, env);
}

void handoff_close_stint(struct session *s, const char *reason, const struct session_env *env)
{
	if (!s->stint_open)
		return;
	s->stint_open = false;
	session_fact(s, FACT_stint_close, record_stint(s, reason, false, env));
}

/* One chain: all legs of the session change their stint at the same moment. */
static void change_stint_of_legs(struct session *s)
{
	struct link_chain chain = {.n = 0};
	for (int i = 0; i < s->legs; i++)
		if (s->leg[i]->row_open && !s->leg[i]->row_pending)
			chain.command[chain.n++] = (struct tg_command){.kind = TG_CMD_STINT,
				.leg = s->leg[i]->row.row,
				.generation = s->leg[i]->row.generation,
				.stint = s->stint};
	media_submit(s, &chain);
}

static bool push_frame(struct session *s, const char *return_url, const struct session_env *env)
{
	if (s->depth == SESSION_STACK_MAX)
		return false;
	struct session_frame *frame = &s->stack[s->depth];
	frame->return_url = strdup(return_url);
	if (!frame->return_url)
		return false;
	frame->module = s->module;
	frame->since_ns = env->now_ns;
	s->depth++;
	return true;
}

void handoff_to(struct session *s, struct handoff_request *q, const struct session_env *env)
{
	const struct policy_denial *denial = q->returning ? NULL : policy_handoff(s->module, q->to);
	if (denial) {
		json_t *f = record_error(s, denial->number, denial->sentence, env);
		session_fact(s, FACT_denied, f);
		log_info(calls, s->text, "handoff-denied", "from=%s to=%s number=%d reason=\"%s\"",
			s->module->code, q->to->code, denial->number, denial->sentence);
		json_decref(q->extra);
		instructions_failed(s, denial->number, denial->sentence, env);
		return;
	}
	if (q->return_url && !push_frame(s, q->return_url, env)) {
		json_decref(q->extra);
		instructions_failed(
			s, POLICY_STACK_FULL, "more than 16 modules wait for control to return", env);
		return;
	}
	instructions_stop(s, env);
	handoff_close_stint(s, q->trigger, env);
	log_info(calls, s->text, "handoff", "from=%s to=%s trigger=%s", s->module->code, q->to->code,
		q->trigger);
	s->module = q->to;
	s->stint++;
	open_stint(s, q->trigger, env);
	change_stint_of_legs(s);
	instructions_fetch(s, q->url ? q->url : s->module->url,
		q->url && q->method ? q->method : s->module->method, q->extra, env);
}

void handoff_return(struct session *s, const char *status, const struct session_env *env)
{
	struct session_frame frame = s->stack[--s->depth];
	json_t *extra = json_object();
	json_object_set_new(extra, "ModuleStatus", json_string(status));
	json_object_set_new(extra, "ModuleDuration",
		json_integer((json_int_t)((env->now_ns - frame.since_ns) / 1000000000u)));
	struct handoff_request q = {.to = frame.module,
		.trigger = "return",
		.url = frame.return_url,
		.extra = extra,
		.returning = true};
	handoff_to(s, &q, env);
	free(frame.return_url);
}
