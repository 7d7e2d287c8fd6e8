/* A leg that another process left, made again from what state.c wrote there. */
#include "controlplane/sip/agent.h"

#include <errno.h>
#include <string.h>

#include <sofia-sip/sip_util.h>
#include <sofia-sip/tport.h>

#include "controlplane/sip/saved.h"

/* The dead process may have sent requests after its last word: ours begin beyond them. Gaps are no error
 * (RFC 3261 12.2.2). */
#define CSEQ_GAP 100
#define CSEQ_MAX 0x7fffffffu

static bool is_established(const struct saved *s)
{
	return s->state != SAVED_PREPARED && s->state != SAVED_CALLING;
}

/* The number before that of the next request. */
static uint32_t cseq_of(const struct saved *s)
{
	switch (s->state) {
	case SAVED_PREPARED:
	case SAVED_CALLING:
		return s->invite_cseq - 1; /* the INVITE once more, as a retransmission */
	case SAVED_ENDING:
		return s->cseq_local - 1; /* the BYE likewise */
	default:
		return s->cseq_local < CSEQ_MAX - CSEQ_GAP ? s->cseq_local + CSEQ_GAP : s->cseq_local;
	}
}

static nta_leg_t *make_dialog(struct sip_leg *leg, uint32_t cseq, uint32_t rseq, const sip_route_t *route)
{
	su_home_t home[1] = {SU_HOME_INIT(home)};
	su_home_init(home);
	sip_from_t *from = sip_from_make(home, leg->local);
	sip_to_t *to = sip_to_make(home, leg->remote);
	sip_cseq_t *seq = sip_cseq_create(home, cseq, SIP_METHOD_INVITE);
	nta_leg_t *dialog = NULL;
	if (from && to && seq && from->a_tag && !strcmp(from->a_tag, leg->local_tag))
		dialog = nta_leg_tcreate(ua_listen_of(leg)->agent, ua_on_dialog_request, leg,
			SIPTAG_CALL_ID_STR(leg->call_id), SIPTAG_FROM(from), SIPTAG_TO(to), SIPTAG_CSEQ(seq),
			NTATAG_REMOTE_CSEQ(rseq), TAG_IF(route, SIPTAG_ROUTE(route)), TAG_END());
	su_home_deinit(home);
	return dialog;
}

int ua_dialog_renew(struct sip_leg *leg, uint32_t cseq)
{
	nta_leg_t *dialog = make_dialog(leg, cseq, nta_leg_get_rseq(leg->dialog), NULL);
	if (!dialog)
		return -ENOMEM;
	nta_leg_destroy(leg->dialog);
	leg->dialog = dialog;
	return 0;
}

/* The stack reads some that RFC 3261 doesn't know, and that it writes otherwise (sip:host/path). */
static bool is_sip(const url_t *url)
{
	return (url->url_type == url_sip || url->url_type == url_sips) && url->url_host && !url->url_path;
}

static int restore_route(su_home_t *home, const struct saved *s, sip_route_t **route)
{
	sip_route_t **end = route;
	*route = NULL;
	for (int i = 0; i < s->routes; i++) {
		*end = sip_route_make(home, s->route[i]);
		if (!*end || (*end)->r_next || !is_sip((*end)->r_url))
			return -EINVAL;
		end = &(*end)->r_next;
	}
	return 0;
}

/* To, as the request had it: the tag came with an answer that will come again. */
static const char *without_tag(su_home_t *home, const char *remote)
{
	sip_to_t *to = sip_to_make(home, remote);
	if (!to || !to->a_tag)
		return to ? remote : NULL;
	msg_header_remove_param(to->a_common, "tag");
	return sip_header_as_string(home, (sip_header_t *)to);
}

/* A dialog that there can be, and that isn't there yet. */
static bool is_new(struct sip_leg *leg)
{
	sip_call_id_t *id = sip_call_id_make(leg->home, leg->call_id);
	sip_to_t *to = sip_to_make(leg->home, leg->remote);
	return id && to && (!to->a_tag || *to->a_tag) &&
	       !nta_leg_by_dialog(ua_listen_of(leg)->agent, NULL, id, to->a_tag, NULL, leg->local_tag, NULL);
}

static int restore_dialog(struct sip_leg *leg, const struct saved *s)
{
	sip_route_t *route = NULL;
	sip_contact_t *target = NULL;
	if (!is_established(s)) {
		leg->remote = without_tag(leg->home, leg->remote);
	} else if (restore_route(leg->home, s, &route)) {
		return -EINVAL;
	} else if (s->target) {
		target = sip_contact_make(leg->home, s->target);
		if (!target || target->m_next || !is_sip(target->m_url))
			return -EINVAL;
	}
	if (!leg->remote || !is_new(leg))
		return -EINVAL;
	leg->dialog = make_dialog(leg, cseq_of(s), s->cseq_remote, route);
	if (!leg->dialog)
		return -EINVAL;
	/* Without this the stack takes the routes for those of strict routers. */
	if (is_established(s))
		nta_leg_client_route(leg->dialog, NULL, target);
	return 0;
}

static int copy_text(su_home_t *home, const char *from, const char **to)
{
	*to = from ? su_strdup(home, from) : NULL;
	return from && !*to ? -ENOMEM : 0;
}

static int copy_headers(struct sip_leg *leg, const struct saved *s)
{
	leg->headers = NULL;
	for (int i = 0; i < s->headers; i++) {
		leg->headers = su_sprintf(
			leg->home, "%s%s\r\n", leg->headers ? leg->headers : "", s->header[i]);
		if (!leg->headers)
			return -ENOMEM;
	}
	return 0;
}

static int copy_values(struct sip_leg *leg, const struct saved *s)
{
	const char *authorization;
	int rc = copy_text(leg->home, s->call_id, &leg->call_id);
	rc = rc ? rc : copy_text(leg->home, s->local, &leg->local);
	rc = rc ? rc : copy_text(leg->home, s->remote, &leg->remote);
	rc = rc ? rc : copy_text(leg->home, s->local_tag, &leg->local_tag);
	rc = rc ? rc : copy_text(leg->home, s->uri, &leg->target);
	rc = rc ? rc : copy_text(leg->home, s->username, &leg->username);
	rc = rc ? rc : copy_text(leg->home, s->password, &leg->password);
	rc = rc ? rc : copy_text(leg->home, s->realm, &leg->realm);
	rc = rc ? rc : copy_text(leg->home, s->authorization, &authorization);
	rc = rc ? rc : copy_headers(leg, s);
	if (rc)
		return rc;
	leg->authorization = (char *)authorization; /* a copy of ours */
	memcpy(leg->branch, s->branch, strlen(s->branch) + 1);
	leg->restored = true;
	leg->outgoing = s->outgoing;
	leg->tcp = s->tcp;
	leg->peer = s->peer;
	ua_welcome(leg);
	leg->cancelled = s->cancelled;
	leg->authorization_proxy = s->authorization_proxy;
	leg->out_authorized = s->out_authorized;
	leg->bye_challenged = s->state == SAVED_ENDING && s->bye_challenged;
	leg->invite_cseq = s->invite_cseq;
	leg->attempt = s->state == SAVED_CALLING && s->attempt > 0 ? s->attempt - 1 : s->attempt;
	leg->offered = s->offered;
	leg->offer = s->offer;
	leg->sent_any = s->sent_any;
	leg->sent = s->sent;
	return 0;
}

static enum sip_leg_state leg_state(const struct saved *s)
{
	switch (s->state) {
	case SAVED_INVITED:
		return SIP_LEG_INVITED;
	case SAVED_PREPARED:
	case SAVED_CALLING:
		return SIP_LEG_PREPARED;
	case SAVED_ANSWERED:
		return SIP_LEG_ANSWERED;
	default:
		return SIP_LEG_UP;
	}
}

/* The far end's INVITE as if it had come to this process. NULL: it can't be that of this leg. */
static msg_t *read_message(const struct sip_leg *leg, const struct saved *s)
{
	msg_t *msg = msg_make(sip_default_mclass(), 0, s->invite, (ssize_t)s->invite_len);
	const sip_t *sip = msg ? sip_object(msg) : NULL;
	if (sip && sip->sip_request && sip->sip_request->rq_method == sip_method_invite &&
		!(sip->sip_flags & MSG_FLG_ERROR) && !sip->sip_error && !sip_sanity_check(sip) &&
		sip->sip_via->v_host && sip->sip_cseq->cs_method == sip_method_invite &&
		!strcmp(sip->sip_call_id->i_id, leg->call_id))
		return msg;
	msg_destroy(msg);
	return NULL;
}

static su_sockaddr_t socket_address(const struct tg_addr *a)
{
	su_sockaddr_t s = {.su_sa.sa_family = a->family == TG_FAMILY_IPV6 ? AF_INET6 : AF_INET};
	memcpy(SU_ADDR(&s), a->b, a->family == TG_FAMILY_IPV6 ? 16 : 4);
	return s;
}

/* The server transaction of the INVITE that waits; nothing is sent, not even 100. */
static int restore_invite(struct sip_leg *leg, const struct saved *s)
{
	struct media_description sdp;
	su_sockaddr_t from = socket_address(&s->peer);
	nta_agent_t *agent = ua_listen_of(leg)->agent;
	tport_t *tport = tport_by_protocol(nta_agent_tports(agent), s->tcp ? "tcp" : "udp");
	msg_t *msg = tport ? read_message(leg, s) : NULL;
	if (!msg)
		return -EINVAL;
	sip_t *sip = sip_object(msg);
	bool first = !sip->sip_to->a_tag;
	enum ua_body body = ua_body(sip, &sdp);
	if ((s->state == SAVED_INVITED && !first) || (s->state == SAVED_UP && first) ||
		(leg->outgoing && first) || nta_incoming_find(agent, sip, sip->sip_via)) {
		msg_destroy(msg);
		return -EINVAL;
	}
	msg_set_address(msg, &from, su_sockaddr_size(&from));
	nta_incoming_t *irq = nta_incoming_create(
		agent, leg->dialog, msg, sip, NTATAG_TPORT(tport), TAG_END());
	if (!irq)
		return -ENOMEM;
	nta_incoming_set_params(irq, NTATAG_EXTRA_100(0), TAG_END());
	ua_in_attach(leg, irq, body != UA_BODY_NONE);
	leg->in_first = first;
	/* Nobody answered it, and it may be that nobody knows of it. */
	if (s->state == SAVED_UP)
		ua_event_sdp(ua_event_add(leg, UA_REINVITE), sip);
	return 0;
}

/* Calls of the dead process count as the trunk's. */
static void count(struct sip_leg *leg)
{
	int trunk = leg->outgoing ? -1 : source_find(&leg->ua->source, &leg->peer);
	if (trunk < 0)
		return;
	leg->trunk = trunk;
	source_adopt(&leg->ua->source, trunk);
	leg->ua->incoming++;
}

static int fill(struct sip_leg *leg, const struct saved *s)
{
	leg->state = leg_state(s);
	leg->told_answer = s->state == SAVED_ANSWERED;
	int rc = copy_values(leg, s);
	if (!rc)
		rc = ua_stray_expect(leg);
	if (!rc)
		rc = restore_dialog(leg, s);
	if (!rc && s->invite && s->state != SAVED_ENDING)
		rc = restore_invite(leg, s);
	if (rc)
		return rc;
	count(leg);
	return 0;
}

int ua_restore(struct ua *ua, const json_t *dialog, ua_leg *number)
{
	struct saved saved;
	int rc = saved_read(&saved, dialog);
	struct sip_leg *leg = rc ? NULL : ua_leg_new(ua);
	if (!rc && !leg)
		rc = -ENOMEM;
	if (!rc)
		rc = fill(leg, &saved);
	saved_free(&saved);
	if (rc) {
		if (leg) {
			nta_leg_destroy(leg->dialog);
			ua_leg_free(leg);
		}
		return rc;
	}
	*number = leg->number;
	return 0;
}
