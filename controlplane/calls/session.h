/* A session: the tree of calls that grew from one INVITE, as a state machine without side effects.
 *
 * Every function takes what happened and appends actions (action.h) to the session; the engine carries them
 * out. Nothing here knows sockets, clocks or the region: the time is env->now_ns.
 *
 *   session.c       begin, end, legs' common events          dialing.c   Dial: invite, bridge, unbridge
 *   instructions.c  what a document says, played and timed   handoff.c   stints; every trigger enters here
 *   media.c         offer, answer, hold, dataplane programs  record.c    facts for the journal
 */
#ifndef TG_CALLS_SESSION_H
#define TG_CALLS_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "controlplane/calls/action.h"
#include "controlplane/calls/leg.h"
#include "controlplane/modules/document.h"
#include "controlplane/modules/interpreter.h"
#include "controlplane/modules/policy.h"
#include "controlplane/modules/registry.h"

#define SESSION_LEGS_MAX      50
#define SESSION_STACK_MAX     16
#define SESSION_DOCUMENTS_MAX 1000 /* without media or input between them: a loop */
#define SESSION_URL_BYTES     8192

enum session_timer { TIMER_INTERPRETER, TIMER_DIAL, TIMER_LIMIT, TIMER_RING, TIMERS };

enum session_state { SESSION_RUNNING, SESSION_CLOSING, SESSION_CLOSED };

/* A module that waits for control to return to it. */
struct session_frame {
	const struct registry_module *module;
	char *return_url;
	uint64_t since_ns;
};

struct session_dial {
	bool active, bridged;
	int first, callee; /* first leg of this Dial; the leg that answered, or -1 */
	int last_status;   /* SIP status of the leg that failed last, for DialCallStatus */
	uint64_t bridged_ns;
	bool hangup_on_star, ringing_sent;
	uint32_t time_limit_s;
};

struct session_play {
	bool resolving, playing,
		waiting; /* waiting: resolved, but the far end isn't known yet (late offer) */
	bool stop_on_digit;
	uint32_t id, loops;
	char *url, *lease, *address;
	uint32_t item, generation;
};

struct session {
	enum session_state state;
	struct id id;
	char text[ID_TEXT_BYTES];
	struct registry *registry;            /* the snapshot that this session began with */
	const struct registry_account *owner; /* of the number that was called */
	const struct registry_module *module; /* in control */
	char number[LEG_TEXT_BYTES];
	uint32_t stint;
	bool stint_open;
	uint64_t stint_ns;
	struct session_frame stack[SESSION_STACK_MAX];
	int depth;
	struct leg *leg[SESSION_LEGS_MAX];
	int legs;
	char *header_name[UA_HEADERS_MAX], *header_value[UA_HEADERS_MAX]; /* X- headers of the INVITE */
	int headers;
	/* The document in force. */
	struct document *document;
	struct interpreter interpreter;
	char *url;                        /* it came from here */
	char *body, *content_type;        /* what it was parsed from */
	char *wanted_url, *wanted_method; /* what is being fetched */
	json_t *wanted_extra;             /* with these parameters */
	bool interpreting;
	bool fallback; /* what is being fetched is the fallback */
	int documents; /* fetched without media or input in between */
	struct session_play play;
	struct session_dial dial;
	uint64_t deadline[TIMERS];   /* UTC ns; 0: off */
	char cause[40], reason[256]; /* why it ended: a word, a sentence */
	int refusal; /* SIP status for a caller that isn't answered when the gateway ends it */
	/* Of the node's settings, given by the engine. */
	uint32_t media_timeout_ms;
	bool latch;
	uint64_t region;       /* id of the region that its rows are in */
	int64_t clock_step_ms; /* what the region's clock lacked to the wall clock when it began; dates its
				  records */
	char *partial;         /* why its figures are uncertain, or NULL */
	/* Actions that the engine has not taken yet, in order. */
	struct action *first, **last;
};

/* What the node's settings say about calls, and the row that is reserved for the caller. */
struct session_begin {
	struct link_row row;
	struct tg_addr address;
	uint16_t port;
	uint8_t dscp;
	uint32_t media_timeout_ms, ring_seconds;
	bool latch;
	uint64_t region;
	int64_t clock_step_ms;
};

/* What a step may ask. */
struct session_env {
	uint64_t now_ns;               /* by the region's timebase */
	struct policy_rate *dial_rate; /* of the account in control, held by the engine */
};

struct session_media_result {
	bool ok;
	uint32_t item, generation;
	const char *lease, *address, *served;
	int status; /* of the media layer's answer; 0: none came */
	const char *error, *sentence;
};

struct session_document_result {
	int status;        /* HTTP; 0: none */
	const char *error; /* NULL: fine */
	int error_number;
	const char *content_type, *body, *final_url;
	size_t body_len;
};

/* A call for this number of this registry (one reference is taken over). Returns the session, or NULL when
 * memory is out: then registry and row stay the caller's. */
struct session *session_create(struct registry *registry, const struct registry_number *number,
	const struct ua_event *invite, const struct session_begin *begin, const struct session_env *env);
/* A session of a dead predecessor, known by the journal only: nothing but records is left to do. */
struct session *session_recover(struct registry *registry, const struct id *id);
void session_destroy(struct session *session);

void session_on_ua(struct session *s, int leg, const struct ua_event *event, const struct session_env *env);
void session_on_document(
	struct session *s, const struct session_document_result *r, const struct session_env *env);
void session_on_media(struct session *s, const struct session_media_result *r, const struct session_env *env);
void session_on_digit(struct session *s, int leg, char digit, const struct session_env *env);
void session_on_play_done(
	struct session *s, int leg, uint32_t play_id, bool stopped, const struct session_env *env);
/* The worker could not begin it: the item that the media layer named is no longer whole. */
void session_on_play_refused(struct session *s, int leg, uint32_t play_id, const struct session_env *env);
void session_on_media_timeout(struct session *s, int leg, const struct session_env *env);
void session_on_timer(struct session *s, enum session_timer timer, const struct session_env *env);
/* The leg's final meter record is in the journal. */
void session_on_row_released(struct session *s, int leg, const struct session_env *env);
/* ACTION_INVITE could not be carried out (no row, an address that is no URI, ...). */
void session_on_invite_failed(
	struct session *s, int leg, int status, const char *reason, const struct session_env *env);
/* The gateway itself ends it (shutdown, dataplane fault). */
void session_end(struct session *s, enum released_by by, int q850, const char *cause, const char *reason,
	const struct session_env *env);

/* Another process ran it until it died (state.h); its dialogs and rows are taken over already. stint_differs:
 * of each leg, whether its row counts for another stint than the session's. */
void session_resume(struct session *s, const bool *stint_differs, const struct session_env *env);

/* Takes the actions; the caller frees each. */
struct action *session_take_actions(struct session *s);

/* --- between the files of this folder ----------------------------------------------------------------- */

struct action *session_add(struct session *s, enum action_kind kind, int leg);
void session_fact(struct session *s, enum fact fact, json_t *payload);
/* A leg has come to its end: its record, once. */
void session_leg_ended(struct session *s, int leg, int status, int q850, enum released_by by,
	const char *reason, const struct session_env *env);
void session_maybe_close(struct session *s, const struct session_env *env);
struct leg *session_add_leg(struct session *s, const struct session_env *env);

/* instructions.c */
void instructions_event(
	struct session *s, const struct interpreter_event *event, const struct session_env *env);
void instructions_fetch(
	struct session *s, const char *url, const char *method, json_t *extra, const struct session_env *env);
/* The module in control failed: fallback, return to the module below, or the end. */
void instructions_failed(struct session *s, int number, const char *sentence, const struct session_env *env);
void instructions_fetch_again(struct session *s);
void instructions_stop(struct session *s, const struct session_env *env);
void instructions_play_pending(struct session *s, const struct session_env *env);

/* handoff.c: every change of the controlling module. */
struct handoff_request {
	const struct registry_module *to;
	const char *trigger;
	const char *url, *method; /* document to begin with; NULL: the module's own */
	const char *return_url;   /* the giving module waits for control at this URL; NULL: it doesn't */
	json_t *extra;            /* parameters for the first request, owned; or NULL */
	bool returning;           /* back to a module of the stack: allowed by having been there */
};
void handoff_to(struct session *s, struct handoff_request *request, const struct session_env *env);
void handoff_return(struct session *s, const char *status, const struct session_env *env);
void handoff_first(struct session *s, const struct session_env *env);
void handoff_close_stint(struct session *s, const char *reason, const struct session_env *env);

/* dialing.c */
void dialing_start(struct session *s, const struct interpreter_dial *dial, const struct session_env *env);
void dialing_on_ua(struct session *s, int leg, const struct ua_event *event, const struct session_env *env);
void dialing_invite_failed(
	struct session *s, int leg, int status, const char *reason, const struct session_env *env);
void dialing_timeout(struct session *s, const struct session_env *env);
/* Ends the callee's leg and goes on with the caller's document. */
void dialing_hang_up_callee(
	struct session *s, enum released_by by, const char *reason, const struct session_env *env);

/* media.c */
/* Why media can't be had: what a 488 says. */
struct media_refusal {
	int warning;        /* code of its Warning header */
	const char *cause;  /* a word for the records */
	const char *reason; /* a sentence */
};
bool media_answer_incoming(struct session *s, const struct session_env *env, struct media_refusal *refusal);
void media_refuse(struct session *s, int leg, const struct media_refusal *refusal);
void media_offer(struct session *s, int leg);
void media_program(struct session *s, int leg, struct link_chain *chain, const struct session_env *env);
void media_hear(struct session *s, int leg, struct link_chain *chain, const struct tg_leg_source *source);
void media_submit(struct session *s, struct link_chain *chain);
void media_reinvite(struct session *s, int leg, const struct ua_event *event, const struct session_env *env);
bool media_remote_answered(struct session *s, int leg, const struct media_description *answer);
void media_release_rows(struct session *s, int only_leg);

/* record.c */
json_t *record_session_open(const struct session *s);
json_t *record_leg_open(const struct session *s, int leg);
json_t *record_leg_media(const struct session *s, int leg, const struct session_env *env);
json_t *record_leg_ringing(const struct session *s, int leg, int status, const struct session_env *env);
json_t *record_leg_answered(const struct session *s, int leg);
json_t *record_stint(
	const struct session *s, const char *trigger_or_reason, bool open, const struct session_env *env);
json_t *record_error(
	const struct session *s, int number, const char *sentence, const struct session_env *env);
json_t *record_text(const struct session *s, int leg, const struct session_env *env);

#endif
