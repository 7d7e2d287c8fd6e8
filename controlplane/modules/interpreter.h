/* Carries out a document, verb by verb: (document, state, event in; actions out), pure. The state is a value.
 *
 * Strings in actions live until the next call and as long as the document; URLs are absolute (resolved
 * against the document's). What is started (PLAY, SET_TIMER, DIAL) is answered by one event each, unless it
 * was stopped or replaced before: an event of something stopped must not be passed in later. Digits outside a
 * Gather are not kept. An event that doesn't fit what is waited for is ignored. */
#ifndef TG_MODULES_INTERPRETER_H
#define TG_MODULES_INTERPRETER_H

#include <stdbool.h>
#include <stdint.h>

#include "controlplane/modules/document.h"

#define INTERPRETER_DIGITS_MAX  128
#define INTERPRETER_TARGETS_MAX 10
#define INTERPRETER_PARAMS_MAX  12
#define INTERPRETER_ACTIONS_MAX 8
#define INTERPRETER_URL_BYTES   8192

enum interpreter_event_kind {
	INTERPRETER_START,
	INTERPRETER_PLAY_DONE,   /* the play ended, or a digit stopped it */
	INTERPRETER_PLAY_FAILED, /* goes on with the next verb, after an error action */
	INTERPRETER_TIMER,
	INTERPRETER_DIGIT,
	INTERPRETER_DIAL_DONE,
};

struct interpreter_event {
	enum interpreter_event_kind kind;
	bool answered; /* START: the call is answered already (an earlier document did) */
	bool stopped;  /* PLAY_DONE: by a digit */
	char digit;    /* DIGIT */
	int number;    /* PLAY_FAILED: error number */
	const char *sentence;
	/* DIAL_DONE */
	const char *dial_status, *dial_sid; /* "completed", "busy", "no-answer", "failed", "canceled" */
	uint32_t dial_seconds;
	bool bridged;
};

enum interpreter_action_kind {
	INTERPRETER_ANSWER = 1,
	INTERPRETER_PLAY,
	INTERPRETER_STOP_PLAY,
	INTERPRETER_SET_TIMER, /* one at a time: a new one replaces the old */
	INTERPRETER_CANCEL_TIMER,
	INTERPRETER_DIAL,
	INTERPRETER_FETCH,   /* the next document; this one is over */
	INTERPRETER_HANDOFF, /* likewise */
	INTERPRETER_HANGUP,
	INTERPRETER_REJECT,
	INTERPRETER_ERROR, /* a verb couldn't be done; what follows in the document goes on */
	INTERPRETER_END,   /* the document is exhausted */
};

struct interpreter_param {
	const char *name, *value;
};

struct interpreter_target {
	const char *number;                            /* or NULL */
	const char *sip;                               /* sip: URI, or NULL */
	const char *send_digits, *username, *password; /* or NULL */
};

struct interpreter_dial {
	struct interpreter_target target[INTERPRETER_TARGETS_MAX];
	int targets;
	const char *caller_id; /* NULL: the caller's own */
	uint32_t timeout_s, time_limit_s;
	bool answer_on_bridge, hangup_on_star;
};

struct interpreter_action {
	enum interpreter_action_kind kind;
	const char *url, *method; /* PLAY (url), FETCH; HANDOFF: the document to begin with, or NULL */
	uint32_t loops;           /* PLAY */
	bool stop_on_digit;       /* PLAY */
	uint32_t ms;              /* SET_TIMER */
	const char *module, *capability, *return_url; /* HANDOFF: one of the first two; return_url or NULL */
	const char *reason;                           /* REJECT: "rejected" or "busy" */
	int number;                                   /* ERROR */
	const char *sentence;
	struct interpreter_param param[INTERPRETER_PARAMS_MAX]; /* FETCH, HANDOFF: beside the standard ones */
	int params;
	struct interpreter_dial dial; /* DIAL */
};

struct interpreter_actions {
	struct interpreter_action action[INTERPRETER_ACTIONS_MAX];
	int n;
};

struct interpreter {
	/* Where in the document: the verb, and within a Gather the nested prompt. -1: not in one. */
	int verb, nested;
	uint8_t waits; /* what for: interpreter.c */
	bool answered;
	bool gathering;
	uint8_t digits_n;
	char digits[INTERPRETER_DIGITS_MAX + 1];
	/* Room for the strings of the actions of the last step. */
	char url[INTERPRETER_URL_BYTES];
	char text[64];
};

/* document_url: what relative URLs are resolved against. */
void interpreter_step(struct interpreter *in, const struct document *document, const char *document_url,
	const struct interpreter_event *event, struct interpreter_actions *out);

#endif
