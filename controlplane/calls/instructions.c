#include "controlplane/calls/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "controlplane/modules/url.h"

/* Error numbers of what goes wrong outside a document's text; documents have theirs in document_error.def. */
enum { ERROR_DOCUMENT_LOOP = 11000, ERROR_MEDIA = 12400, ERROR_URL_LONG = 11001 };
/* Of fetch_error.def and document_error.def. */
enum {
	ERROR_BAD_REQUEST = 11100,
	ERROR_SERVER_TOO_LATE = 11205,
	ERROR_ADDRESS_NOT_ALLOWED = 11210,
	ERROR_NO_RESOURCES = 20500,
	ERROR_DOCUMENT_MEMORY = 41005
};

/* URLs may have a password, which belongs neither in records nor in logs. */
static json_t *shown(const char *url)
{
	char text[URL_BYTES_MAX];
	json_t *o = json_string(url_show(url ? url : "", text, sizeof(text)));
	return o ? o : json_string("");
}

static void set_timer(struct session *s, enum session_timer t, uint64_t ms, const struct session_env *env)
{
	s->deadline[t] = env->now_ns + ms * 1000000ull;
}

static json_t *params_object(const struct interpreter_action *a)
{
	json_t *extra = json_object();
	for (int i = 0; i < a->params; i++) {
		json_t *v = json_string(a->param[i].value);
		json_object_set_new(extra, a->param[i].name, v ? v : json_string(""));
	}
	return extra;
}

void instructions_fetch(
	struct session *s, const char *url, const char *method, json_t *extra, const struct session_env *env)
{
	s->interpreting = false;
	if (++s->documents > SESSION_DOCUMENTS_MAX) {
		json_decref(extra);
		instructions_failed(s, ERROR_DOCUMENT_LOOP,
			"1000 documents without media or input in between: a loop", env);
		return;
	}
	struct action *a = session_add(s, ACTION_FETCH, -1);
	char *u = strdup(url), *m = strdup(method);
	if (!a || !u || !m) {
		free(u);
		free(m);
		json_decref(extra);
		session_end(s, RELEASED_BY_GATEWAY, 41, "out-of-memory", "out of memory", env);
		return;
	}
	a->text = strdup(url);
	a->method = strdup(method);
	a->payload = extra;
	json_decref(s->wanted_extra);
	s->wanted_extra = extra ? json_incref(extra) : NULL;
	free(s->wanted_url);
	free(s->wanted_method);
	s->wanted_url = u;
	s->wanted_method = m;
}

/* The request of a process that is no more: whether it got an answer isn't known. */
void instructions_fetch_again(struct session *s)
{
	struct action *a = session_add(s, ACTION_FETCH, -1);
	if (!a)
		return;
	a->text = strdup(s->wanted_url);
	a->method = strdup(s->wanted_method ? s->wanted_method : "POST");
	a->payload = s->wanted_extra ? json_incref(s->wanted_extra) : NULL;
}

static void end_play(struct session *s)
{
	if (s->play.lease) {
		struct action *a = session_add(s, ACTION_LEASE_END, -1);
		if (a) {
			a->text = s->play.lease;
			s->play.lease = NULL;
		}
	}
	if (s->play.resolving)
		session_add(s, ACTION_RESOLVE_CANCEL, -1);
	free(s->play.lease);
	free(s->play.url);
	free(s->play.address);
	uint32_t id = s->play.id;
	s->play = (struct session_play){.id = id};
}

static void stop_play(struct session *s)
{
	if (s->play.playing) {
		struct link_chain chain = {.n = 0};
		struct tg_leg_source none = {.kind = TG_SOURCE_NONE};
		media_hear(s, 0, &chain, &none);
		media_submit(s, &chain);
	}
	end_play(s);
}

void instructions_stop(struct session *s, const struct session_env *env)
{
	if (s->wanted_url) {
		session_add(s, ACTION_FETCH_CANCEL, -1);
		free(s->wanted_url);
		s->wanted_url = NULL;
	}
	stop_play(s);
	s->interpreting = false;
	s->deadline[TIMER_INTERPRETER] = 0;
}

/* What a caller is told that was not answered yet. No 503, which would keep its side from sending us calls
 * for other modules (RFC 3261 21.5.4): the application server is the one that can't. */
static int status_of_failure(int number)
{
	switch (number) {
	case ERROR_BAD_REQUEST:
	case ERROR_ADDRESS_NOT_ALLOWED:
	case ERROR_NO_RESOURCES:
	case ERROR_DOCUMENT_MEMORY:
		return 500; /* of our own */
	case ERROR_SERVER_TOO_LATE:
		return 504;
	default:
		return 502;
	}
}

void instructions_failed(struct session *s, int number, const char *sentence, const struct session_env *env)
{
	if (s->state != SESSION_RUNNING)
		return;
	session_fact(s, FACT_error, record_error(s, number, sentence, env));
	log_warn(calls, s->text, "module-failed", "module=%s number=%d reason=%s", s->module->code, number,
		log_quote(sentence));
	instructions_stop(s, env);
	if (s->module->fallback_url && !s->fallback && number != ERROR_DOCUMENT_LOOP) {
		char text[16];
		snprintf(text, sizeof(text), "%d", number);
		json_t *extra = json_object();
		json_object_set_new(extra, "ErrorCode", json_string(text));
		json_object_set_new(extra, "ErrorUrl", json_string(s->url ? s->url : s->module->url));
		s->fallback = true;
		instructions_fetch(s, s->module->fallback_url, s->module->method, extra, env);
		return;
	}
	if (s->depth) {
		handoff_return(s, "failed", env);
		return;
	}
	s->refusal = status_of_failure(number);
	session_end(s, RELEASED_BY_GATEWAY, 41, "module-failed", sentence, env);
}

/* The document said what to play and the media layer where it lies. */
void instructions_play_pending(struct session *s, const struct session_env *env)
{
	if (!s->play.waiting || s->leg[0]->late_offer)
		return;
	s->play.waiting = false;
	s->play.playing = true;
	struct link_chain chain = {.n = 0};
	struct tg_leg_source play = {.kind = TG_SOURCE_PLAY,
		.stop_on_digit = s->play.stop_on_digit,
		.peer = s->play.item,
		.generation = s->play.generation,
		.play_id = s->play.id,
		.loops = s->play.loops};
	media_hear(s, 0, &chain, &play);
	media_submit(s, &chain);
}

/* The document goes on with what comes next. */
static void play_failed(
	struct session *s, const char *error, const char *sentence, const struct session_env *env)
{
	char said[256], url[URL_BYTES_MAX];
	snprintf(said, sizeof(said), "%s", sentence);
	log_warn(calls, s->text, "play-failed", "url=%s error=%s reason=%s",
		log_quote(url_show(s->play.url ? s->play.url : "", url, sizeof(url))), log_quote(error),
		log_quote(said));
	end_play(s);
	struct interpreter_event ev = {
		.kind = INTERPRETER_PLAY_FAILED, .number = ERROR_MEDIA, .sentence = said};
	instructions_event(s, &ev, env);
}

void session_on_media(struct session *s, const struct session_media_result *r, const struct session_env *env)
{
	if (s->state != SESSION_RUNNING || !s->play.resolving)
		return;
	s->play.resolving = false;
	json_t *f = record_text(s, 0, env);
	json_object_set_new(f, "url", shown(s->play.url));
	if (r->ok) {
		json_object_set_new(f, "address", json_string(r->address));
		json_object_set_new(f, "served", json_string(r->served ? r->served : ""));
	} else {
		json_object_set_new(f, "error", json_string(r->error ? r->error : "media layer not reached"));
	}
	session_fact(s, FACT_play, f);
	if (!r->ok) {
		play_failed(s, r->error, r->sentence ? r->sentence : "the media layer did not answer", env);
		return;
	}
	s->documents = 0;
	s->play.item = r->item;
	s->play.generation = r->generation;
	s->play.lease = strdup(r->lease);
	s->play.address = strdup(r->address);
	s->play.id++;
	s->play.waiting = true;
	instructions_play_pending(s, env);
}

void session_on_play_done(
	struct session *s, int leg, uint32_t play_id, bool stopped, const struct session_env *env)
{
	if (s->state != SESSION_RUNNING || leg != 0 || !s->play.playing || play_id != s->play.id)
		return;
	s->play.playing = false;
	end_play(s);
	struct interpreter_event ev = {.kind = INTERPRETER_PLAY_DONE, .stopped = stopped};
	instructions_event(s, &ev, env);
}

void session_on_play_refused(struct session *s, int leg, uint32_t play_id, const struct session_env *env)
{
	if (s->state != SESSION_RUNNING || leg != 0 || !s->play.playing || play_id != s->play.id)
		return;
	s->play.playing = false;
	play_failed(s, "item-lost", "the sound was lost in the media layer before it could be played", env);
}

void session_on_digit(struct session *s, int leg, char digit, const struct session_env *env)
{
	json_t *f = record_text(s, leg, env);
	char text[2] = {digit, 0};
	json_object_set_new(f, "digit", json_string(text));
	session_fact(s, FACT_digit, f);
	if (s->state != SESSION_RUNNING || leg != 0)
		return;
	s->documents = 0;
	if (s->dial.bridged) {
		if (digit == '*' && s->dial.hangup_on_star)
			dialing_hang_up_callee(s, RELEASED_BY_CALLER, "the caller pressed *", env);
		return;
	}
	struct interpreter_event ev = {.kind = INTERPRETER_DIGIT, .digit = digit};
	instructions_event(s, &ev, env);
}

static void answer(struct session *s, const struct session_env *env)
{
	struct leg *l = s->leg[0];
	if (l->state != LEG_INCOMING)
		return;
	l->state = LEG_ANSWERED;
	l->answered_ns = env->now_ns;
	s->deadline[TIMER_RING] = 0;
	struct link_chain chain = {.n = 0};
	media_program(s, 0, &chain, env);
	session_fact(s, FACT_leg_answered, record_leg_answered(s, 0));
	media_submit(s, &chain);
	struct action *a = session_add(s, ACTION_RESPOND, 0);
	if (!a)
		return;
	a->status = 200;
	a->sdp = malloc(sizeof(*a->sdp));
	if (a->sdp)
		*a->sdp = l->local;
}

static void reject(struct session *s, const char *reason, const struct session_env *env)
{
	struct leg *l = s->leg[0];
	if (l->state != LEG_INCOMING) { /* answered already: there is nothing left to reject */
		session_end(
			s, RELEASED_BY_MODULE, 16, "completed", "the module rejected an answered call", env);
		return;
	}
	bool busy = reason && !strcmp(reason, "busy");
	struct action *a = session_add(s, ACTION_RESPOND, 0);
	if (a)
		a->status = busy ? 486 : 603;
	session_leg_ended(
		s, 0, busy ? 486 : 603, busy ? 17 : 21, RELEASED_BY_MODULE, "rejected by the module", env);
	l->state = LEG_ENDING;
	session_end(s, RELEASED_BY_MODULE, busy ? 17 : 21, "rejected", "rejected by the module", env);
}

/* Documents exhausted: back to the module below, or the end. A caller that was never answered hears what
 * became of the last Dial. */
static void exhausted(struct session *s, const struct session_env *env)
{
	s->interpreting = false;
	if (s->depth) {
		handoff_return(s, "completed", env);
		return;
	}
	struct leg *l = s->leg[0];
	if (l->state == LEG_INCOMING) {
		int status = s->dial.last_status >= 300 ? s->dial.last_status : 480;
		if (status == 503) /* that the callee can't is no reason to send us nothing (RFC 3261 16.7) */
			status = 500;
		struct action *a = session_add(s, ACTION_RESPOND, 0);
		if (a)
			a->status = status;
		session_leg_ended(s, 0, status, 0, RELEASED_BY_MODULE, "the document ended unanswered", env);
		l->state = LEG_ENDING;
	}
	session_end(s, RELEASED_BY_MODULE, 16, "completed", "the document ended", env);
}

static void next_document(
	struct session *s, const struct interpreter_action *a, const struct session_env *env)
{
	const struct registry_module *to = registry_module_by_url(s->registry, a->url);
	if (to && to != s->module) {
		struct handoff_request q = {.to = to,
			.trigger = "redirect",
			.url = a->url,
			.method = a->method,
			.extra = params_object(a)};
		handoff_to(s, &q, env);
		return;
	}
	instructions_fetch(s, a->url, a->method, params_object(a), env);
}

static void to_module(struct session *s, const struct interpreter_action *a, const struct session_env *env)
{
	const struct registry_module *to = a->module ? registry_module(s->registry, a->module)
						     : registry_module_for_capability(
							       s->registry, a->capability);
	if (!to) {
		char sentence[160];
		snprintf(sentence, sizeof(sentence), "no module %s%.64s", a->module ? "" : "provides ",
			a->module ? a->module : a->capability);
		instructions_failed(s, POLICY_NO_SUCH_MODULE, sentence, env);
		return;
	}
	struct handoff_request q = {.to = to,
		.trigger = a->module ? "module" : "capability",
		.url = a->url,
		.method = a->method,
		.return_url = a->return_url,
		.extra = params_object(a)};
	handoff_to(s, &q, env);
}

static void play(struct session *s, const struct interpreter_action *a)
{
	end_play(s);
	struct action *resolve = session_add(s, ACTION_RESOLVE, -1);
	if (!resolve)
		return;
	resolve->text = strdup(a->url);
	s->play.url = strdup(a->url);
	s->play.loops = a->loops ? a->loops : 1;
	s->play.stop_on_digit = a->stop_on_digit;
	s->play.resolving = true;
}

static void act(struct session *s, const struct interpreter_action *a, const struct session_env *env)
{
	switch (a->kind) {
	case INTERPRETER_ANSWER:
		answer(s, env);
		break;
	case INTERPRETER_PLAY:
		play(s, a);
		break;
	case INTERPRETER_STOP_PLAY:
		stop_play(s);
		break;
	case INTERPRETER_SET_TIMER:
		set_timer(s, TIMER_INTERPRETER, a->ms, env);
		break;
	case INTERPRETER_CANCEL_TIMER:
		s->deadline[TIMER_INTERPRETER] = 0;
		break;
	case INTERPRETER_DIAL:
		dialing_start(s, &a->dial, env);
		break;
	case INTERPRETER_FETCH:
		next_document(s, a, env);
		break;
	case INTERPRETER_HANDOFF:
		to_module(s, a, env);
		break;
	case INTERPRETER_HANGUP:
		answer(s, env); /* 200, then BYE */
		session_end(s, RELEASED_BY_MODULE, 16, "completed", "the module hung up", env);
		break;
	case INTERPRETER_REJECT:
		reject(s, a->reason, env);
		break;
	case INTERPRETER_ERROR:
		session_fact(s, FACT_error, record_error(s, a->number, a->sentence, env));
		log_warn(calls, s->text, "document-error", "module=%s number=%d reason=%s", s->module->code,
			a->number, log_quote(a->sentence));
		break;
	case INTERPRETER_END:
		exhausted(s, env);
		break;
	}
}

void instructions_event(struct session *s, const struct interpreter_event *ev, const struct session_env *env)
{
	if (!s->interpreting || s->state != SESSION_RUNNING)
		return;
	/* On the heap: large, and acting may step the interpreter again, which uses its strings anew. */
	struct interpreter_actions *out = calloc(1, sizeof(*out));
	if (!out) {
		session_end(s, RELEASED_BY_GATEWAY, 41, "out-of-memory", "out of memory", env);
		return;
	}
	interpreter_step(&s->interpreter, s->document, s->url, ev, out);
	for (int i = 0; i < out->n && s->state == SESSION_RUNNING; i++)
		act(s, &out->action[i], env);
	free(out);
}

static void begin_document(struct session *s, struct document *d, const struct session_env *env)
{
	document_free(s->document);
	s->document = d;
	s->interpreter = (struct interpreter){0};
	s->interpreting = true;
	char url[URL_BYTES_MAX];
	url_show(s->url ? s->url : "", url, sizeof(url));
	for (int i = 0; i < document_warnings(d); i++)
		log_warn(modules, s->text, "document-warning", "url=%s warning=%s", log_quote(url),
			log_quote(document_warning(d, i)));
	struct interpreter_event ev = {
		.kind = INTERPRETER_START, .answered = s->leg[0]->state == LEG_ANSWERED};
	instructions_event(s, &ev, env);
}

static void document_fact(struct session *s, const struct session_document_result *r, const char *error,
	const struct document *d, const struct session_env *env)
{
	json_t *f = record_text(s, -1, env);
	json_object_set_new(f, "url", shown(s->url));
	json_object_set_new(f, "method", json_string(s->wanted_method));
	json_object_set_new(f, "status", json_integer(r->status));
	json_object_set_new(f, "verbs", json_integer(d ? document_verbs(d) : 0));
	if (error)
		json_object_set_new(f, "error", json_string(error));
	session_fact(s, FACT_document, f);
}

void session_on_document(
	struct session *s, const struct session_document_result *r, const struct session_env *env)
{
	if (s->state != SESSION_RUNNING || !s->wanted_url)
		return;
	free(s->url);
	s->url = r->final_url ? strdup(r->final_url) : s->wanted_url;
	if (s->url != s->wanted_url)
		free(s->wanted_url);
	s->wanted_url = NULL;
	struct document *d = NULL;
	struct document_error error = {0};
	if (r->error) {
		error.number = r->error_number;
		snprintf(error.sentence, sizeof(error.sentence), "%s", r->error);
	} else {
		document_parse(r->body, r->body_len, r->content_type, s->url, &d, &error);
	}
	document_fact(s, r, d ? NULL : error.sentence, d, env);
	if (!d) {
		instructions_failed(s, error.number, error.sentence, env);
		return;
	}
	s->fallback = false;
	free(s->body);
	free(s->content_type);
	s->body = r->body ? strndup(r->body, r->body_len) : NULL;
	s->content_type = r->content_type ? strdup(r->content_type) : NULL;
	begin_document(s, d, env);
}
