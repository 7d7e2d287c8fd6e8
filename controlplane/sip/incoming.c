/* The server side of INVITEs: the first of a leg, and re-INVITEs once dialog.c has let them pass. */
#include "controlplane/sip/agent.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <sofia-sip/url.h>

#include "base/log.h"

#include "controlplane/sip/legal.h"

/* A little more than the stack's own timer H, for the cases in which it stays silent. */
#define GUARD_MS (UA_T1X64_MS + 2000)

static void not_acked(struct sip_leg *leg)
{
	if (leg->state == SIP_LEG_REFUSED) { /* it was told as often as it may be */
		ua_leg_over(leg);
		return;
	}
	ua_in_drop(leg);
	if (leg->bye_wanted)
		ua_bye_send(leg);
	else
		ua_event_add(leg, UA_NOT_ACKED);
}

static void on_guard(su_root_magic_t *magic, su_timer_t *timer, void *arg)
{
	struct sip_leg *leg = arg;
	if (leg->in_state == SIP_IN_WAIT_ACK)
		not_acked(leg);
}

static void on_ack(struct sip_leg *leg, const sip_t *ack)
{
	bool offered = leg->in_offered;
	if (leg->state == SIP_LEG_REFUSED) {
		ua_leg_over(leg);
		return;
	}
	ua_in_drop(leg);
	struct event_entry *e = ua_event_add(leg, UA_ACKED);
	/* An ACK to an answer has no business with a body (RFC 3261 13.2.1). */
	if (!offered)
		ua_event_sdp(e, ack);
	if (leg->bye_wanted)
		ua_bye_send(leg);
}

static void wait_for_ack(struct sip_leg *leg)
{
	leg->in_state = SIP_IN_WAIT_ACK;
	if (!leg->guard)
		leg->guard = su_timer_create(su_root_task(leg->ua->root), GUARD_MS);
	if (leg->guard)
		su_timer_set_interval(leg->guard, on_guard, leg, GUARD_MS);
}

/* Has the caller been told to wait? It won't send its INVITE again then. */
static bool was_told(const struct sip_leg *leg)
{
	return leg->restored || nta_incoming_status(leg->in) >= 100;
}

/* The first INVITE was refused. A caller that was told to wait before does nothing until it hears of that:
 * the leg stays, and a successor finds it, until it has. One that wasn't asks again. */
static void refused(struct sip_leg *leg, bool told)
{
	if (!told) {
		ua_leg_over(leg);
		return;
	}
	leg->state = SIP_LEG_REFUSED;
	ua_leg_uncount(leg);
	wait_for_ack(leg);
}

static void on_cancel(struct sip_leg *leg, nta_incoming_t *irq, const sip_t *sip)
{
	msg_t *msg = nta_incoming_getrequest_ackcancel(irq);
	struct tg_addr source = ua_source(msg);
	bool allowed = ua_source_allowed(leg, &source);
	msg_destroy(msg);
	if (!allowed) {
		/* Whoever sent it knows the transaction, but isn't its next hop (RFC 3261 22.1). The stack
		 * has answered the CANCEL and tells of no second one: the call then ends by BYE or by time.
		 */
		leg->ua->counters->refused_source++;
		return;
	}
	bool told = was_told(leg);
	nta_incoming_treply(irq, SIP_487_REQUEST_CANCELLED, SIPTAG_SERVER_STR(ua_server()), TAG_END());
	if (!leg->in_first) {
		ua_in_drop(leg); /* a re-INVITE: the session stays as it was */
		return;
	}
	/* UP: its 2xx went out from a process before this one, and never arrived. */
	bool ended = leg->state != SIP_LEG_INVITED;
	ua_event_reason(ua_event_add(leg, ended ? UA_ENDED : UA_CANCELLED), sip);
	if (ended)
		ua_leg_over(leg);
	else
		refused(leg, told);
}

/* ACK or CANCEL of the INVITE in leg->in, or (without a message) the time for the ACK is over. */
static int on_ack_or_cancel(struct sip_leg *leg, nta_incoming_t *irq, const sip_t *sip)
{
	if (!leg || irq != leg->in)
		return 0;
	if (!sip)
		not_acked(leg);
	else if (sip->sip_request && sip->sip_request->rq_method == sip_method_cancel)
		on_cancel(leg, irq, sip);
	else
		on_ack(leg, sip);
	return 0;
}

void ua_in_attach(struct sip_leg *leg, nta_incoming_t *irq, bool offered)
{
	leg->in = irq;
	leg->in_state = SIP_IN_UNANSWERED;
	leg->in_offered = offered;
	leg->in_first = leg->state == SIP_LEG_INVITED;
	nta_incoming_bind(irq, on_ack_or_cancel, leg);
}

void ua_in_begin(struct sip_leg *leg, nta_incoming_t *irq, bool offered)
{
	ua_in_attach(leg, irq, offered);
	if (!leg->in_first)
		nta_incoming_treply(irq, SIP_100_TRYING, TAG_END());
}

void ua_in_taken(struct sip_leg *leg)
{
	if (leg->in && leg->in_first && nta_incoming_status(leg->in) < 100)
		nta_incoming_treply(leg->in, SIP_100_TRYING, TAG_END());
}

void ua_in_drop(struct sip_leg *leg)
{
	nta_incoming_t *irq = leg->in;
	if (!irq)
		return;
	leg->in = NULL;
	leg->in_state = SIP_IN_NONE;
	if (leg->guard)
		su_timer_reset(leg->guard);
	if (nta_incoming_status(irq) < 200)
		nta_incoming_treply(irq, SIP_487_REQUEST_CANCELLED, TAG_END());
	nta_incoming_destroy(irq);
}

static const char *unescaped_user(su_home_t *home, const url_t *url)
{
	if (!url->url_user)
		return "";
	char *user = su_strdup(home, url->url_user);
	if (user)
		url_unescape(user, user);
	return user ? user : "";
}

/* The X- headers; a folded value becomes one line. */
static void copy_headers(struct event_entry *e, const sip_t *sip)
{
	for (const sip_unknown_t *u = sip->sip_unknown; u && e->event.headers < UA_HEADERS_MAX;
		u = u->un_next) {
		if (!u->un_name || !u->un_value || !legal_header_name(u->un_name))
			continue;
		char *value = su_strdup(e->home, u->un_value);
		if (!value)
			return;
		for (char *p = value; *p; p++)
			if ((unsigned char)*p < ' ' || *p == 0x7f)
				*p = ' ';
		e->event.header[e->event.headers++] = (struct ua_header){
			.name = ua_event_text(e, u->un_name), .value = value};
	}
}

static void tell_invite(struct sip_leg *leg, msg_t *msg, const sip_t *sip)
{
	struct event_entry *e = ua_event_add(leg, UA_INVITE);
	struct ua_event *v = &e->event;
	char at[TG_ADDR_PORT_TEXT];
	const su_sockaddr_t *from = msg_addr(msg);
	tg_addr_format_port(&leg->peer, from ? ntohs(from->su_port) : 0, at);
	snprintf(v->source, sizeof(v->source), "%s/%s", at, leg->tcp ? "tcp" : "udp");
	v->call_id = ua_event_text(e, leg->call_id);
	v->from_user = unescaped_user(e->home, sip->sip_from->a_url);
	v->to_user = unescaped_user(e->home, sip->sip_to->a_url);
	v->from_uri = url_as_string(e->home, sip->sip_from->a_url);
	v->to_uri = url_as_string(e->home, sip->sip_to->a_url);
	v->request_uri = url_as_string(e->home, sip->sip_request->rq_url);
	const char *display = sip->sip_from->a_display;
	if (display && *display)
		v->from_display = *display == '"' ? msg_unquote_dup(e->home, display)
						  : ua_event_text(e, display);
	v->trunk = leg->ua->source.trunk[leg->trunk].name;
	copy_headers(e, sip);
	ua_event_sdp(e, sip);
}

/* The dialog as the UAS has it (RFC 3261 12.1.1). */
static int make_dialog(struct sip_leg *leg, const sip_t *sip)
{
	char tag[UA_TAG_BYTES];
	uint32_t seq;
	sip_to_t *local = sip_to_dup(leg->home, sip->sip_to);
	if (!local || ua_random_text(tag) || sip_to_tag(leg->home, local, tag) < 0 ||
		ua_leg_identify(leg, &seq))
		return -ENOMEM;
	sip_cseq_t *cseq = sip_cseq_create(leg->home, seq, SIP_METHOD_INVITE);
	leg->local_tag = local->a_tag;
	leg->local = sip_header_as_string(leg->home, (sip_header_t *)local);
	leg->remote = sip_header_as_string(leg->home, (sip_header_t *)sip->sip_from);
	leg->call_id = su_strdup(leg->home, sip->sip_call_id->i_id);
	leg->dialog = nta_leg_tcreate(ua_listen_of(leg)->agent, ua_on_dialog_request, leg,
		SIPTAG_CALL_ID(sip->sip_call_id), SIPTAG_FROM(local), SIPTAG_TO(sip->sip_from),
		SIPTAG_CSEQ(cseq), NTATAG_REMOTE_CSEQ(sip->sip_cseq->cs_seq), TAG_END());
	if (!leg->dialog || !leg->call_id || !cseq || !leg->local || !leg->remote)
		return -ENOMEM;
	nta_leg_server_route(leg->dialog, sip->sip_record_route, sip->sip_contact);
	return 0;
}

void ua_invite_in(struct ua *ua, msg_t *msg, sip_t *sip, int trunk)
{
	struct sip_leg *leg = ua_leg_new(ua);
	struct media_description sdp;
	if (!leg) {
		source_release(&ua->source, trunk);
		ua->incoming--;
		ua_reply(ua, msg, sip, SIP_503_SERVICE_UNAVAILABLE, SIPTAG_RETRY_AFTER_STR(UA_RETRY_AFTER),
			TAG_END());
		return;
	}
	leg->trunk = trunk;
	leg->state = SIP_LEG_INVITED;
	leg->peer = ua_source(msg);
	leg->tcp = sip->sip_via->v_protocol && !strcasecmp(sip->sip_via->v_protocol, "SIP/2.0/TCP");
	if (make_dialog(leg, sip)) {
		nta_leg_destroy(leg->dialog);
		ua_leg_free(leg);
		ua_reply(ua, msg, sip, SIP_503_SERVICE_UNAVAILABLE, SIPTAG_RETRY_AFTER_STR(UA_RETRY_AFTER),
			TAG_END());
		return;
	}
	nta_incoming_t *irq = nta_incoming_create(ua_listen_of(leg)->agent, leg->dialog, msg, sip, TAG_END());
	if (!irq) {
		nta_leg_destroy(leg->dialog);
		ua_leg_free(leg);
		return;
	}
	ua_in_begin(leg, irq, ua_body(sip, &sdp) != UA_BODY_NONE);
	tell_invite(leg, msg, sip);
}

/* A target refresh takes effect with the 2xx (RFC 3261 12.2.2). */
static void refresh_target(struct sip_leg *leg)
{
	msg_t *msg = nta_incoming_getrequest(leg->in);
	const sip_t *sip = sip_object(msg);
	if (sip && sip->sip_contact)
		nta_leg_server_route(leg->dialog, NULL, sip->sip_contact);
	msg_destroy(msg);
}

/* The ACK came, and the process that it came to died before it said so: it is said now. */
static int acked_before(struct sip_leg *leg, int status)
{
	bool acked = leg->restored && !leg->outgoing && leg->state == SIP_LEG_UP &&
		     leg->in_state == SIP_IN_NONE && status >= 200 && status < 300;
	if (!acked)
		return -EALREADY;
	ua_event_add(leg, UA_ACKED);
	return 0;
}

void ua_warn(struct ua *ua, ua_leg number, int code, const char *text)
{
	struct sip_leg *leg = ua_leg_find(ua, number);
	if (leg)
		leg->warning = su_sprintf(
			leg->home, "%d %s \"%s\"", code, ua_listen_of(leg)->udp->m_url->url_host, text);
}

int ua_respond(
	struct ua *ua, ua_leg number, int status, const char *reason, const struct media_description *sdp)
{
	struct sip_leg *leg = ua_leg_find(ua, number);
	char body[SDP_WRITE_BYTES], why[UA_REASON_BYTES];
	if (!leg || leg->state == SIP_LEG_OVER)
		return -ENOENT;
	if (leg->in_state != SIP_IN_UNANSWERED)
		return acked_before(leg, status);
	bool initial = leg->state == SIP_LEG_INVITED;
	if (status < 100 || status > 699 || (!initial && status < 200) ||
		(reason && !legal_header_value(reason)))
		return -EINVAL;
	/* A 2xx carries our offer or our answer: there is no third case (RFC 3261 13.3.1.4). */
	if (status >= 200 && status < 300 && !sdp)
		return -EINVAL;
	if (status == 100)
		return 0;
	int rc = sdp && status < 300 ? ua_sdp_text(leg, sdp, body) : 0;
	if (rc)
		return rc;
	bool with_body = sdp && status < 300;
	bool told = was_told(leg);
	if (status >= 200 && status < 300 && !initial)
		refresh_target(leg);
	ua_reason_text(leg, why);
	nta_incoming_treply(leg->in, status, reason, SIPTAG_SERVER_STR(ua_server()),
		TAG_IF(status >= 300 && *why, SIPTAG_REASON_STR(why)),
		TAG_IF(status >= 300 && leg->warning, SIPTAG_WARNING_STR(leg->warning)),
		TAG_IF(status < 300, SIPTAG_CONTACT(ua_contact(leg))),
		TAG_IF(status < 300, SIPTAG_ALLOW(ua->allow)),
		TAG_IF(status == 503, SIPTAG_RETRY_AFTER_STR(UA_RETRY_AFTER)),
		TAG_IF(status >= 200 && status < 300, SIPTAG_SUPPORTED_STR("")),
		TAG_IF(with_body, SIPTAG_CONTENT_TYPE_STR("application/sdp")),
		TAG_IF(with_body, SIPTAG_PAYLOAD_STR(body)), TAG_END());
	if (status < 200)
		return 0;
	leg->warning = NULL;
	if (status < 300) {
		leg->state = SIP_LEG_UP;
		wait_for_ack(leg);
	} else if (leg->in_first) {
		refused(leg, told);
	} else {
		ua_in_drop(leg);
	}
	return 0;
}
