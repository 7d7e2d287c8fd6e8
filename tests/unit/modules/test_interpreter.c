/* Scenarios: a document, events, and the actions that each must bring. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/modules/interpreter.h"

#define URL "http://h/app/doc.xml?q=1"

/* Events are written as words: "start" "start-answered" "done" "stopped" "failed" "timer"
 * "dial:STATUS:SECONDS" "bridged:SECONDS", or one digit. */
struct turn {
	const char *event, *actions;
};

struct scenario {
	const char *name, *document;
	struct turn turn[12];
};

static const struct scenario scenarios[] = {
	{"nothing to do", "", {{"start", "end"}, {"timer", ""}, {"1", ""}, {"done", ""}}},
	{"play", "<Play loop=\"2\">a.wav</Play>",
		{{"start", "answer play(http://h/app/a.wav x2)"}, {"done", "end"}, {"done", ""}}},
	{"play for ever", "<Play loop=\"0\">/a.wav</Play>",
		{{"start-answered", "play(http://h/a.wav x1000)"}}},
	{"two plays", "<Play>a</Play><Play>b</Play>",
		{{"start", "answer play(http://h/app/a x1)"}, {"timer", ""}, {"5", ""},
			{"done", "play(http://h/app/b x1)"}, {"done", "end"}}},
	{"a play fails", "<Play>a</Play><Play>b</Play>",
		{{"start", "answer play(http://h/app/a x1)"},
			{"failed", "error(12400) play(http://h/app/b x1)"}, {"failed", "error(12400) end"},
			{"failed", ""}}},
	{"a URL that is none", "<Play>ftp://h/a</Play><Play>b</Play>",
		{{"start", "error(41011) answer play(http://h/app/b x1)"}}},
	/* When a call is answered */
	{"reject", "<Reject/><Play>a</Play>", {{"start", "reject(rejected)"}, {"timer", ""}}},
	{"reject busy", "<Reject reason=\"busy\"/>", {{"start", "reject(busy)"}}},
	{"reject late", "<Play>a</Play><Reject/>",
		{{"start", "answer play(http://h/app/a x1)"}, {"done", "error(41013) hangup"}}},
	{"reject answered", "<Reject/>", {{"start-answered", "error(41013) hangup"}}},
	{"pause first", "<Pause length=\"3\"/><Play>a</Play>",
		{{"start", "timer(3000)"}, {"timer", "answer play(http://h/app/a x1)"}}},
	{"pause first, no length", "<Pause length=\"0\"/><Reject/>",
		{{"start", "answer error(41013) hangup"}}},
	{"pause only", "<Pause/>", {{"start", "timer(1000)"}, {"timer", "answer end"}}},
	{"pause later", "<Play>a</Play><Pause/><Hangup/>",
		{{"start", "answer play(http://h/app/a x1)"}, {"done", "timer(1000)"}, {"timer", "hangup"}}},
	{"pause answered", "<Pause/><Hangup/>", {{"start-answered", "timer(1000)"}, {"timer", "hangup"}}},
	{"hangup", "<Hangup/><Play>a</Play>", {{"start", "answer hangup"}, {"done", ""}}},
	{"dial", "<Dial>+1555</Dial>",
		{{"start", "answer dial(+1555 30 14400)"}, {"1", ""}, {"dial:completed:5", "end"}}},
	{"dial, answered on bridge, nobody answers",
		"<Dial answerOnBridge=\"true\">1</Dial><Reject reason=\"busy\"/>",
		{{"start", "dial(1 30 14400 on-bridge)"}, {"dial:no-answer:0", "reject(busy)"}}},
	{"dial, answered on bridge, nothing follows", "<Dial answerOnBridge=\"true\">1</Dial>",
		{{"start", "dial(1 30 14400 on-bridge)"}, {"dial:busy:0", "end"}}},
	{"dial, answered on bridge, pause follows", "<Dial answerOnBridge=\"true\">1</Dial><Pause/><Hangup/>",
		{{"start", "dial(1 30 14400 on-bridge)"}, {"dial:busy:0", "timer(1000)"},
			{"timer", "answer hangup"}}},
	{"dial, answered on bridge, bridged", "<Dial answerOnBridge=\"true\">1</Dial><Play>a</Play>",
		{{"start", "dial(1 30 14400 on-bridge)"}, {"bridged:9", "play(http://h/app/a x1)"}}},
	{"redirect first", "<Redirect>b.xml</Redirect>",
		{{"start", "answer fetch(POST http://h/app/b.xml)"}, {"timer", ""}}},
	{"not available first, then reject", "<Say>x</Say><Reject/>",
		{{"start", "error(41010) reject(rejected)"}}},
	/* Dial */
	{"dial with everything",
		"<Dial timeout=\"9\" timeLimit=\"60\" callerId=\"+1777\" hangupOnStar=\"true\" "
		"action=\"/done\" method=\"GET\">"
		"<Number sendDigits=\"w1\">1</Number><Sip username=\"u\" "
		"password=\"p\">sip:b@h</Sip></Dial><Play>never</Play>",
		{{"start", "answer dial(1/w1 sip:b@h/u:p 9 60 from=+1777 star)"},
			{"bridged:75", "fetch(GET http://h/done DialCallStatus=completed DialCallSid=CA1 "
				       "DialCallDuration=75 "
				       "DialBridged=true)"},
			{"dial:busy:0", ""}}},
	{"dial failed, with action", "<Dial action=\"\" >1</Dial><Hangup/>",
		{{"start", "answer dial(1 30 14400)"}, {"dial:failed:0", "hangup"}}},
	{"dial failed, action asks", "<Dial action=\"x\">1</Dial><Hangup/>",
		{{"start", "answer dial(1 30 14400)"},
			{"dial:canceled:0", "fetch(POST http://h/app/x DialCallStatus=canceled "
					    "DialCallSid=CA1 DialCallDuration=0 "
					    "DialBridged=false)"}}},
	{"dial, action is no URL", "<Dial action=\"mailto:x\">1</Dial><Hangup/>",
		{{"start", "answer dial(1 30 14400)"}, {"dial:busy:0", "error(41011) hangup"}}},
	{"dial a conference", "<Dial><Conference>x</Conference></Dial><Hangup/>",
		{{"start", "error(41010) answer hangup"}}},
	/* Gather */
	{"gather one digit", "<Gather numDigits=\"1\" action=\"menu\"><Play>a</Play></Gather>",
		{{"start", "answer play(http://h/app/a x1 stops)"},
			{"7", "stop fetch(POST http://h/app/menu Digits=7 FinishedOnKey=)"}, {"stopped", ""},
			{"8", ""}}},
	{"gather, the dataplane stops first", "<Gather numDigits=\"2\"><Play>a</Play><Play>b</Play></Gather>",
		{{"start", "answer play(http://h/app/a x1 stops)"}, {"stopped", "timer(5000)"},
			{"1", "timer(5000)"},
			{"2", "cancel fetch(POST http://h/app/doc.xml?q=1 Digits=12 FinishedOnKey=)"}}},
	{"gather, finished by key", "<Gather timeout=\"3\"/>",
		{{"start", "answer timer(3000)"}, {"1", "timer(3000)"}, {"*", "timer(3000)"},
			{"#", "cancel fetch(POST http://h/app/doc.xml?q=1 Digits=1* FinishedOnKey=#)"}}},
	{"gather, another key", "<Gather finishOnKey=\"*\"/>",
		{{"start", "answer timer(5000)"}, {"#", "timer(5000)"},
			{"*", "cancel fetch(POST http://h/app/doc.xml?q=1 Digits=# FinishedOnKey=*)"}}},
	{"gather, no key", "<Gather finishOnKey=\"\"/>",
		{{"start", "answer timer(5000)"}, {"#", "timer(5000)"}, {"A", "timer(5000)"},
			{"timer", "fetch(POST http://h/app/doc.xml?q=1 Digits=#A FinishedOnKey=)"}}},
	{"gather, the key alone", "<Gather/><Hangup/>",
		{{"start", "answer timer(5000)"}, {"#", "cancel hangup"}}},
	{"gather, no input", "<Gather><Play>a</Play></Gather><Play>b</Play>",
		{{"start", "answer play(http://h/app/a x1 stops)"}, {"done", "timer(5000)"},
			{"timer", "play(http://h/app/b x1)"}, {"1", ""}}},
	{"gather, no input, asked for", "<Gather actionOnEmptyResult=\"true\" method=\"GET\"/><Hangup/>",
		{{"start", "answer timer(5000)"},
			{"timer", "fetch(GET http://h/app/doc.xml?q=1 Digits= FinishedOnKey=)"}}},
	{"gather with prompts",
		"<Gather><Play>a</Play><Pause length=\"2\"/><Say>x</Say><Pause length=\"0\"/><Play "
		"loop=\"3\">b</Play></Gather>",
		{{"start", "answer play(http://h/app/a x1 stops)"}, {"done", "timer(2000)"},
			{"timer", "error(41010) play(http://h/app/b x3 stops)"}, {"done", "timer(5000)"},
			{"timer", "end"}}},
	{"gather, a digit in a pause", "<Gather><Pause length=\"9\"/><Play>a</Play></Gather>",
		{{"start", "answer timer(9000)"}, {"4", "timer(5000)"},
			{"timer", "fetch(POST http://h/app/doc.xml?q=1 Digits=4 FinishedOnKey=)"}}},
	{"gather, the only digit in a pause", "<Gather numDigits=\"1\"><Pause length=\"9\"/></Gather>",
		{{"start", "answer timer(9000)"},
			{"4", "cancel fetch(POST http://h/app/doc.xml?q=1 Digits=4 FinishedOnKey=)"}}},
	{"gather, a prompt fails", "<Gather><Play>a</Play><Play>b</Play></Gather>",
		{{"start", "answer play(http://h/app/a x1 stops)"},
			{"failed", "error(12400) play(http://h/app/b x1 stops)"}}},
	{"gather, what isn't a digit", "<Gather/>", {{"start", "answer timer(5000)"}, {"x", ""}, {"a", ""}}},
	{"gather, digits before it don't count", "<Play>a</Play><Gather numDigits=\"1\"/>",
		{{"start", "answer play(http://h/app/a x1)"}, {"1", ""}, {"done", "timer(5000)"},
			{"2", "cancel fetch(POST http://h/app/doc.xml?q=1 Digits=2 FinishedOnKey=)"}}},
	{"gather twice", "<Gather timeout=\"1\"/><Gather numDigits=\"2\"/>",
		{{"start", "answer timer(1000)"}, {"timer", "timer(5000)"}, {"1", "timer(5000)"},
			{"2", "cancel fetch(POST http://h/app/doc.xml?q=1 Digits=12 FinishedOnKey=)"}}},
	{"gather, no time", "<Gather timeout=\"0\"/><Hangup/>",
		{{"start", "answer timer(0)"}, {"timer", "hangup"}}},
	{"gather speech", "<Gather input=\"speech\"/><Hangup/>", {{"start", "error(41010) answer hangup"}}},
	/* Redirect, Module */
	{"redirect to itself", "<Redirect/>", {{"start-answered", "fetch(POST http://h/app/doc.xml?q=1)"}}},
	{"redirect nowhere", "<Redirect>tel:1</Redirect><Hangup/>",
		{{"start", "error(41011) answer hangup"}}},
	{"redirect to a module", "<Redirect module=\"m\"/>", {{"start", "answer handoff(m)"}}},
	{"redirect to a module's document", "<Redirect module=\"m\" method=\"GET\">http://x/y</Redirect>",
		{{"start", "answer handoff(m url=http://x/y)"}}},
	{"module",
		"<Module code=\"m\" return=\"back\"><Parameter name=\"a\" value=\"1\"/><Parameter name=\"b\" "
		"value=\"2\"/></Module><Hangup/>",
		{{"start", "answer handoff(m return=http://h/app/back a=1 b=2)"}, {"timer", ""}}},
	{"what only the gateway may say",
		"<Module code=\"m\"><Parameter name=\"From\" value=\"1\"/><Parameter name=\"accountsid\" "
		"value=\"2\"/><Parameter name=\" CallSid[] \" value=\"3\"/><Parameter name=\"SipHeader_X-A\" "
		"value=\"4\"/><Parameter name=\"FromWhere\" value=\"5\"/></Module><Hangup/>",
		{{"start", "answer handoff(m FromWhere=5)"}}},
	{"capability", "<Module capability=\"say\"/>", {{"start-answered", "handoff(capability=say)"}}},
	{"module, return is no URL", "<Module code=\"m\" return=\"x:y\"/><Hangup/>",
		{{"start", "error(41011) answer hangup"}}},
	/* However much is wrong, a step has few actions. */
	{"many errors", "<Say/><Say/><Say/><Say/><Say/><Say/><Say/><Say/><Say/><Say/><Play>a</Play>",
		{{"start", "error(41010) error(41010) error(41010) error(41012) answer play(http://h/app/a "
			   "x1)"}}},
};

static void print_dial(FILE *out, const struct interpreter_dial *d)
{
	fputs("dial(", out);
	for (int i = 0; i < d->targets; i++) {
		const struct interpreter_target *t = &d->target[i];
		fprintf(out, "%s%s", t->number ? t->number : t->sip, t->send_digits ? "/" : "");
		fputs(t->send_digits ? t->send_digits : "", out);
		if (t->username)
			fprintf(out, "/%s:%s", t->username, t->password);
		fputc(' ', out);
	}
	fprintf(out, "%u %u", d->timeout_s, d->time_limit_s);
	if (d->caller_id)
		fprintf(out, " from=%s", d->caller_id);
	fprintf(out, "%s%s)", d->answer_on_bridge ? " on-bridge" : "", d->hangup_on_star ? " star" : "");
}

static void print_params(FILE *out, const struct interpreter_action *a)
{
	for (int i = 0; i < a->params; i++)
		fprintf(out, " %s=%s", a->param[i].name, a->param[i].value);
	fputc(')', out);
}

static void print_action(FILE *out, const struct interpreter_action *a)
{
	switch (a->kind) {
	case INTERPRETER_ANSWER:
		fputs("answer", out);
		break;
	case INTERPRETER_PLAY:
		fprintf(out, "play(%s x%u%s)", a->url, a->loops, a->stop_on_digit ? " stops" : "");
		break;
	case INTERPRETER_STOP_PLAY:
		fputs("stop", out);
		break;
	case INTERPRETER_SET_TIMER:
		fprintf(out, "timer(%u)", a->ms);
		break;
	case INTERPRETER_CANCEL_TIMER:
		fputs("cancel", out);
		break;
	case INTERPRETER_DIAL:
		print_dial(out, &a->dial);
		break;
	case INTERPRETER_FETCH:
		fprintf(out, "fetch(%s %s", a->method, a->url);
		print_params(out, a);
		break;
	case INTERPRETER_HANDOFF:
		fprintf(out, "handoff(%s%s",
			a->module ? "" : "capability=", a->module ? a->module : a->capability);
		if (a->url)
			fprintf(out, " url=%s", a->url);
		if (a->return_url)
			fprintf(out, " return=%s", a->return_url);
		print_params(out, a);
		break;
	case INTERPRETER_HANGUP:
		fputs("hangup", out);
		break;
	case INTERPRETER_REJECT:
		fprintf(out, "reject(%s)", a->reason);
		break;
	case INTERPRETER_ERROR:
		ck_assert(a->sentence && *a->sentence);
		fprintf(out, "error(%d)", a->number);
		break;
	case INTERPRETER_END:
		fputs("end", out);
		break;
	}
}

static struct interpreter_event make_event(const char *word)
{
	static char status[20];
	struct interpreter_event ev = {.dial_sid = "CA1", .dial_status = status};
	if (!strncmp(word, "start", 5)) {
		ev.kind = INTERPRETER_START;
		ev.answered = word[5] != '\0';
	} else if (!strcmp(word, "done") || !strcmp(word, "stopped")) {
		ev.kind = INTERPRETER_PLAY_DONE;
		ev.stopped = *word == 's';
	} else if (!strcmp(word, "failed")) {
		ev.kind = INTERPRETER_PLAY_FAILED;
		ev.number = 12400;
		ev.sentence = "not found";
	} else if (!strcmp(word, "timer")) {
		ev.kind = INTERPRETER_TIMER;
	} else if (sscanf(word, "dial:%19[^:]:%u", status, &ev.dial_seconds) == 2) {
		ev.kind = INTERPRETER_DIAL_DONE;
	} else if (sscanf(word, "bridged:%u", &ev.dial_seconds) == 1) {
		ev.kind = INTERPRETER_DIAL_DONE;
		strcpy(status, "completed");
		ev.bridged = true;
	} else {
		ck_assert_uint_eq(strlen(word), 1);
		ev.kind = INTERPRETER_DIGIT;
		ev.digit = *word;
	}
	return ev;
}

static struct document *parse(const char *verbs)
{
	char body[2000];
	snprintf(body, sizeof(body), "<Response>%s</Response>", verbs);
	struct document *d = NULL;
	struct document_error error;
	ck_assert_msg(document_parse(body, strlen(body), "text/xml", URL, &d, &error) == 0, "%s: %s", verbs,
		error.sentence);
	return d;
}

START_TEST(scenario)
{
	const struct scenario *s = &scenarios[_i];
	struct document *d = parse(s->document);
	struct interpreter in = {0};
	struct interpreter_actions actions;
	for (const struct turn *t = s->turn; t->event; t++) {
		char *got;
		size_t len;
		struct interpreter_event ev = make_event(t->event);
		interpreter_step(&in, d, URL, &ev, &actions);
		ck_assert_int_le(actions.n, INTERPRETER_ACTIONS_MAX);
		FILE *out = open_memstream(&got, &len);
		for (int i = 0; i < actions.n; i++) {
			fputs(i ? " " : "", out);
			print_action(out, &actions.action[i]);
		}
		fclose(out);
		ck_assert_msg(!strcmp(got, t->actions), "%s: at %s came\n\"%s\" instead of\n\"%s\"", s->name,
			t->event, got, t->actions);
		free(got);
	}
	document_free(d);
}
END_TEST

START_TEST(most_digits)
{
	struct document *d = parse("<Gather/>");
	struct interpreter in = {0};
	struct interpreter_actions actions;
	struct interpreter_event ev = {.kind = INTERPRETER_START};
	interpreter_step(&in, d, URL, &ev, &actions);
	ev = (struct interpreter_event){.kind = INTERPRETER_DIGIT, .digit = '9'};
	for (int i = 1; i < INTERPRETER_DIGITS_MAX; i++) {
		interpreter_step(&in, d, URL, &ev, &actions);
		ck_assert_int_eq(actions.n, 1);
	}
	interpreter_step(&in, d, URL, &ev, &actions);
	ck_assert_int_eq(actions.action[1].kind, INTERPRETER_FETCH);
	ck_assert_uint_eq(strlen(actions.action[1].param[0].value), INTERPRETER_DIGITS_MAX);
	document_free(d);
}
END_TEST

/* The state is a value: a copy goes on where the original stood. */
START_TEST(state_can_be_copied)
{
	struct document *d = parse("<Gather numDigits=\"2\"/>");
	struct interpreter in = {0};
	struct interpreter_actions actions;
	struct interpreter_event ev = {.kind = INTERPRETER_START};
	interpreter_step(&in, d, URL, &ev, &actions);
	ev = (struct interpreter_event){.kind = INTERPRETER_DIGIT, .digit = '1'};
	interpreter_step(&in, d, URL, &ev, &actions);
	struct interpreter copy = in;
	memset(&in, 0x5a, sizeof(in));
	document_free(d);
	d = parse("<Gather numDigits=\"2\"/>");
	interpreter_step(&copy, d, URL, &ev, &actions);
	ck_assert_int_eq(actions.n, 2);
	ck_assert_str_eq(actions.action[1].param[0].value, "11");
	document_free(d);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("interpreter");
	TCase *tc = tcase_create("all");
	tcase_add_loop_test(tc, scenario, 0, sizeof(scenarios) / sizeof(scenarios[0]));
	tcase_add_test(tc, most_digits);
	tcase_add_test(tc, state_can_be_copied);
	suite_add_tcase(suite, tc);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
