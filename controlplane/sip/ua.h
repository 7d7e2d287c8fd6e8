/* SIP as the calls see it: legs that are invited, answered, changed and ended; nothing of the SIP stack.
 *
 * One leg is one INVITE transaction and the dialog that comes of it. Legs are named by numbers that are never
 * used again while the process lives. Everything happens on one thread (the SIP event loop): the functions
 * may be called from an event handler; an event never comes from inside a function. Strings in events live
 * until the handler returns; strings given are copied.
 *
 * What the user agent does by itself, because no call need decide it:
 *   - requests from an address that is no trunk's: dropped and counted (403 for an INVITE), per source rate
 * and call limits (503, which always has a Retry-After), malformed messages (400 or drop), OPTIONS (200),
 * unsupported methods (405), Require (420), content it can't read (415), 481 where no dialog matches, 482
 * merged, 483 hops
 *   - 100 at once; 487 to an INVITE that was cancelled; 200 to BYE and CANCEL; ACK to every final response
 *   - a further 2xx with another To-tag (forked answer): ACK, then BYE to that dialog
 *   - a 2xx that crosses our CANCEL: ACK, then BYE; reported as UA_FAILED with crossed set
 *   - 491 for a re-INVITE that meets ours (glare, RFC 3261 14.2); a 491 to ours is tried again after the
 *     RFC's random wait; 500 with Retry-After for a re-INVITE while one is unanswered
 *   - retransmission of 2xx until the ACK (RFC 3261 13.3.1.4)
 */
#ifndef TG_SIP_UA_H
#define TG_SIP_UA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "controlplane/calls/media_description.h"
#include "settings/settings.h"

struct ua;
typedef uint64_t ua_leg; /* 0: none */

#define UA_HEADERS_MAX 16

struct ua_header { /* an X- header of an INVITE */
	const char *name, *value;
};

enum ua_event_kind {
	UA_INVITE,        /* new call: answer by ua_respond() */
	UA_CANCELLED,     /* the caller gave up before the final answer; 487 is sent. Last but for UA_GONE */
	UA_ACKED,         /* our 2xx was acknowledged; sdp: the answer of a late offer */
	UA_NOT_ACKED,     /* no ACK came within 64*T1: end the leg by ua_bye() */
	UA_PROGRESS,      /* 101-199 to our INVITE; sdp where one came (early media) */
	UA_ANSWERED,      /* first 2xx to our INVITE: ua_ack() must follow; sdp where one came */
	UA_FAILED,        /* our INVITE ended without a dialog. Last but for UA_GONE */
	UA_REINVITE,      /* the far end offers anew (or asks for an offer, no sdp): answer by ua_respond() */
	UA_REINVITE_DONE, /* our ua_reinvite() was answered: status, sdp where one came; ACK is sent */
	UA_ENDED,         /* the far end sent BYE, or the dialog is gone (481, 408 to a request of ours) */
	UA_GONE,          /* the leg's number means nothing from now on; always the last event of a leg */
};

struct ua_event {
	enum ua_event_kind kind;
	ua_leg leg;
	/* UA_INVITE */
	const char *call_id, *from_user, *from_uri, *from_display, *to_user, *to_uri, *request_uri;
	const char *trunk; /* name of the trunk it came from */
	char source[64];   /* address:port/transport it came from */
	struct ua_header header[UA_HEADERS_MAX];
	int headers;
	/* UA_INVITE, ACKED, PROGRESS, ANSWERED, REINVITE, REINVITE_DONE: NULL where there was none */
	const struct media_description *sdp;
	bool bad_sdp; /* there was a body, and it could not be read: refuse with 400 or end the leg */
	/* PROGRESS, ANSWERED, FAILED, REINVITE_DONE; ENDED: of the response that ended the dialog, or 0 for
	 * BYE */
	int status;
	const char *reason; /* reason phrase, or the text of a Reason header (UA_ENDED, UA_CANCELLED) */
	int q850;           /* cause of a Reason: Q.850 header, or 0 */
	bool local;         /* FAILED: the status is our own (timeout, transport), nothing was received */
	bool crossed;       /* FAILED: answered after all, while our CANCEL was on its way */
};

typedef void (*ua_handler)(void *ctx, const struct ua_event *event);

/* Where a new call goes. Strings are URIs and values from outside; the user agent refuses what would not be
 * legal SIP (line breaks, quotes). */
struct ua_invite {
	const char *target;                  /* sip: URI for the request line */
	const char *to_uri;                  /* NULL: as target */
	const char *from_user;               /* caller id: user part of From; may be "anonymous" */
	const char *from_display;            /* or NULL */
	const struct media_description *sdp; /* our offer */
	const struct ua_header *header;      /* X- headers, or NULL */
	int headers;
	const char *username, *password; /* for a challenge of this target only; or NULL */
};

struct su_root_t; /* the event loop (Sofia's su_root_t) */

struct ua_counters {
	uint64_t refused_source, refused_rate, refused_limit, malformed, options;
};

/* root: the event loop that everything runs on. Returns 0, or -errno with a sentence in why (the address is
 * taken, ...). */
int ua_create(struct ua **ua, struct su_root_t *root, const struct settings *settings, ua_handler handler,
	void *ctx, char *why, size_t why_bytes);
/* Ends nothing by itself: send BYE to the legs first. NULL is allowed. */
void ua_destroy(struct ua *ua);
/* true: new INVITEs are answered 503. */
void ua_drain(struct ua *ua, bool draining);
const struct ua_counters *ua_counters(const struct ua *ua);

/* Answers UA_INVITE (any status) or UA_REINVITE (final). sdp: our offer or answer, or NULL. reason: NULL for
 * the standard phrase. A final non-2xx to UA_INVITE ends the leg: UA_GONE follows when it was acknowledged,
 * or won't be; at once where the caller has not been told to wait, and so asks again until it hears it.
 * Returns 0, -ENOENT (leg gone), -EALREADY. */
int ua_respond(
	struct ua *ua, ua_leg leg, int status, const char *reason, const struct media_description *sdp);

/* What the next final answer to the leg's INVITE tells besides: a Warning header (RFC 3261 20.43) of this
 * code. text is a literal of ours. */
void ua_warn(struct ua *ua, ua_leg leg, int code, const char *text);

/* A new outgoing leg in two steps, so that its dialog (Call-ID, tag, branch, CSeq) can be made durable before
 * anything leaves: prepare makes the leg, send sends the INVITE. Returns 0, or -EINVAL with why. */
int ua_prepare(struct ua *ua, const struct ua_invite *invite, ua_leg *leg, char *why, size_t why_bytes);
int ua_send(struct ua *ua, ua_leg leg);
/* Acknowledges UA_ANSWERED. sdp: our answer where the 2xx carried an offer; else NULL. */
int ua_ack(struct ua *ua, ua_leg leg, const struct media_description *sdp);
/* Before an answer: CANCEL once a provisional response is there, as RFC 3261 9.1 wants. UA_FAILED follows. */
int ua_cancel(struct ua *ua, ua_leg leg);
int ua_reinvite(struct ua *ua, ua_leg leg, const struct media_description *sdp);
/* Ends an established leg (after the ACK, or 64*T1, where ours is the 2xx, RFC 3261 15). q850: for a Reason
 * header, 0 for none. UA_GONE follows when the far end has answered or is given up. */
int ua_bye(struct ua *ua, ua_leg leg, int q850, const char *reason);

/* Ends a leg in whatever state it is: BYE, our final response (status, 300 and above) to the far end's
 * INVITE, or CANCEL of ours; each with a Reason header, as ua_bye(). UA_GONE follows. */
int ua_end(struct ua *ua, ua_leg leg, int status, int q850, const char *reason);

/* What another process needs to take the dialog over: a JSON object {call_id, local, remote, cseq_local,
 * cseq_remote, route, target, branch, invite...}, a new reference. NULL when the leg is gone or memory is
 * out. It has the password of a leg's credentials: whoever keeps it keeps it from others. */
json_t *ua_dialog_state(struct ua *ua, ua_leg leg);
/* Takes over a leg that a process left which is no more: dialog is what ua_dialog_state() said there. Nothing
 * is sent by it. What the leg can do afterwards is what it could do there, by its state:
 *   - "invited": ua_respond(); the saved INVITE's transaction is made again. It may have been refused: then
 *     it is to be refused once more, for the caller may not have heard of it
 *   - "prepared", "calling": ua_send(): the same INVITE with the same branch, tag and CSeq, which a far end
 *     that has got it before takes for a retransmission; then ua_cancel() if it is no longer wanted (where
 *     the state tells of a CANCEL, ua_send() sees to that). A 2xx before ua_send() is UA_ANSWERED all the
 *     same
 *   - "answered": ua_ack(), ua_bye()
 *   - "unacknowledged": ua_respond() with the 2xx again, retransmitted until the ACK; ua_bye()
 *   - "up", "ending": ua_bye(), ua_reinvite(); the far end's requests are answered. A re-INVITE that nobody
 *     answered is told as UA_REINVITE again. ua_respond() with a 2xx, from a caller that has not heard of
 *     the ACK: UA_ACKED
 *
 * A far end's retransmissions and late answers (a 2xx to an INVITE of the dead process, say) are the leg's
 * again. Over TCP and TLS the connection is gone: the leg's next request opens a new one. Returns 0; -EINVAL:
 * not a dialog of ours, or "over"; -ENOMEM. */
int ua_restore(struct ua *ua, const json_t *dialog, ua_leg *leg);
/* Call-ID of a leg, valid while it lives; NULL when gone. */
const char *ua_call_id(struct ua *ua, ua_leg leg);

#endif
