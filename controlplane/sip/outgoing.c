/* INVITEs of ours, up to the ACK. */
#include "controlplane/sip/agent.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/log.h"
#include "controlplane/sip/legal.h"

#define HEADERS_BYTES (UA_HEADERS_MAX * 256)
#define USER_BYTES    192

static int refuse(char *why, size_t why_bytes, const char *what)
{
	snprintf(why, why_bytes, "%s", what);
	return -EINVAL;
}

/* The X- headers as lines. */
static int join_headers(struct sip_leg *leg, const struct ua_invite *invite, char *why, size_t why_bytes)
{
	char lines[HEADERS_BYTES];
	size_t used = 0;
	if (invite->headers > UA_HEADERS_MAX)
		return refuse(why, why_bytes, "more than 16 headers");
	for (int i = 0; i < invite->headers; i++) {
		const struct ua_header *h = &invite->header[i];
		if (!legal_header_name(h->name) || !legal_header_value(h->value))
			return refuse(why, why_bytes, "a header that is not X-name and one line of text");
		int n = snprintf(lines + used, sizeof(lines) - used, "%s: %s\r\n", h->name, h->value);
		if (n < 0 || (size_t)n >= sizeof(lines) - used)
			return refuse(why, why_bytes, "headers of more than 4096 bytes");
		used += (size_t)n;
	}
	if (used)
		leg->headers = su_strdup(leg->home, lines);
	return used && !leg->headers ? -ENOMEM : 0;
}

static sip_from_t *make_from(struct sip_leg *leg, const struct ua_invite *invite, char *why, size_t why_bytes)
{
	char user[USER_BYTES], tag[UA_TAG_BYTES];
	const char *display = invite->from_display, *host = ua_listen_of(leg)->udp->m_url->url_host;
	if (!invite->from_user || legal_user(invite->from_user, user, sizeof(user))) {
		refuse(why, why_bytes, "a caller id that is no user part of a URI");
		return NULL;
	}
	if (display && !legal_quoted(display)) {
		refuse(why, why_bytes, "a caller's name with quotes, backslashes or control characters");
		return NULL;
	}
	/* RFC 3323 4.1.1.3 */
	bool anonymous = !strcasecmp(user, "anonymous");
	if (anonymous) {
		display = "Anonymous";
		host = "anonymous.invalid";
	}
	if (ua_random_text(tag))
		return NULL;
	char *text = display && *display
			     ? su_sprintf(leg->home, "\"%s\" <sip:%s@%s>;tag=%s", display, user, host, tag)
			     : su_sprintf(leg->home, "<sip:%s@%s>;tag=%s", user, host, tag);
	sip_from_t *from = text ? sip_from_make(leg->home, text) : NULL;
	if (!from)
		refuse(why, why_bytes, "a caller id that makes no From header");
	else
		leg->local_tag = from->a_tag;
	return from;
}

static int make_dialog(struct sip_leg *leg, const struct ua_invite *invite, char *why, size_t why_bytes)
{
	char id[UA_TAG_BYTES];
	sip_from_t *from = make_from(leg, invite, why, why_bytes);
	if (!from)
		return -EINVAL;
	sip_to_t *to = sip_to_make(
		leg->home, su_sprintf(leg->home, "<%.*s>", (int)strcspn(leg->to, ";"), leg->to));
	if (!to)
		return refuse(why, why_bytes, "a target that makes no To header");
	if (ua_random_text(id))
		return -EIO;
	leg->call_id = su_sprintf(leg->home, "%s@%s", id, ua_listen_of(leg)->udp->m_url->url_host);
	uint32_t seq;
	if (ua_leg_identify(leg, &seq))
		return -EIO;
	sip_cseq_t *cseq = sip_cseq_create(leg->home, seq, SIP_METHOD_INVITE);
	leg->invite_cseq = seq + 1; /* the stack counts up before it sends */
	leg->local = sip_header_as_string(leg->home, (sip_header_t *)from);
	leg->remote = sip_header_as_string(leg->home, (sip_header_t *)to);
	leg->dialog = nta_leg_tcreate(ua_listen_of(leg)->agent, ua_on_dialog_request, leg,
		SIPTAG_CALL_ID_STR(leg->call_id), SIPTAG_FROM(from), SIPTAG_TO(to), SIPTAG_CSEQ(cseq),
		TAG_END());
	return leg->dialog && leg->call_id && cseq && leg->local && leg->remote ? 0 : -ENOMEM;
}

static int fill(struct sip_leg *leg, const struct ua_invite *invite, char *why, size_t why_bytes)
{
	char body[SDP_WRITE_BYTES];
	if (!invite->target || !legal_target(invite->target))
		return refuse(why, why_bytes, "a target that is no plain sip: URI");
	if (invite->to_uri && !legal_target(invite->to_uri))
		return refuse(why, why_bytes, "a To that is no plain sip: URI");
	if (invite->username && !legal_quoted(invite->username))
		return refuse(why, why_bytes, "a user name with quotes, backslashes or control characters");
	if (invite->sdp && sdp_write(invite->sdp, body, sizeof(body)) < 0)
		return refuse(why, why_bytes, "an offer without a codec");
	leg->target = su_strdup(leg->home, invite->target);
	leg->to = su_strdup(leg->home, invite->to_uri ? invite->to_uri : invite->target);
	if (invite->username && invite->password) {
		leg->username = su_strdup(leg->home, invite->username);
		leg->password = su_strdup(leg->home, invite->password);
	}
	if (!leg->target || !leg->to)
		return -ENOMEM;
	leg->tcp = strcasestr(leg->target, ";transport=tcp") != NULL;
	leg->offered = invite->sdp != NULL;
	if (invite->sdp)
		leg->offer = *invite->sdp;
	int rc = join_headers(leg, invite, why, why_bytes);
	return rc ? rc : make_dialog(leg, invite, why, why_bytes);
}

int ua_prepare(struct ua *ua, const struct ua_invite *invite, ua_leg *number, char *why, size_t why_bytes)
{
	struct sip_leg *leg = ua_leg_new(ua);
	snprintf(why, why_bytes, "out of memory");
	if (!leg)
		return -ENOMEM;
	leg->state = SIP_LEG_PREPARED;
	leg->outgoing = true;
	int rc = fill(leg, invite, why, why_bytes);
	if (rc) {
		nta_leg_destroy(leg->dialog);
		ua_leg_free(leg);
		return rc;
	}
	if (why_bytes)
		*why = '\0';
	*number = leg->number;
	return 0;
}

static void failed(struct sip_leg *leg, int status, const sip_t *sip, const char *reason)
{
	struct event_entry *e = ua_event_add(leg, UA_FAILED);
	ua_event_reason(e, sip);
	e->event.status = status;
	e->event.local = !sip || nta_sip_is_internal(sip);
	if (reason)
		e->event.reason = reason;
	ua_leg_over(leg);
}

static int on_invite_response(struct sip_leg *leg, nta_outgoing_t *orq, const sip_t *sip);

static int send_invite(struct sip_leg *leg)
{
	char body[SDP_WRITE_BYTES], branch[UA_BRANCH_BYTES];
	if (leg->offered && ua_sdp_text(leg, &leg->offer, body))
		return -EINVAL;
	leg->attempt++;
	leg->out_authorized = leg->authorization != NULL;
	leg->out = nta_outgoing_tcreate(leg->dialog, on_invite_response, leg, NULL, SIP_METHOD_INVITE,
		(url_string_t *)leg->target, NTATAG_BRANCH_KEY(ua_next_branch(leg, branch)),
		SIPTAG_CONTACT(ua_contact(leg)), SIPTAG_ALLOW(leg->ua->allow), SIPTAG_SUPPORTED_STR(""),
		SIPTAG_USER_AGENT_STR(ua_server()), TAG_IF(leg->headers, SIPTAG_HEADER_STR(leg->headers)),
		TAG_IF(leg->authorization && !leg->authorization_proxy,
			SIPTAG_AUTHORIZATION_STR(leg->authorization)),
		TAG_IF(leg->authorization && leg->authorization_proxy,
			SIPTAG_PROXY_AUTHORIZATION_STR(leg->authorization)),
		TAG_IF(leg->offered, SIPTAG_CONTENT_TYPE_STR("application/sdp")),
		TAG_IF(leg->offered, SIPTAG_PAYLOAD_STR(body)), TAG_END());
	if (!leg->out)
		return -EIO;
	leg->invite_cseq = nta_leg_get_seq(leg->dialog);
	leg->state = SIP_LEG_CALLING;
	return 0;
}

/* The stack keeps it back until a provisional response is there (RFC 3261 9.1). */
static void send_cancel(struct sip_leg *leg)
{
	char reason[UA_REASON_BYTES];
	ua_reason_text(leg, reason);
	nta_outgoing_tcancel(leg->out, NULL, NULL, TAG_IF(*reason, SIPTAG_REASON_STR(reason)),
		SIPTAG_USER_AGENT_STR(ua_server()), TAG_END());
}

int ua_send(struct ua *ua, ua_leg number)
{
	struct sip_leg *leg = ua_leg_find(ua, number);
	if (!leg || leg->state == SIP_LEG_OVER)
		return -ENOENT;
	if (leg->restored && leg->state == SIP_LEG_ANSWERED && !leg->told_answer)
		return 0; /* the INVITE that left before is answered: no need to repeat it */
	if (leg->state != SIP_LEG_PREPARED)
		return -EALREADY;
	if (send_invite(leg))
		failed(leg, 503, NULL, "the INVITE could not be made");
	else if (leg->cancelled)
		send_cancel(leg);
	return 0;
}

/* body: SDP text, or NULL. The INVITE's branch has further 2xx of it answered with this ACK by the stack. */
static void send_ack(struct sip_leg *leg, uint32_t invite_cseq, const char *body)
{
	char branch[UA_BRANCH_BYTES];
	sip_cseq_t cseq[1];
	sip_cseq_init(cseq);
	cseq->cs_seq = invite_cseq;
	cseq->cs_method = sip_method_ack;
	cseq->cs_method_name = "ACK";
	snprintf(branch, sizeof(branch), "%s.%u", leg->branch, invite_cseq);
	nta_outgoing_t *ack = nta_outgoing_tcreate(leg->dialog, NULL, NULL, NULL, SIP_METHOD_ACK, NULL,
		SIPTAG_CSEQ(cseq), NTATAG_ACK_BRANCH(branch), SIPTAG_USER_AGENT_STR(ua_server()),
		TAG_IF(leg->out_authorized && !leg->authorization_proxy,
			SIPTAG_AUTHORIZATION_STR(leg->authorization)),
		TAG_IF(leg->out_authorized && leg->authorization_proxy,
			SIPTAG_PROXY_AUTHORIZATION_STR(leg->authorization)),
		TAG_IF(body, SIPTAG_CONTENT_TYPE_STR("application/sdp")),
		TAG_IF(body, SIPTAG_PAYLOAD_STR(body)), TAG_END());
	nta_outgoing_destroy(ack);
	if (!ack)
		log_warn(sip, NULL, "ack-failed", "call_id=%s", log_quote(leg->call_id));
}

int ua_ack_send(struct sip_leg *leg, const struct media_description *sdp)
{
	char body[SDP_WRITE_BYTES];
	int rc = sdp ? ua_sdp_text(leg, sdp, body) : 0;
	if (rc)
		return rc;
	send_ack(leg, leg->invite_cseq, sdp ? body : NULL);
	nta_outgoing_destroy(leg->out);
	leg->out = NULL;
	return 0;
}

void ua_ack_again(struct sip_leg *leg, uint32_t cseq)
{
	char body[SDP_WRITE_BYTES];
	/* The answer of a late offer: each ACK to it is the same (RFC 3261 13.2.2.4). */
	bool answer = leg->outgoing && !leg->offered && cseq == leg->invite_cseq && leg->sent_any &&
		      !ua_sdp_text(leg, &leg->sent, body);
	send_ack(leg, cseq, answer ? body : NULL);
}

/* The answer came although we had given the call up. */
static void end_crossed(struct sip_leg *leg, const sip_t *sip)
{
	struct event_entry *e = ua_event_add(leg, UA_FAILED);
	ua_event_reason(e, sip);
	e->event.status = 200;
	e->event.crossed = true;
	ua_bye_send(leg);
}

static void crossed(struct sip_leg *leg, const sip_t *sip)
{
	ua_ack_send(leg, NULL);
	end_crossed(leg, sip);
}

/* The dialog as the UAC has it (RFC 3261 12.1.2). */
void ua_answered(struct sip_leg *leg, msg_t *msg, const sip_t *sip)
{
	leg->peer = ua_source(msg);
	ua_welcome(leg);
	const char *remote = sip_header_as_string(leg->home, (sip_header_t *)sip->sip_to);
	if (remote)
		leg->remote = remote;
	if (sip->sip_to->a_tag)
		nta_leg_rtag(leg->dialog, sip->sip_to->a_tag);
	const sip_contact_t *contact = sip->sip_contact;
	if (!contact)
		contact = sip_contact_make(leg->home, su_sprintf(leg->home, "<%s>", leg->target));
	nta_leg_client_route(leg->dialog, sip->sip_record_route, contact);
	leg->state = SIP_LEG_ANSWERED;
	if (leg->cancelled) {
		crossed(leg, sip);
		return;
	}
	struct event_entry *e = ua_event_add(leg, UA_ANSWERED);
	ua_event_reason(e, sip);
	ua_event_sdp(e, sip);
}

static bool tried_again(struct sip_leg *leg, nta_outgoing_t *orq, const sip_t *sip, int status)
{
	if ((status != 401 && status != 407) || leg->attempt > 1 || leg->cancelled)
		return false;
	if (!ua_challenge_answer(leg, orq, sip, "INVITE"))
		return false;
	nta_outgoing_destroy(orq);
	leg->out = NULL;
	return !send_invite(leg);
}

static int on_invite_response(struct sip_leg *leg, nta_outgoing_t *orq, const sip_t *sip)
{
	int status = sip && sip->sip_status ? sip->sip_status->st_status : 408;
	if (!leg || orq != leg->out || leg->state != SIP_LEG_CALLING)
		return 0;
	if (status <= 100)
		return 0;
	if (status < 200) {
		struct event_entry *e = ua_event_add(leg, UA_PROGRESS);
		ua_event_reason(e, sip);
		ua_event_sdp(e, sip);
	} else if (status < 300) {
		msg_t *msg = nta_outgoing_getresponse(orq);
		ua_answered(leg, msg, sip);
		msg_destroy(msg);
	} else if (!tried_again(leg, orq, sip, status)) {
		failed(leg, status, sip, NULL);
	}
	return 0;
}

int ua_ack(struct ua *ua, ua_leg number, const struct media_description *sdp)
{
	struct sip_leg *leg = ua_leg_find(ua, number);
	if (!leg || leg->state == SIP_LEG_OVER)
		return -ENOENT;
	if (leg->state != SIP_LEG_ANSWERED)
		return -EALREADY;
	int rc = ua_ack_send(leg, sdp);
	if (!rc)
		leg->state = SIP_LEG_UP;
	return rc;
}

int ua_cancel(struct ua *ua, ua_leg number)
{
	struct sip_leg *leg = ua_leg_find(ua, number);
	if (!leg || leg->state == SIP_LEG_OVER)
		return -ENOENT;
	if (!leg->outgoing)
		return -EINVAL;
	if (leg->restored && leg->state == SIP_LEG_PREPARED) {
		/* It may have left: only with an answer to it, ours or the dead process's, may CANCEL go. */
		leg->cancelled = true;
		return ua_send(ua, number);
	}
	if (leg->restored && leg->state == SIP_LEG_UP && leg->cancelled) {
		end_crossed(leg, NULL);
		return 0;
	}
	if (leg->cancelled)
		return -EALREADY;
	switch (leg->state) {
	case SIP_LEG_PREPARED:
		failed(leg, 487, NULL, "given up before it was sent");
		return 0;
	case SIP_LEG_CALLING:
		leg->cancelled = true;
		send_cancel(leg);
		return 0;
	case SIP_LEG_ANSWERED:
		if (leg->told_answer)
			return -EALREADY;
		leg->cancelled = true; /* UA_ANSWERED, still queued, is not delivered */
		crossed(leg, NULL);
		return 0;
	default:
		return -EALREADY;
	}
}

void ua_out_drop(struct sip_leg *leg)
{
	nta_outgoing_t *orq = leg->out;
	if (!orq)
		return;
	leg->out = NULL;
	/* Left alone, a transaction that gets no final answer would stay for ever. */
	if (nta_outgoing_status(orq) < 200 && !leg->cancelled)
		nta_outgoing_tcancel(orq, NULL, NULL, TAG_END());
	nta_outgoing_destroy(orq);
}
