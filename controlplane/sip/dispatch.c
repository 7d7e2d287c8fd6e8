/* Requests that belong to no dialog. Whatever is refused here is answered without state, so that a flood
 * costs no memory. */
#include "controlplane/sip/agent.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <openssl/evp.h>

#include "base/clock.h"
#include "base/log.h"

#define RETRY_AFTER_RATE "1"

/* A To tag that every retransmission of the request gets again (RFC 3261 8.2.7). */
static void stateless_tag(const struct ua *ua, const sip_t *sip, char out[static UA_TAG_BYTES])
{
	unsigned char digest[EVP_MAX_MD_SIZE] = {0};
	const char *parts[] = {sip->sip_call_id ? sip->sip_call_id->i_id : NULL,
		sip->sip_from ? sip->sip_from->a_tag : NULL, sip->sip_via ? sip->sip_via->v_branch : NULL};
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	if (ctx && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL)) {
		EVP_DigestUpdate(ctx, ua->secret, sizeof(ua->secret));
		for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
			if (parts[i])
				EVP_DigestUpdate(ctx, parts[i], strlen(parts[i]) + 1);
		EVP_DigestFinal_ex(ctx, digest, NULL);
	}
	EVP_MD_CTX_free(ctx);
	for (int i = 0; i < ID_BYTES; i++)
		snprintf(out + 2 * i, 3, "%02x", digest[i]);
}

void ua_reply(struct ua *ua, msg_t *msg, sip_t *sip, int status, const char *phrase, tag_type_t tag,
	tag_value_t value, ...)
{
	char text[UA_TAG_BYTES];
	sip_to_t *to = sip_to_dup(msg_home(msg), sip->sip_to);
	if (to && !to->a_tag) {
		stateless_tag(ua, sip, text);
		sip_to_tag(msg_home(msg), to, text);
	}
	struct tg_addr source = ua_source(msg);
	ta_list ta;
	ta_start(ta, tag, value);
	nta_msg_treply(ua_listen_at(ua, source.family)->agent, msg, status, phrase, SIPTAG_TO(to),
		SIPTAG_SERVER_STR(ua_server()), ta_tags(ta));
	ta_end(ta);
}

bool ua_source_allowed(const struct sip_leg *leg, const struct tg_addr *source)
{
	return tg_addr_equal(source, &leg->peer) || source_find(&leg->ua->source, source) >= 0;
}

static bool has_to_tag(const sip_t *sip)
{
	return sip->sip_to && sip->sip_to->a_tag;
}

static void refuse_with(struct ua_refusal *r, int status, const char *phrase)
{
	*r = (struct ua_refusal){.status = status, .phrase = phrase, .tags = {{TAG_END()}}};
}

/* Options that a request demands; we have none (RFC 3261 8.2.2.3). */
static bool refuse_require(su_home_t *home, const sip_t *sip, struct ua_refusal *r)
{
	if (!sip->sip_require || !sip->sip_require->k_items || !sip->sip_require->k_items[0])
		return false;
	sip_unsupported_t *unsupported = NULL;
	for (const msg_param_t *p = sip->sip_require->k_items; *p; p++) {
		if (!unsupported)
			unsupported = sip_unsupported_make(home, *p);
		else
			msg_params_add((su_home_t *)home, (msg_param_t **)&unsupported->k_items, *p);
	}
	refuse_with(r, SIP_420_BAD_EXTENSION);
	if (unsupported) {
		r->tags[0] = (tagi_t){SIPTAG_UNSUPPORTED(unsupported)};
		r->tags[1] = (tagi_t){TAG_END()};
	}
	return true;
}

/* Our answer has an SDP body: is it welcome? (RFC 3261 20.1) */
static bool accepts_sdp(const sip_accept_t *accept)
{
	for (const sip_accept_t *a = accept; a; a = a->ac_next)
		if (a->ac_type &&
			(!strcasecmp(a->ac_type, "application/sdp") ||
				!strcasecmp(a->ac_type, "application/*") || !strcmp(a->ac_type, "*/*")))
			return true;
	return !accept;
}

/* Where are requests to go? A client of RFC 2543, known by its branch, may leave that to its From. */
static bool has_target(const sip_t *sip)
{
	const char *branch = sip->sip_via->v_branch;
	if (sip->sip_contact)
		return sip->sip_contact->m_url->url_type == url_sip;
	return !branch || strncasecmp(branch, "z9hG4bK", 7);
}

/* "%00" would end the text early once it is unescaped: what is compared would not be what came. */
static bool has_nul(const url_t *url)
{
	return url->url_user && strstr(url->url_user, "%00");
}

bool ua_refuse(struct ua *ua, su_home_t *home, const sip_t *sip, struct ua_refusal *r)
{
	struct media_description sdp;
	const sip_request_t *rq = sip->sip_request;
	switch (rq->rq_method) {
	case sip_method_invite:
	case sip_method_options:
	case sip_method_bye:
	case sip_method_cancel:
		break;
	default:
		refuse_with(r, SIP_405_METHOD_NOT_ALLOWED);
		r->tags[0] = (tagi_t){SIPTAG_ALLOW(ua->allow)};
		r->tags[1] = (tagi_t){TAG_END()};
		return true;
	}
	if (rq->rq_url->url_type != url_sip && rq->rq_url->url_type != url_tel) {
		refuse_with(r, SIP_416_UNSUPPORTED_URI);
		return true;
	}
	if (rq->rq_method == sip_method_cancel)
		return false;
	if (refuse_require(home, sip, r))
		return true;
	if (rq->rq_method != sip_method_invite)
		return false;
	if (has_nul(rq->rq_url) || has_nul(sip->sip_from->a_url) || has_nul(sip->sip_to->a_url)) {
		refuse_with(r, 400, "Bad User Part");
		return true;
	}
	/* We may send the call on, as a proxy would; another request ends here (RFC 3261 16.3, RFC 7332). */
	if (sip->sip_max_forwards && sip->sip_max_forwards->mf_count == 0) {
		refuse_with(r, SIP_483_TOO_MANY_HOPS);
		return true;
	}
	if (!has_target(sip)) {
		refuse_with(r, 400, "Missing or bad Contact");
		return true;
	}
	if (!accepts_sdp(sip->sip_accept)) {
		refuse_with(r, SIP_406_NOT_ACCEPTABLE);
		return true;
	}
	if (ua_body(sip, &sdp) == UA_BODY_UNSUPPORTED) {
		refuse_with(r, SIP_415_UNSUPPORTED_MEDIA);
		r->tags[0] = (tagi_t){SIPTAG_ACCEPT(ua->accept)};
		r->tags[1] = (tagi_t){SIPTAG_ACCEPT_ENCODING_STR("identity")};
		r->tags[2] = (tagi_t){TAG_END()};
		return true;
	}
	return false;
}

static void unavailable(struct ua *ua, msg_t *msg, sip_t *sip, const char *retry_after)
{
	ua_reply(ua, msg, sip, SIP_503_SERVICE_UNAVAILABLE, SIPTAG_RETRY_AFTER_STR(retry_after), TAG_END());
}

static void on_invite(struct ua *ua, msg_t *msg, sip_t *sip, int trunk)
{
	if (ua->draining || ua->incoming >= ua->max_sessions) {
		ua->counters->refused_limit++;
		unavailable(ua, msg, sip, UA_RETRY_AFTER);
		return;
	}
	switch (source_admit(&ua->source, trunk, clock_mono_ns())) {
	case SOURCE_RATE:
		ua->counters->refused_rate++;
		unavailable(ua, msg, sip, RETRY_AFTER_RATE);
		return;
	case SOURCE_LIMIT:
		ua->counters->refused_limit++;
		unavailable(ua, msg, sip, UA_RETRY_AFTER);
		return;
	case SOURCE_ADMITTED:
		ua->incoming++;
		ua_invite_in(ua, msg, sip, trunk);
		return;
	}
}

/* At most once a second: whoever wants to may send such calls, and must not fill the log with them. */
static void tell_of_stranger(struct ua *ua, msg_t *msg, uint64_t now_ns)
{
	char text[TG_ADDR_TEXT];
	struct tg_addr address = ua_source(msg);
	tg_addr_format(&address, text);
	log_info(sip, NULL, "call-refused", "source=%s reason=\"no trunk has this address\" calls=%llu", text,
		(unsigned long long)ua->strangers_calls);
	ua->stranger_told_ns = now_ns;
	ua->strangers_calls = 0;
}

static void on_stranger(struct ua *ua, msg_t *msg, sip_t *sip)
{
	ua->counters->refused_source++;
	if (sip->sip_request->rq_method != sip_method_invite) {
		msg_destroy(msg);
		return;
	}
	ua->strangers_calls++;
	uint64_t now = clock_mono_ns();
	if (!ua->stranger_told_ns || now - ua->stranger_told_ns >= CLOCK_NS_PER_S)
		tell_of_stranger(ua, msg, now);
	ua_reply(ua, msg, sip, SIP_403_FORBIDDEN, TAG_END());
}

static void on_request(struct ua *ua, msg_t *msg, sip_t *sip)
{
	sip_method_t method = sip->sip_request->rq_method;
	struct tg_addr source = ua_source(msg);
	int trunk = source_find(&ua->source, &source);
	struct ua_refusal refusal;
	if (method == sip_method_ack) {
		/* To an answer that was given without state. */
		msg_destroy(msg);
		return;
	}
	if (trunk < 0) {
		on_stranger(ua, msg, sip);
		return;
	}
	if (ua_refuse(ua, msg_home(msg), sip, &refusal)) {
		if (refusal.status == 400)
			ua->malformed++;
		ua_reply(ua, msg, sip, refusal.status, refusal.phrase, TAG_NEXT(refusal.tags));
		return;
	}
	if (method == sip_method_cancel || method == sip_method_bye || has_to_tag(sip)) {
		ua_reply(ua, msg, sip, SIP_481_NO_TRANSACTION, TAG_END());
		return;
	}
	if (method == sip_method_options) {
		ua->counters->options++;
		ua_reply(ua, msg, sip, SIP_200_OK, SIPTAG_ALLOW(ua->allow), SIPTAG_ACCEPT(ua->accept),
			SIPTAG_ACCEPT_ENCODING_STR("identity"), SIPTAG_SUPPORTED_STR(""), TAG_END());
		return;
	}
	on_invite(ua, msg, sip, trunk);
}

int ua_on_message(struct ua *ua, nta_agent_t *agent, msg_t *msg, sip_t *sip)
{
	if (sip && sip->sip_request)
		on_request(ua, msg, sip);
	else
		ua_stray(ua, msg, sip);
	return 0;
}
