/* What the files of this folder share: the user agent and its legs. Nothing outside this folder includes it.
 *
 *   ua.c       create, destroy, legs by number         dispatch.c  requests outside of any dialog
 *   events.c   events, queued until the stack is idle  incoming.c  our side of an INVITE that came
 *   outgoing.c INVITEs of ours                         dialog.c    requests inside dialogs, BYE, re-INVITE
 *   message.c  what is read from and put into messages state.c     what a successor needs
 *   challenge.c 401 and 407                        saved.c     the same, read and checked
 *   restore.c  a leg that another process left     stray.c     answers to INVITEs of that process
 *   tcp_filter.c who may connect over TCP          sofia_stderr.c what the stack prints
 *
 * Every event is queued and delivered from the event loop itself, never from inside a callback of the stack:
 * a handler may then end legs and transactions freely. */
#ifndef TG_SIP_AGENT_H
#define TG_SIP_AGENT_H

#include <stdbool.h>
#include <stdint.h>

#define NTA_AGENT_MAGIC_T    struct ua
#define NTA_LEG_MAGIC_T      struct sip_leg
#define NTA_OUTGOING_MAGIC_T struct sip_leg
#define NTA_INCOMING_MAGIC_T struct sip_leg
#include <sofia-sip/msg_addr.h>
#include <sofia-sip/nta.h>
#include <sofia-sip/nta_stateless.h>
#include <sofia-sip/nta_tport.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_status.h>
#include <sofia-sip/sip_tag.h>
#include <sofia-sip/su_tagarg.h>
#include <sofia-sip/su_uniqueid.h>

#include "base/id.h"
#include "controlplane/sip/digest.h"
#include "controlplane/sip/sdp.h"
#include "controlplane/sip/sofia_stderr.h"
#include "controlplane/sip/source.h"
#include "controlplane/sip/tcp_filter.h"
#include "controlplane/sip/ua.h"

#define UA_TAG_BYTES    (2 * ID_BYTES + 1)
#define UA_BRANCH_BYTES (7 + 2 * ID_BYTES + 12)
#define UA_REASON_BYTES 256
#define UA_T1X64_MS     (64 * NTA_SIP_T1)
#define UA_RETRY_AFTER  "10" /* seconds; with a 503 for what may take that long */

struct event_entry {
	su_home_t home[1]; /* of the entry and its strings; not used in one that is part of a leg */
	struct event_entry *next;
	struct ua_event event;
	struct media_description sdp;
};

/* An address that we listen on: one, or one of each family. Each has a stack of its own, which takes the
 * first of its transports for a request whatever the family of its target is. */
#define UA_LISTENS_MAX 2
struct ua_listen {
	struct tg_addr address;
	nta_agent_t *agent;
	sip_contact_t *udp, *tcp; /* tcp: NULL where sip.tcp is false */
	struct tcp_filter filter;
};

struct ua {
	su_home_t home[1];
	su_root_t *root;
	ua_handler handler;
	void *ctx;
	struct sip_leg **bucket; /* by number; chained */
	uint32_t buckets;        /* a power of two */
	struct sip_leg *all;
	struct sip_leg *
		*restored; /* legs that another process left, by branch; chained. NULL while there is none */
	ua_leg last;       /* number given last */
	int incoming, max_sessions;
	bool draining;
	struct source_table source;
	struct ua_counters *counters;
	uint64_t malformed;                         /* found here; the stack counts its own */
	uint64_t strangers_calls, stranger_told_ns; /* refused since the log told of one, and when it did */
	su_timer_t *wake;
	struct event_entry *first, **tail;
	struct event_entry spare; /* takes an event that there was no memory for */
	struct ua_listen listen[UA_LISTENS_MAX];
	int listens;
	sip_allow_t *allow;
	sip_accept_t *accept;
	struct sofia_stderr log_stream;
	su_timer_t *watch;        /* of the filters */
	bool guests_full;         /* the log has told */
	uint8_t secret[ID_BYTES]; /* of To tags that are made without state */
};

enum sip_leg_state {
	SIP_LEG_INVITED,  /* INVITE came, no final answer yet */
	SIP_LEG_PREPARED, /* of ours, nothing sent */
	SIP_LEG_CALLING,  /* INVITE sent, no final answer yet */
	SIP_LEG_ANSWERED, /* 2xx came, ACK not sent yet */
	SIP_LEG_UP,       /* dialog confirmed */
	SIP_LEG_ENDING,   /* our BYE is under way */
	SIP_LEG_REFUSED,  /* final answer other than 2xx sent, no ACK yet */
	SIP_LEG_OVER,     /* UA_GONE is queued */
};

/* The server side of the one INVITE that the far end may have under way. */
enum sip_in_state { SIP_IN_NONE, SIP_IN_UNANSWERED, SIP_IN_WAIT_ACK };

struct sip_leg {
	su_home_t home[1];
	ua_leg number;
	struct ua *ua;
	struct sip_leg *next, *all_next, **all_prev;
	enum sip_leg_state state;
	bool outgoing, tcp, cancelled, told_answer, bye_wanted;
	bool restored; /* another process may have sent more than we know of */
	struct sip_leg *restored_next;
	int trunk;           /* -1: of ours */
	struct tg_addr peer; /* the far end's address: requests in the dialog may come from it too */
	nta_leg_t *dialog;
	const char *call_id, *local_tag;
	const char *local, *remote; /* From and To of our requests */
	/* INVITE or re-INVITE of the far end. */
	nta_incoming_t *in;
	enum sip_in_state in_state;
	bool in_offered, in_first; /* in_first: the INVITE that the leg came of */
	/* INVITE or re-INVITE of ours. */
	nta_outgoing_t *out;
	struct media_description offer;
	bool offered;
	int attempt;                  /* INVITEs sent: 2 after a challenge */
	char branch[UA_BRANCH_BYTES]; /* that of each INVITE and BYE of ours begins so, and ends in ".CSEQ" */
	uint32_t invite_cseq;
	const char *target, *to, *headers;        /* headers: lines for SIPTAG_HEADER_STR, or NULL */
	const char *username, *password, *realm;  /* realm: the one that these are for, once known */
	char *authorization;                      /* of the last INVITE; the ACK repeats it */
	bool authorization_proxy, out_authorized; /* out_authorized: the INVITE under way has it */
	bool reinvite_challenged;
	const char *warning; /* for the next final answer, or NULL */
	/* BYE of ours. */
	nta_outgoing_t *bye;
	bool bye_challenged;
	int bye_q850;
	const char *bye_reason;
	/* The description that we sent last, for the version of the next. */
	struct media_description sent;
	bool sent_any;
	struct event_entry gone; /* UA_GONE must not fail for want of memory */
	su_timer_t *guard;       /* 2xx without ACK, where the stack gives no word */
	su_timer_t *retry;       /* re-INVITE after 491 */
};

/* --- ua.c --- */
/* A new leg with the next number; NULL: out of memory. */
struct sip_leg *ua_leg_new(struct ua *ua);
struct sip_leg *ua_leg_find(struct ua *ua, ua_leg number);
/* Forgets the number and frees. Transactions must have been let go by ua_leg_over(). */
void ua_leg_free(struct sip_leg *leg);
/* It counts no longer for its trunk, nor for max_sessions. */
void ua_leg_uncount(struct sip_leg *leg);
/* The leg's last moment: lets go of the stack's objects and queues UA_GONE. */
void ua_leg_over(struct sip_leg *leg);
/* Draws the branch and the CSeq that the leg's requests begin with. Returns 0 or -errno. */
int ua_leg_identify(struct sip_leg *leg, uint32_t *cseq);
/* Branch of the request that is sent next: known before it leaves, so that a successor can go on with it. */
const char *ua_next_branch(const struct sip_leg *leg, char out[static UA_BRANCH_BYTES]);
/* The far end of a leg over TCP may open connections from now on, if no trunk has its address. */
void ua_welcome(struct sip_leg *leg);
/* 128 random bits in hex; 0 or -errno. */
int ua_random_text(char out[static UA_TAG_BYTES]);

/* --- events.c --- */
/* Queues an event that is filled in before the caller returns to the event loop. Never NULL: without memory
 * the entry is a spare one that is not delivered, and the loss is logged. */
struct event_entry *ua_event_add(struct sip_leg *leg, enum ua_event_kind kind);
const char *ua_event_text(struct event_entry *entry, const char *text);
/* Status line and Reason header of a message. */
void ua_event_reason(struct event_entry *entry, const sip_t *sip);
/* SDP of a message. */
void ua_event_sdp(struct event_entry *entry, const sip_t *sip);
int ua_events_open(struct ua *ua);
void ua_events_close(struct ua *ua);

/* --- message.c --- */
enum ua_body { UA_BODY_NONE, UA_BODY_SDP, UA_BODY_UNREADABLE, UA_BODY_UNSUPPORTED };
enum ua_body ua_body(const sip_t *sip, struct media_description *sdp);
/* Text of a description to send in this leg, with a version that fits what was sent before. */
int ua_sdp_text(struct sip_leg *leg, const struct media_description *sdp, char out[static SDP_WRITE_BYTES]);
const sip_contact_t *ua_contact(struct sip_leg *leg);
/* Of ours, the address for this far end: of its family, as far as that is known. */
const struct ua_listen *ua_listen_of(struct sip_leg *leg);
/* Of ours, the address of this family, or the first. */
struct ua_listen *ua_listen_at(struct ua *ua, uint32_t family);
/* The host of the leg's target, where that is an address. */
bool ua_target_address(struct sip_leg *leg, struct tg_addr *address);
/* Where a message came from. */
struct tg_addr ua_source(msg_t *msg);
const char *ua_server(void);

/* --- dispatch.c --- */
int ua_on_message(struct ua *ua, nta_agent_t *agent, msg_t *msg, sip_t *sip);
/* Answers without state, with a To tag that a retransmission would get again; takes msg over. */
void ua_reply(struct ua *ua, msg_t *msg, sip_t *sip, int status, const char *phrase, tag_type_t tag,
	tag_value_t value, ...);
/* May a request in the leg's dialog come from this address? */
bool ua_source_allowed(const struct sip_leg *leg, const struct tg_addr *source);
/* What a request of the far end lacks or has too much of: the status that refuses it, with tags for the
 * answer. */
struct ua_refusal {
	int status;
	const char *phrase;
	tagi_t tags[3];
};
/* False: nothing. home: for what the tags point to. */
bool ua_refuse(struct ua *ua, su_home_t *home, const sip_t *sip, struct ua_refusal *refusal);

/* --- incoming.c --- */
/* Takes msg over. */
void ua_invite_in(struct ua *ua, msg_t *msg, sip_t *sip, int trunk);
/* Sets up leg->in. */
void ua_in_attach(struct sip_leg *leg, nta_incoming_t *irq, bool offered);
/* The same for an INVITE that came just now: sends 100, to the first one only when it was taken. */
void ua_in_begin(struct sip_leg *leg, nta_incoming_t *irq, bool offered);
/* UA_INVITE was delivered, and whoever took it has kept it: from 100 on the caller won't send it again. */
void ua_in_taken(struct sip_leg *leg);
void ua_in_drop(struct sip_leg *leg);

/* --- outgoing.c --- */
/* ACK to the 2xx of leg->out, which is let go. Returns 0, or -errno for a description that can't be written.
 */
int ua_ack_send(struct sip_leg *leg, const struct media_description *sdp);
/* ACK to a 2xx that came again, to the INVITE of ours with this CSeq. */
void ua_ack_again(struct sip_leg *leg, uint32_t cseq);
/* First 2xx to the leg's INVITE. msg stays the caller's. */
void ua_answered(struct sip_leg *leg, msg_t *msg, const sip_t *sip);
/* Lets go of the client INVITE that may be under way. */
void ua_out_drop(struct sip_leg *leg);

/* --- dialog.c --- */
nta_request_f ua_on_dialog_request;
nta_response_f ua_on_reinvite_response;
void ua_bye_send(struct sip_leg *leg);
/* Value of a Reason header (RFC 3326): why we end the leg; empty where nobody said. */
void ua_reason_text(const struct sip_leg *leg, char out[static UA_REASON_BYTES]);

/* --- restore.c --- */
/* Makes the dialog anew with what leg->local and leg->remote say, its next request having this CSeq + 1.
 * Returns 0, or -errno with the dialog as it was. */
int ua_dialog_renew(struct sip_leg *leg, uint32_t cseq);

/* --- stray.c --- */
int ua_stray_expect(struct sip_leg *leg);
void ua_stray_forget(struct sip_leg *leg);
/* A response that belongs to no transaction of this process; takes msg over. */
void ua_stray(struct ua *ua, msg_t *msg, sip_t *sip);

/* --- challenge.c --- */
/* Makes leg->authorization for a 401 or 407 to a request of this leg. False: it can't or mustn't be answered.
 */
bool ua_challenge_answer(struct sip_leg *leg, nta_outgoing_t *orq, const sip_t *sip, const char *method);

#endif
