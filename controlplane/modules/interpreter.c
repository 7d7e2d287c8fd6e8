#include "controlplane/modules/interpreter.h"

#include <stdio.h>
#include <string.h>

#include "controlplane/modules/url.h"

_Static_assert(INTERPRETER_TARGETS_MAX >= DOCUMENT_TARGETS_MAX, "targets");
_Static_assert(INTERPRETER_PARAMS_MAX >= DOCUMENT_PARAMS_MAX, "parameters");

#define LOOPS_FOREVER 1000 /* what loop="0" means */
/* A step has at most four actions besides errors: stop, cancel, answer and one more. */
#define ERRORS_MAX (INTERPRETER_ACTIONS_MAX - 4)
/* in->text holds two strings of DIAL_DONE. */
#define TEXT_DURATION 40

enum waits {
	WAITS_START,
	WAITS_RINGING, /* Pause before the call is answered */
	WAITS_PAUSE,
	WAITS_PLAY,
	WAITS_PROMPT_PLAY, /* within a Gather */
	WAITS_PROMPT_PAUSE,
	WAITS_DIGITS, /* prompts are over, the timer runs */
	WAITS_DIAL,
	WAITS_OVER, /* nothing more comes of this document */
};

/* What one step works on. */
struct step {
	struct interpreter *in;
	const struct document *document;
	const char *url;
	struct interpreter_actions *out;
	int errors;
};

static const char *const methods[] = {[DOCUMENT_POST] = "POST", [DOCUMENT_GET] = "GET"};

static struct interpreter_action *act(struct step *s, enum interpreter_action_kind kind)
{
	struct interpreter_action *a = &s->out->action[s->out->n++];
	memset(a, 0, sizeof(*a));
	a->kind = kind;
	return a;
}

static void add_error(struct step *s, int number, const char *sentence)
{
	if (s->errors >= ERRORS_MAX)
		return;
	if (++s->errors == ERRORS_MAX) {
		number = document_error_number(DOCUMENT_ERROR_TOO_MANY);
		sentence = document_error_sentence(DOCUMENT_ERROR_TOO_MANY);
	}
	struct interpreter_action *a = act(s, INTERPRETER_ERROR);
	a->number = number;
	a->sentence = sentence;
}

static void add_document_error(struct step *s, enum document_error_kind kind, const char *sentence)
{
	add_error(s, document_error_number(kind), sentence ? sentence : document_error_sentence(kind));
}

static void answer(struct step *s)
{
	if (s->in->answered)
		return;
	s->in->answered = true;
	act(s, INTERPRETER_ANSWER);
}

static void set_timer(struct step *s, int seconds, enum waits waits)
{
	act(s, INTERPRETER_SET_TIMER)->ms = (uint32_t)seconds * 1000;
	s->in->waits = waits;
}

/* The absolute form of a reference, in in->url; one per step. False: an error action says why. */
static bool resolve(struct step *s, const char *reference)
{
	if (!url_resolve(s->url, reference, s->in->url, sizeof(s->in->url)))
		return true;
	add_document_error(s, DOCUMENT_ERROR_BAD_URL, NULL);
	return false;
}

static void add_param(struct interpreter_action *a, const char *name, const char *value)
{
	a->param[a->params++] = (struct interpreter_param){name, value};
}

/* in->url is where. */
static struct interpreter_action *fetch(struct step *s, int method)
{
	struct interpreter_action *a = act(s, INTERPRETER_FETCH);
	a->url = s->in->url;
	a->method = methods[method];
	s->in->waits = WAITS_OVER;
	return a;
}

static bool play(struct step *s, const struct document_verb *verb, bool prompt)
{
	if (!resolve(s, verb->text))
		return false;
	answer(s);
	struct interpreter_action *a = act(s, INTERPRETER_PLAY);
	a->url = s->in->url;
	a->loops = verb->u.Play.loop ? (uint32_t)verb->u.Play.loop : LOOPS_FOREVER;
	a->stop_on_digit = prompt;
	s->in->waits = prompt ? WAITS_PROMPT_PLAY : WAITS_PLAY;
	return true;
}

/* Ringing goes on during a Pause that comes before anything else. */
static bool pause_call(struct step *s, const struct document_verb *verb)
{
	int seconds = verb->u.Pause.length;
	if (!seconds) {
		answer(s);
		return false;
	}
	set_timer(s, seconds, s->in->answered ? WAITS_PAUSE : WAITS_RINGING);
	return true;
}

/* --- Gather --------------------------------------------------------------------------------------------- */

static const struct document_verb *current(const struct step *s)
{
	return document_verb(s->document, s->in->verb);
}

/* Starts one prompt; false: there is nothing to wait for. */
static bool start_prompt(struct step *s, const struct document_verb *prompt)
{
	switch (prompt->type) {
	case VERB_Play:
		return play(s, prompt, true);
	case VERB_Pause:
		if (!prompt->u.Pause.length)
			return false;
		set_timer(s, prompt->u.Pause.length, WAITS_PROMPT_PAUSE);
		return true;
	case VERB_UNAVAILABLE:
		add_document_error(s, DOCUMENT_ERROR_UNAVAILABLE, prompt->text);
		return false;
	default:
		return false;
	}
}

/* The next prompt of the Gather, or the wait for digits. */
static void next_prompt(struct step *s)
{
	const struct document_verb *gather = current(s);
	while (++s->in->nested < gather->children)
		if (start_prompt(s, &gather->child[s->in->nested]))
			return;
	set_timer(s, gather->u.Gather.timeout, WAITS_DIGITS);
}

static bool start_gather(struct step *s)
{
	answer(s);
	s->in->gathering = true;
	s->in->digits_n = 0;
	s->in->digits[0] = '\0';
	s->in->nested = -1;
	next_prompt(s);
	return true;
}

static void next_verb(struct step *s);

/* key: the key that finished it, or '\0'. */
static void end_gather(struct step *s, char key)
{
	struct interpreter *in = s->in;
	const struct document_verb *gather = current(s);
	in->gathering = false;
	in->nested = -1;
	bool wanted = in->digits_n || gather->u.Gather.actionOnEmptyResult;
	if (!wanted || !resolve(s, gather->u.Gather.action)) {
		next_verb(s);
		return;
	}
	in->text[0] = key;
	in->text[1] = '\0';
	struct interpreter_action *a = fetch(s, gather->u.Gather.method);
	add_param(a, "Digits", in->digits);
	add_param(a, "FinishedOnKey", in->text);
}

static void on_digit(struct step *s, char digit)
{
	struct interpreter *in = s->in;
	if (!in->gathering || !digit || !strchr("0123456789ABCD*#", digit))
		return;
	const struct document_verb *gather = current(s);
	if (in->waits == WAITS_PROMPT_PLAY)
		act(s, INTERPRETER_STOP_PLAY);
	bool finishes = strchr(gather->u.Gather.finishOnKey, digit) != NULL;
	if (!finishes) {
		in->digits[in->digits_n++] = digit;
		in->digits[in->digits_n] = '\0';
	}
	bool full = in->digits_n == INTERPRETER_DIGITS_MAX || in->digits_n == gather->u.Gather.numDigits;
	if (!finishes && !full) {
		set_timer(s, gather->u.Gather.timeout, WAITS_DIGITS);
		return;
	}
	if (in->waits != WAITS_PROMPT_PLAY)
		act(s, INTERPRETER_CANCEL_TIMER);
	end_gather(s, finishes ? digit : '\0');
}

/* --- Dial ----------------------------------------------------------------------------------------------- */

static const char *or_null(const char *text)
{
	return *text ? text : NULL;
}

static void add_target(struct interpreter_dial *dial, const struct document_verb *verb)
{
	struct interpreter_target *t = &dial->target[dial->targets++];
	if (verb->type == VERB_Sip)
		*t = (struct interpreter_target){.sip = verb->text,
			.send_digits = or_null(verb->u.Sip.sendDigits),
			.username = or_null(verb->u.Sip.username),
			.password = or_null(verb->u.Sip.password)};
	else if (verb->type == VERB_Number)
		*t = (struct interpreter_target){
			.number = verb->text, .send_digits = or_null(verb->u.Number.sendDigits)};
	else
		*t = (struct interpreter_target){.number = verb->text};
}

static bool start_dial(struct step *s, const struct document_verb *verb)
{
	for (int i = 0; i < verb->children; i++)
		if (verb->child[i].type == VERB_UNAVAILABLE) {
			add_document_error(s, DOCUMENT_ERROR_UNAVAILABLE, verb->child[i].text);
			return false;
		}
	if (!verb->u.Dial.answerOnBridge)
		answer(s);
	struct interpreter_dial *dial = &act(s, INTERPRETER_DIAL)->dial;
	dial->caller_id = or_null(verb->u.Dial.callerId);
	dial->timeout_s = (uint32_t)verb->u.Dial.timeout;
	dial->time_limit_s = (uint32_t)verb->u.Dial.timeLimit;
	dial->answer_on_bridge = verb->u.Dial.answerOnBridge;
	dial->hangup_on_star = verb->u.Dial.hangupOnStar;
	if (!verb->children)
		add_target(dial, verb);
	for (int i = 0; i < verb->children; i++)
		add_target(dial, &verb->child[i]);
	s->in->waits = WAITS_DIAL;
	return true;
}

static void on_dial_done(struct step *s, const struct interpreter_event *event)
{
	struct interpreter *in = s->in;
	const struct document_verb *dial = current(s);
	in->answered |= event->bridged;
	if (!*dial->u.Dial.action || !resolve(s, dial->u.Dial.action)) {
		next_verb(s);
		return;
	}
	snprintf(in->text, TEXT_DURATION, "%s", event->dial_sid ? event->dial_sid : "");
	snprintf(in->text + TEXT_DURATION, sizeof(in->text) - TEXT_DURATION, "%u", event->dial_seconds);
	struct interpreter_action *a = fetch(s, dial->u.Dial.method);
	add_param(a, "DialCallStatus", event->dial_status ? event->dial_status : "failed");
	add_param(a, "DialCallSid", in->text);
	add_param(a, "DialCallDuration", in->text + TEXT_DURATION);
	add_param(a, "DialBridged", event->bridged ? "true" : "false");
}

/* --- what ends a document ------------------------------------------------------------------------------- */

static bool redirect(struct step *s, const struct document_verb *verb)
{
	const char *module = verb->u.Redirect.module;
	if ((!*module || *verb->text) && !resolve(s, verb->text))
		return false;
	answer(s);
	if (!*module) {
		fetch(s, verb->u.Redirect.method);
		return true;
	}
	struct interpreter_action *a = act(s, INTERPRETER_HANDOFF);
	a->module = module;
	a->url = *verb->text ? s->in->url : NULL;
	a->method = methods[verb->u.Redirect.method];
	s->in->waits = WAITS_OVER;
	return true;
}

static bool hand_off(struct step *s, const struct document_verb *verb)
{
	const char *back = verb->u.Module.return_url;
	if (*back && !resolve(s, back))
		return false;
	answer(s);
	struct interpreter_action *a = act(s, INTERPRETER_HANDOFF);
	a->module = or_null(verb->u.Module.code);
	a->capability = a->module ? NULL : verb->u.Module.capability;
	a->return_url = *back ? s->in->url : NULL;
	for (int i = 0; i < verb->children; i++)
		add_param(a, verb->child[i].u.Parameter.name, verb->child[i].u.Parameter.value);
	s->in->waits = WAITS_OVER;
	return true;
}

static bool hang_up(struct step *s)
{
	answer(s);
	act(s, INTERPRETER_HANGUP);
	s->in->waits = WAITS_OVER;
	return true;
}

static bool reject(struct step *s, const struct document_verb *verb)
{
	if (s->in->answered) {
		add_document_error(s, DOCUMENT_ERROR_REJECT_LATE, NULL);
		return hang_up(s);
	}
	act(s, INTERPRETER_REJECT)->reason = verb->u.Reject.reason == DOCUMENT_BUSY ? "busy" : "rejected";
	s->in->waits = WAITS_OVER;
	return true;
}

/* --- the walk ------------------------------------------------------------------------------------------- */

/* False: the verb is done already. */
static bool start_verb(struct step *s, const struct document_verb *verb)
{
	switch (verb->type) {
	case VERB_Play:
		return play(s, verb, false);
	case VERB_Pause:
		return pause_call(s, verb);
	case VERB_Gather:
		return start_gather(s);
	case VERB_Dial:
		return start_dial(s, verb);
	case VERB_Redirect:
		return redirect(s, verb);
	case VERB_Module:
		return hand_off(s, verb);
	case VERB_Hangup:
		return hang_up(s);
	case VERB_Reject:
		return reject(s, verb);
	case VERB_UNAVAILABLE:
		add_document_error(s, DOCUMENT_ERROR_UNAVAILABLE, verb->text);
		return false;
	case VERB_Number:
	case VERB_Sip:
	case VERB_Parameter:
		break;
	}
	return false;
}

static void next_verb(struct step *s)
{
	while (++s->in->verb < document_verbs(s->document))
		if (start_verb(s, current(s)))
			return;
	act(s, INTERPRETER_END);
	s->in->waits = WAITS_OVER;
}

static void start(struct step *s, bool answered)
{
	*s->in = (struct interpreter){.verb = -1, .nested = -1, .answered = answered};
	next_verb(s);
}

static void on_play_done(struct step *s, bool stopped)
{
	if (s->in->waits == WAITS_PLAY)
		next_verb(s);
	else if (s->in->waits == WAITS_PROMPT_PLAY && stopped) /* the digit itself comes by itself */
		set_timer(s, current(s)->u.Gather.timeout, WAITS_DIGITS);
	else if (s->in->waits == WAITS_PROMPT_PLAY)
		next_prompt(s);
}

static void on_timer(struct step *s)
{
	switch (s->in->waits) {
	case WAITS_RINGING:
		answer(s);
		next_verb(s);
		break;
	case WAITS_PAUSE:
		next_verb(s);
		break;
	case WAITS_PROMPT_PAUSE:
		next_prompt(s);
		break;
	case WAITS_DIGITS:
		end_gather(s, '\0');
		break;
	default:
		break;
	}
}

void interpreter_step(struct interpreter *in, const struct document *document, const char *document_url,
	const struct interpreter_event *event, struct interpreter_actions *out)
{
	struct step s = {in, document, document_url, out, 0};
	bool playing = in->waits == WAITS_PLAY || in->waits == WAITS_PROMPT_PLAY;
	out->n = 0;
	switch (event->kind) {
	case INTERPRETER_START:
		start(&s, event->answered);
		break;
	case INTERPRETER_PLAY_DONE:
		on_play_done(&s, event->stopped);
		break;
	case INTERPRETER_PLAY_FAILED:
		if (playing)
			add_error(&s, event->number, event->sentence);
		on_play_done(&s, false);
		break;
	case INTERPRETER_TIMER:
		on_timer(&s);
		break;
	case INTERPRETER_DIGIT:
		on_digit(&s, event->digit);
		break;
	case INTERPRETER_DIAL_DONE:
		if (in->waits == WAITS_DIAL)
			on_dial_done(&s, event);
		break;
	}
}
