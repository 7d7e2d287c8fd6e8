/* What the files of the engine share.
 *
 *   engine.c      life, events from below, timers     perform.c  one action of a session
 *   requests.c    documents and media over HTTP       audit.c    snapshots of the workers
 *   takeover.c    sessions of a dead process go on    closing.c  or are ended */
#ifndef TG_CALLS_ENGINE_PRIVATE_H
#define TG_CALLS_ENGINE_PRIVATE_H

#include <stdatomic.h>

#include "base/mailbox.h"
#include "controlplane/calls/engine.h"
#include "controlplane/calls/leg_index.h"
#include "controlplane/calls/session.h"
#include "controlplane/calls/shelf.h"
#include "controlplane/link/link.h"
#include "controlplane/modules/fetcher.h"
#include "controlplane/sip/ua.h"

/* A session and what the engine keeps for it. */
struct call {
	struct call *next, **prev;
	struct session *session;
	unsigned queued;                          /* its actions in the queue */
	uint64_t document_request, media_request; /* of the fetcher; 0: none */
	char *document_url;                       /* as it was requested, parameters of a GET included */
	uint64_t sip_sequence;                    /* facts of it appended last */
	unsigned facts;                           /* appended so far, by whatever process */
	json_t *unsure; /* [sequence, number among its facts, name, payload] of those not known to be durable
			 */
	uint64_t stint_differs; /* taken over: bit per leg whose row counts for another stint */
	bool whole;             /* taken over: with every dialog and row that it needs */
	bool processing;
	bool dirty; /* its state differs from what is on the shelf */
};

struct queued {
	struct queued *next;
	struct call *call;
	struct action *action;
	uint64_t sequence; /* durable before it may run */
};

struct row_owner {
	struct call *call;
	int leg;
};

/* Dial rate of an account. */
struct account_rate {
	struct account_rate *next;
	char sid[40];
	struct policy_rate rate;
};

enum { REQUEST_DOCUMENT, REQUEST_MEDIA };

#define AUDITS_MAX 4

struct audit {
	uint32_t tag; /* 0: free */
	unsigned waiting;
	uint32_t answered; /* bit per worker: a restarted one may answer twice */
	uint64_t deadline_ns;
	bool ok;
	json_t *workers;
	void (*done)(void *ctx, const json_t *result);
	void *ctx;
};

/* watch.c: signs of life. */
struct watch {
	uint64_t ticked_ns;    /* the loop's last turn */
	uint64_t silent_at_ns; /* a dataplane that is missing is not worth a warning before */
	bool silent;           /* said so */
	bool suspect[TG_WORKERS_MAX], stuck[TG_WORKERS_MAX]; /* at the last look; said so */
};

struct engine {
	const struct settings *settings;
	struct tg_region *region;
	struct journal *journal;
	struct loop *loop;
	struct registry *registry;
	const struct usage *usage;
	struct recovery *recovery;
	struct shelf *shelf;
	const char *media_socket;
	uint64_t (*cdr_open_rows)(void *ctx, uint64_t *age_ms);
	void *cdr_ctx;
	void (*stopped)(void *ctx);
	void *stopped_ctx;

	struct ua *ua;
	struct link *link;
	struct fetcher *fetcher;
	struct mailbox *box;         /* results of requests */
	struct mailbox *journal_box; /* woken by the journal's thread; carries nothing */
	_Atomic uint64_t durable;
	_Atomic int journal_error;

	struct call *calls;
	unsigned sessions;
	struct leg_index *by_ua;      /* ua_leg -> call, leg */
	struct leg_index *by_request; /* fetcher's id -> call, REQUEST_* */
	struct row_owner *by_row;
	struct queued *first, **last;
	struct account_rate *rates;
	struct audit audit[AUDITS_MAX];
	uint32_t audit_tag;
	uint64_t next_deadline, next_second, stop_at;
	bool draining, stopping;
	struct watch watch;
	bool dirty; /* some call is */
	uint64_t calls_taken, calls_refused;
	unsigned taken_up, closed_by_record;
};

uint64_t engine_now(const struct engine *e);
/* Of RTP to a far end of this trunk; "": of none. */
uint8_t engine_dscp(const struct engine *e, const char *trunk);
struct session_env engine_env(struct engine *e, const struct session *s);
/* After anything that may have made actions: takes and carries out. The call may be gone afterwards. */
void engine_process(struct engine *e, struct call *call);
/* The same. changed: the shelf doesn't say yet what the session is now. */
void engine_go_on(struct engine *e, struct call *call, bool changed);

/* Takes the session. NULL when memory is out: then it stays the caller's. */
struct call *engine_add_call(struct engine *e, struct session *s);

/* closing.c: a session of a dead process that can't go on. */
/* Of what the shelf has of it: why it can't go on, what is needed to end its dialogs, and the facts that the
 * journal lost; those are told to the recovery. NULL only when memory is out. */
json_t *closing_keep(struct engine *e, const char *name, const json_t *value, const char *why);
/* Its far ends are told where kept (of closing_keep, NULL: the shelf has nothing) says how; its rows are
 * being released already; what is left are records. */
void closing_run(struct engine *e, const struct recovery_session *r, const json_t *kept);

/* watch.c: the dataplane, its workers and this process itself are looked after: what stands still is said
 * once. */
void watch_begin(struct engine *e, uint64_t now);
void watch_tick(struct engine *e, uint64_t now);
/* Once per second, after our own beat. Keeps the region's clock while the dataplane doesn't. */
void watch_second(struct engine *e, uint64_t now);

/* news.c: what the dataplane tells; and whether the journal held a meter record when this process began. */
extern const struct link_handler engine_news;
bool engine_has_seen(void *engine, const struct tg_meter_record *record);

/* takeover.c: what a successor needs is kept before it is acted on, and taken up at the start. */
void takeover_keep(struct engine *e, struct call *call);
/* A new call, before the journal hears of it and before its caller gets the 100 that ends retransmissions:
 * either nobody knows of it, or a successor does. */
void takeover_keep_first(struct engine *e, struct call *call);
/* Appends a fact of the call's session (the payload is taken): one that the journal loses with this process
 * is on the shelf, and goes into the journal once more when the session is taken up. */
void takeover_append(struct engine *e, struct call *call, enum fact fact, json_t *payload);
void takeover_run(struct engine *e);
/* The dialog that the shelf has of the leg becomes ours. Returns false if it can't. */
bool takeover_dialog(struct engine *e, struct call *call, int leg, const json_t *dialog);

/* perform.c. prepare: what must happen before the facts are durable; false: it failed and is dealt with. */
bool perform_prepare(struct engine *e, struct call *call, struct action *a);
void perform_action(struct engine *e, struct call *call, struct action *a);

/* requests.c */
void requests_document(struct engine *e, struct call *call, const struct action *a);
void requests_media(struct engine *e, struct call *call, const char *url);
void requests_end_lease(struct engine *e, const char *lease);
void requests_cancel(struct engine *e, uint64_t *id);
void requests_deliver(struct mail *mail, void *engine);

/* audit.c */
void audit_answer(struct engine *e, uint32_t tag, uint32_t worker, bool ok, const json_t *fact);
void audit_tick(struct engine *e);

#endif
