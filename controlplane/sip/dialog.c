/* Requests inside dialogs, theirs and ours: BYE and re-INVITE. */
#include "controlplane/sip/agent.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "controlplane/sip/legal.h"

static int reply(struct sip_leg *leg, nta_incoming_t *irq, int status, const char *phrase)
{
	nta_incoming_treply(irq, status, phrase, SIPTAG_SERVER_STR(ua_server()),
		TAG_IF(status == 200, SIPTAG_ALLOW(leg->ua->allow)), TAG_END());
	return status;
}

static int on_bye(struct sip_leg *leg, nta_incoming_t *irq, const sip_t *sip)
{
	struct event_entry *e;
	switch (leg->state) {
	case SIP_LEG_INVITED:
		/* A caller may end its early dialog so (RFC 3261 15). */
		reply(leg, irq, SIP_200_OK);
		e = ua_event_add(leg, UA_CANCELLED);
		break;
	case SIP_LEG_ANSWERED:
		ua_ack_send(leg, NULL);
		reply(leg, irq, SIP_200_OK);
		e = ua_event_add(leg, UA_ENDED);
		break;
	case SIP_LEG_UP:
		reply(leg, irq, SIP_200_OK);
		e = ua_event_add(leg, UA_ENDED);
		break;
	case SIP_LEG_ENDING:
		return reply(leg, irq, SIP_200_OK); /* both hang up at once; ours is answered too */
	default:
		return reply(leg, irq, SIP_481_NO_TRANSACTION);
	}
	ua_event_reason(e, sip);
	ua_leg_over(leg);
	return 200;
}

static int on_reinvite(struct sip_leg *leg, nta_incoming_t *irq, const sip_t *sip)
{
	struct media_description sdp;
	char seconds[8];
	if (leg->state == SIP_LEG_ENDING || leg->state == SIP_LEG_REFUSED || leg->state == SIP_LEG_OVER)
		return reply(leg, irq, SIP_481_NO_TRANSACTION);
	if (leg->out)
		return reply(leg, irq, SIP_491_REQUEST_PENDING);
	if (leg->in_state != SIP_IN_NONE || leg->bye_wanted) {
		snprintf(seconds, sizeof(seconds), "%d", su_randint(0, 10));
		nta_incoming_treply(irq, SIP_500_INTERNAL_SERVER_ERROR, SIPTAG_RETRY_AFTER_STR(seconds),
			SIPTAG_SERVER_STR(ua_server()), TAG_END());
		return 500;
	}
	ua_in_begin(leg, irq, ua_body(sip, &sdp) != UA_BODY_NONE);
	ua_event_sdp(ua_event_add(leg, UA_REINVITE), sip);
	return 0;
}

/* Status that ends the request here; 0 where it goes on. The stack lets go of a transaction that has one. */
static int refused(struct sip_leg *leg, nta_incoming_t *irq, const sip_t *sip)
{
	struct ua_refusal refusal;
	msg_t *msg = nta_incoming_getrequest(irq);
	struct tg_addr source = ua_source(msg);
	bool allowed = ua_source_allowed(leg, &source);
	int status = 0;
	if (!allowed) {
		leg->ua->counters->refused_source++;
		/* The stack sends no 408 but to an INVITE (RFC 4320): the request is dropped. */
		status = sip->sip_request->rq_method == sip_method_invite ? 403 : 408;
	} else if (ua_refuse(leg->ua, msg_home(msg), sip, &refusal)) {
		status = refusal.status;
		nta_incoming_treply(
			irq, status, refusal.phrase, SIPTAG_SERVER_STR(ua_server()), TAG_NEXT(refusal.tags));
	}
	msg_destroy(msg);
	return status;
}

int ua_on_dialog_request(struct sip_leg *leg, nta_leg_t *dialog, nta_incoming_t *irq, const sip_t *sip)
{
	sip_method_t method = sip->sip_request->rq_method;
	if (method == sip_method_ack)
		return 200; /* nothing waits for it; an ACK is never answered */
	int status = refused(leg, irq, sip);
	if (status)
		return status;
	switch (method) {
	case sip_method_invite:
		return on_reinvite(leg, irq, sip);
	case sip_method_bye:
		return on_bye(leg, irq, sip);
	case sip_method_options:
		leg->ua->counters->options++;
		return reply(leg, irq, SIP_200_OK);
	default:
		return reply(leg, irq, SIP_481_NO_TRANSACTION); /* CANCEL of nothing */
	}
}

static int on_bye_response(struct sip_leg *leg, nta_outgoing_t *orq, const sip_t *sip)
{
	int status = sip && sip->sip_status ? sip->sip_status->st_status : 408;
	if (!leg || orq != leg->bye || status < 200)
		return 0;
	if ((status == 401 || status == 407) && !leg->bye_challenged) {
		leg->bye_challenged = true;
		if (ua_challenge_answer(leg, orq, sip, "BYE")) {
			nta_outgoing_destroy(orq);
			leg->bye = NULL;
			ua_bye_send(leg);
			return 0;
		}
	}
	ua_leg_over(leg);
	return 0;
}

void ua_reason_text(const struct sip_leg *leg, char out[static UA_REASON_BYTES])
{
	*out = '\0';
	if (leg->bye_q850 && leg->bye_reason)
		snprintf(out, UA_REASON_BYTES, "Q.850;cause=%d;text=\"%s\"", leg->bye_q850, leg->bye_reason);
	else if (leg->bye_q850)
		snprintf(out, UA_REASON_BYTES, "Q.850;cause=%d", leg->bye_q850);
}

void ua_bye_send(struct sip_leg *leg)
{
	char reason[UA_REASON_BYTES], branch[UA_BRANCH_BYTES];
	bool proxy = leg->authorization_proxy;
	const char *authorization = leg->bye_challenged ? leg->authorization : NULL;
	ua_reason_text(leg, reason);
	ua_out_drop(leg);
	if (leg->retry)
		su_timer_reset(leg->retry);
	leg->state = SIP_LEG_ENDING;
	leg->bye = nta_outgoing_tcreate(leg->dialog, on_bye_response, leg, NULL, SIP_METHOD_BYE, NULL,
		NTATAG_BRANCH_KEY(ua_next_branch(leg, branch)), SIPTAG_USER_AGENT_STR(ua_server()),
		TAG_IF(*reason, SIPTAG_REASON_STR(reason)),
		TAG_IF(authorization && !proxy, SIPTAG_AUTHORIZATION_STR(authorization)),
		TAG_IF(authorization && proxy, SIPTAG_PROXY_AUTHORIZATION_STR(authorization)), TAG_END());
	if (!leg->bye) {
		log_warn(sip, NULL, "bye-failed", "call_id=%s", log_quote(leg->call_id));
		ua_leg_over(leg);
	}
}

static bool set_reason(struct sip_leg *leg, int q850, const char *reason)
{
	if (q850 < 0 || q850 > 127 || (reason && !legal_quoted(reason)))
		return false;
	leg->bye_q850 = q850;
	leg->bye_reason = reason ? su_strndup(leg->home, reason, 128) : NULL;
	return true;
}

int ua_bye(struct ua *ua, ua_leg number, int q850, const char *reason)
{
	struct sip_leg *leg = ua_leg_find(ua, number);
	if (!leg || leg->state == SIP_LEG_OVER)
		return -ENOENT;
	if (leg->state == SIP_LEG_ENDING || leg->bye_wanted)
		return -EALREADY;
	if (leg->state != SIP_LEG_UP && leg->state != SIP_LEG_ANSWERED)
		return -EINVAL;
	if (!set_reason(leg, q850, reason))
		return -EINVAL;
	if (leg->state == SIP_LEG_ANSWERED)
		ua_ack_send(leg, NULL);
	if (leg->in_state == SIP_IN_UNANSWERED)
		ua_in_drop(leg); /* 487 to their re-INVITE */
	if (leg->in_state == SIP_IN_WAIT_ACK)
		leg->bye_wanted = true; /* once the ACK came, or won't (RFC 3261 15) */
	else
		ua_bye_send(leg);
	return 0;
}

int ua_end(struct ua *ua, ua_leg number, int status, int q850, const char *reason)
{
	struct sip_leg *leg = ua_leg_find(ua, number);
	if (!leg || leg->state == SIP_LEG_OVER)
		return -ENOENT;
	if (leg->state == SIP_LEG_UP || leg->state == SIP_LEG_ANSWERED || leg->state == SIP_LEG_ENDING)
		return ua_bye(ua, number, q850, reason);
	if (status < 300 || !set_reason(leg, q850, reason))
		return -EINVAL;
	if (leg->state == SIP_LEG_INVITED || leg->state == SIP_LEG_REFUSED)
		return ua_respond(ua, number, status, NULL, NULL);
	return ua_cancel(ua, number);
}

static int send_reinvite(struct sip_leg *leg)
{
	char body[SDP_WRITE_BYTES], branch[UA_BRANCH_BYTES];
	int rc = ua_sdp_text(leg, &leg->offer, body);
	if (rc)
		return rc;
	bool proxy = leg->authorization_proxy;
	const char *authorization = leg->reinvite_challenged ? leg->authorization : NULL;
	leg->out_authorized = authorization != NULL;
	leg->out = nta_outgoing_tcreate(leg->dialog, ua_on_reinvite_response, leg, NULL, SIP_METHOD_INVITE,
		NULL, NTATAG_BRANCH_KEY(ua_next_branch(leg, branch)), SIPTAG_CONTACT(ua_contact(leg)),
		SIPTAG_ALLOW(leg->ua->allow), SIPTAG_SUPPORTED_STR(""), SIPTAG_USER_AGENT_STR(ua_server()),
		TAG_IF(authorization && !proxy, SIPTAG_AUTHORIZATION_STR(authorization)),
		TAG_IF(authorization && proxy, SIPTAG_PROXY_AUTHORIZATION_STR(authorization)),
		SIPTAG_CONTENT_TYPE_STR("application/sdp"), SIPTAG_PAYLOAD_STR(body), TAG_END());
	leg->invite_cseq = nta_leg_get_seq(leg->dialog);
	return leg->out ? 0 : -EIO;
}

static void reinvite_done(struct sip_leg *leg, int status, const sip_t *sip)
{
	struct event_entry *e = ua_event_add(leg, UA_REINVITE_DONE);
	ua_event_reason(e, sip);
	ua_event_sdp(e, sip);
	e->event.status = status;
}

static void on_retry(su_root_magic_t *magic, su_timer_t *timer, void *arg)
{
	struct sip_leg *leg = arg;
	if (leg->state != SIP_LEG_UP || leg->out)
		return;
	/* Their re-INVITE came first: ours waits for the end of it. */
	if (leg->in_state != SIP_IN_NONE)
		su_timer_set_interval(timer, on_retry, leg, 500);
	else if (send_reinvite(leg))
		reinvite_done(leg, 500, NULL);
}

/* Whoever made the Call-ID waits longer, so that the second try does not collide too (RFC 3261 14.1). */
static bool retry_later(struct sip_leg *leg)
{
	int ms = leg->outgoing ? 2100 + 10 * su_randint(0, 190) : 10 * su_randint(0, 200);
	if (!leg->retry)
		leg->retry = su_timer_create(su_root_task(leg->ua->root), ms);
	return leg->retry && !su_timer_set_interval(leg->retry, on_retry, leg, ms);
}

/* 481: the far end doesn't know the dialog. 408: it doesn't answer, and is told of the end all the same. */
static void dialog_lost(struct sip_leg *leg, int status, const sip_t *sip)
{
	struct event_entry *e = ua_event_add(leg, UA_ENDED);
	ua_event_reason(e, sip);
	e->event.status = status;
	if (status == 408)
		nta_outgoing_tcreate(leg->dialog, NULL, NULL, NULL, SIP_METHOD_BYE, NULL,
			SIPTAG_USER_AGENT_STR(ua_server()), TAG_END());
	ua_leg_over(leg);
}

int ua_on_reinvite_response(struct sip_leg *leg, nta_outgoing_t *orq, const sip_t *sip)
{
	int status = sip && sip->sip_status ? sip->sip_status->st_status : 408;
	if (!leg || orq != leg->out || status < 200)
		return 0;
	if (status < 300) {
		nta_leg_client_route(leg->dialog, NULL, sip->sip_contact);
		ua_ack_send(leg, NULL);
		reinvite_done(leg, status, sip);
		return 0;
	}
	bool challenged = (status == 401 || status == 407) && !leg->reinvite_challenged &&
			  ua_challenge_answer(leg, orq, sip, "INVITE");
	ua_out_drop(leg);
	if (challenged) {
		leg->reinvite_challenged = true;
		if (!send_reinvite(leg))
			return 0;
	}
	if (status == 491 && retry_later(leg))
		return 0;
	if (status == 481 || status == 408)
		dialog_lost(leg, status, sip);
	else
		reinvite_done(leg, status, sip);
	return 0;
}

int ua_reinvite(struct ua *ua, ua_leg number, const struct media_description *sdp)
{
	struct sip_leg *leg = ua_leg_find(ua, number);
	if (!leg || leg->state == SIP_LEG_OVER)
		return -ENOENT;
	if (!sdp || leg->state != SIP_LEG_UP)
		return -EINVAL;
	if (leg->out || leg->in_state != SIP_IN_NONE || leg->bye_wanted || su_timer_is_set(leg->retry))
		return -EBUSY;
	leg->offer = *sdp;
	leg->reinvite_challenged = false;
	return send_reinvite(leg);
}
