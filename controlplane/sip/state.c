/* A leg's dialog as JSON: what another process needs to take it over. */
#include "controlplane/sip/agent.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>
#include <openssl/evp.h>

/* Also where the process before this one sent the 2xx. */
static bool is_unacknowledged(const struct sip_leg *leg)
{
	return leg->in_state == SIP_IN_WAIT_ACK || (leg->in_state == SIP_IN_UNANSWERED && leg->in_first);
}

static const char *state_name(const struct sip_leg *leg)
{
	switch (leg->state) {
	case SIP_LEG_INVITED:
	case SIP_LEG_REFUSED: /* the refusal may be lost: a successor says it once more */
		return "invited";
	case SIP_LEG_PREPARED:
		return "prepared";
	case SIP_LEG_CALLING:
		return "calling";
	case SIP_LEG_ANSWERED:
		/* A handler that has not heard of the answer yet hears of it when the INVITE is repeated. */
		return leg->told_answer ? "answered" : "calling";
	case SIP_LEG_UP:
		return is_unacknowledged(leg) ? "unacknowledged" : "up";
	case SIP_LEG_ENDING:
		return "ending";
	default:
		return "over";
	}
}

/* Text of peers may be no UTF-8: each byte beyond ASCII then stands for itself (Latin-1). */
static json_t *text(const char *s)
{
	json_t *value = json_string(s);
	if (value || !s)
		return value;
	char *utf8 = malloc(2 * strlen(s) + 1), *out = utf8;
	if (!utf8)
		return NULL;
	for (const unsigned char *p = (const unsigned char *)s; *p; p++) {
		if (*p >= 0x80) {
			*out++ = (char)(0xc0 | *p >> 6);
			*out++ = (char)(0x80 | (*p & 0x3f));
		} else {
			*out++ = (char)*p;
		}
	}
	*out = '\0';
	value = json_string(utf8);
	free(utf8);
	return value;
}

/* A header as one line: what a peer folded stays folded in the stack. */
static json_t *line(su_home_t *home, const char *s)
{
	char *flat = su_strdup(home, s);
	for (char *p = flat; p && *p; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = ' ';
	return text(flat);
}

static json_t *header(su_home_t *home, const void *h)
{
	return h ? line(home, sip_header_as_string(home, h)) : json_null();
}

/* The pending INVITE of the far end, byte for byte: its transaction is made again from it. */
static json_t *invite_message(su_home_t *home, const struct sip_leg *leg)
{
	if (!leg->in)
		return json_null();
	msg_t *msg = nta_incoming_getrequest(leg->in);
	size_t len = 0;
	const char *raw = msg ? msg_as_string(home, msg, NULL, 0, &len) : NULL;
	msg_destroy(msg);
	if (!raw || !len)
		return json_null();
	char *encoded = su_alloc(home, (isize_t)(4 * ((len + 2) / 3) + 1));
	if (!encoded)
		return NULL;
	EVP_EncodeBlock((unsigned char *)encoded, (const unsigned char *)raw, (int)len);
	return json_string(encoded);
}

static json_t *description(bool any, const struct media_description *d)
{
	char body[SDP_WRITE_BYTES];
	return any && sdp_write(d, body, sizeof(body)) > 0 ? json_string(body) : json_null();
}

static json_t *optional(const char *s)
{
	return s ? text(s) : json_null();
}

/* leg->headers, line by line. */
static json_t *header_lines(su_home_t *home, const char *headers)
{
	json_t *list = json_array();
	for (const char *p = headers; p && *p; p = strstr(p, "\r\n") + 2)
		json_array_append_new(list, text(su_strndup(home, p, (isize_t)strcspn(p, "\r"))));
	return list;
}

static json_t *routes(su_home_t *home, const sip_route_t *route)
{
	json_t *list = json_array();
	for (; route; route = route->r_next) {
		sip_route_t one = *route;
		one.r_next = NULL;
		json_array_append_new(list, header(home, &one));
	}
	return list;
}

/* In angle brackets: a parameter of the URI must not be taken for one of the header. */
static json_t *remote_target(su_home_t *home, const struct sip_leg *leg, const sip_contact_t *contact)
{
	const char *uri = contact ? url_as_string(home, contact->m_url) : leg->target;
	return uri ? text(su_sprintf(home, "<%s>", uri)) : json_null();
}

/* What is not there, or not so, is left out: whoever reads it takes it for that. */
static int set(json_t *state, const char *name, json_t *value)
{
	if (!json_is_null(value) && !json_is_false(value))
		return json_object_set_new(state, name, value);
	json_decref(value);
	return 0;
}

/* What our INVITE and its credentials were made of. */
static int describe_invite(json_t *state, su_home_t *home, const struct sip_leg *leg)
{
	int rc = 0;
	rc |= set(state, "uri", optional(leg->target));
	rc |= json_object_set_new(state, "headers", header_lines(home, leg->headers));
	rc |= json_object_set_new(state, "invite_cseq", json_integer(leg->invite_cseq));
	rc |= json_object_set_new(state, "attempt", json_integer(leg->attempt));
	rc |= set(state, "cancelled", json_boolean(leg->cancelled));
	rc |= set(state, "offer", description(leg->offered, &leg->offer));
	rc |= set(state, "username", optional(leg->username));
	rc |= set(state, "password", optional(leg->password));
	rc |= set(state, "realm", optional(leg->realm));
	rc |= set(state, "authorization", optional(leg->authorization));
	rc |= set(state, "authorization_proxy", json_boolean(leg->authorization_proxy));
	rc |= set(state, "out_authorized", json_boolean(leg->out_authorized));
	rc |= set(state, "bye_challenged", json_boolean(leg->bye_challenged));
	return rc;
}

static json_t *describe(su_home_t *home, const struct sip_leg *leg)
{
	const sip_route_t *route = NULL;
	const sip_contact_t *target = NULL;
	char peer[TG_ADDR_TEXT];
	json_t *state = json_object();
	nta_leg_get_route(leg->dialog, &route, &target);
	/* Before an answer there is none. */
	tg_addr_format(leg->peer.family ? &leg->peer : &(struct tg_addr){.family = TG_FAMILY_IPV4}, peer);
	int rc = 0;
	rc |= json_object_set_new(state, "state", json_string(state_name(leg)));
	rc |= json_object_set_new(state, "direction", json_string(leg->outgoing ? "out" : "in"));
	rc |= json_object_set_new(state, "transport", json_string(leg->tcp ? "tcp" : "udp"));
	rc |= json_object_set_new(state, "peer", json_string(peer));
	rc |= json_object_set_new(state, "call_id", text(leg->call_id));
	rc |= json_object_set_new(state, "local", line(home, leg->local));
	rc |= json_object_set_new(state, "remote", line(home, leg->remote));
	rc |= json_object_set_new(state, "local_tag", text(leg->local_tag));
	rc |= json_object_set_new(state, "cseq_local", json_integer(nta_leg_get_seq(leg->dialog)));
	rc |= json_object_set_new(state, "cseq_remote", json_integer(nta_leg_get_rseq(leg->dialog)));
	rc |= json_object_set_new(state, "route", routes(home, route));
	rc |= set(state, "target", remote_target(home, leg, target));
	rc |= json_object_set_new(state, "branch", json_string(leg->branch));
	rc |= json_object_set_new(state, "sdp_version", json_integer((json_int_t)leg->sent.session_version));
	rc |= set(state, "sdp", description(leg->sent_any, &leg->sent));
	rc |= set(state, "invite", invite_message(home, leg));
	if (!rc && !describe_invite(state, home, leg))
		return state;
	json_decref(state);
	return NULL;
}

json_t *ua_dialog_state(struct ua *ua, ua_leg number)
{
	const struct sip_leg *leg = ua_leg_find(ua, number);
	if (!leg || leg->state == SIP_LEG_OVER)
		return NULL;
	su_home_t home[1] = {SU_HOME_INIT(home)};
	su_home_init(home);
	json_t *state = describe(home, leg);
	su_home_deinit(home);
	return state;
}
