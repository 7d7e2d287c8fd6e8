/* A document, a NUL, and bytes that stand for events: few actions come of each, with all that they need. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/modules/interpreter.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check_action(const struct interpreter_action *a)
{
	bool good = true;
	switch (a->kind) {
	case INTERPRETER_PLAY:
		good = !strncmp(a->url, "http", 4) && a->loops >= 1;
		break;
	case INTERPRETER_FETCH:
		good = !strncmp(a->url, "http", 4) && a->method;
		break;
	case INTERPRETER_HANDOFF:
		good = (a->module != NULL) != (a->capability != NULL);
		break;
	case INTERPRETER_DIAL:
		good = a->dial.targets >= 1 && a->dial.targets <= INTERPRETER_TARGETS_MAX;
		for (int i = 0; i < a->dial.targets; i++)
			good &= (a->dial.target[i].number != NULL) != (a->dial.target[i].sip != NULL);
		break;
	case INTERPRETER_ERROR:
		good = a->sentence && *a->sentence;
		break;
	default:
		break;
	}
	for (int i = 0; i < a->params; i++)
		good &= a->param[i].name && a->param[i].value;
	if (!good || a->params > INTERPRETER_PARAMS_MAX)
		abort();
}

static void run(const struct document *document, const uint8_t *events, size_t n)
{
	struct interpreter *in = calloc(1, sizeof(*in));
	struct interpreter_actions *out = calloc(1, sizeof(*out));
	struct interpreter_event ev = {.kind = INTERPRETER_START};
	for (size_t i = 0; in && out && i <= n; i++) {
		interpreter_step(in, document, "http://h/app/doc.xml", &ev, out);
		if (out->n < 0 || out->n > INTERPRETER_ACTIONS_MAX)
			abort();
		for (int k = 0; k < out->n; k++)
			check_action(&out->action[k]);
		if (i == n)
			break;
		ev = (struct interpreter_event){.kind = events[i] % (INTERPRETER_DIAL_DONE + 1),
			.answered = events[i] & 0x40,
			.stopped = events[i] & 0x40,
			.bridged = events[i] & 0x40,
			.digit = "0123456789*#ABCD"[events[i] >> 4],
			.number = 12400,
			.sentence = "x"};
	}
	free(in);
	free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const uint8_t *nul = len ? memchr(data, 0, len) : NULL;
	size_t body = nul ? (size_t)(nul - data) : len;
	struct document *document = NULL;
	struct document_error error;
	if (!document_parse((const char *)data, body, "text/xml", "http://h/", &document, &error))
		run(document, data + body, len - body);
	document_free(document);
	return 0;
}
