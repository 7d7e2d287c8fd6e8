/* What a session wants done. The state machine only appends actions; the engine carries them out in order:
 * facts go to the journal at once, everything else waits until the facts before it are durable (state before
 * action). */
#ifndef TG_CALLS_ACTION_H
#define TG_CALLS_ACTION_H

#include <stdint.h>

#include <jansson.h>

#include "controlplane/calls/media_description.h"
#include "controlplane/journal/fact.h"
#include "controlplane/link/link.h"

enum action_kind {
	ACTION_FACT,    /* journal payload as fact */
	ACTION_RESPOND, /* status, reason, sdp: to the INVITE or re-INVITE of leg */
	ACTION_INVITE, /* reserve a row for leg, prepare its dialog, journal payload as leg_open, then send */
	ACTION_RESEND, /* the INVITE of a leg that was taken over */
	ACTION_ACK,    /* acknowledge the answer of leg */
	ACTION_CANCEL,
	ACTION_BYE,   /* status: Q.850 cause, reason */
	ACTION_END,   /* a leg that was taken over, whatever state its dialog is in; as BYE */
	ACTION_CHAIN, /* commands to the dataplane that take effect at one moment */
	ACTION_FETCH, /* a document: url, method, extra parameters in payload */
	ACTION_FETCH_CANCEL,
	ACTION_RESOLVE, /* a media item: url */
	ACTION_RESOLVE_CANCEL,
	ACTION_LEASE_END, /* url: lease id */
	ACTION_UNRESERVE, /* row was never programmed */
};

struct action {
	struct action *next;
	enum action_kind kind;
	int leg; /* index in the session; -1: none */
	int status;
	int warning; /* RESPOND: code of a Warning header that repeats the reason; 0: none */
	enum fact fact;
	json_t *payload;               /* owned */
	char *text;                    /* owned: reason, url or lease */
	char *method;                  /* owned */
	struct media_description *sdp; /* owned, or NULL */
	struct link_chain *chain;      /* owned */
	struct link_row row;           /* UNRESERVE */
};

void action_free(struct action *action);

#endif
