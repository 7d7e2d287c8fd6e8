#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "controlplane/calls/engine_private.h"

/* Where a number is sent: the first trunk that takes calls. */
static const struct settings_trunk *trunk_out(const struct settings *settings)
{
	for (int i = 0; i < settings->trunks; i++)
		if (settings->trunk[i].target[0])
			return &settings->trunk[i];
	return NULL;
}

static int target_of(struct engine *e, struct leg *l)
{
	if (!strncmp(l->target, "sip:", 4))
		return 0;
	const struct settings_trunk *trunk = trunk_out(e->settings);
	if (!trunk)
		return -ENOENT;
	char uri[LEG_TEXT_BYTES];
	if (snprintf(uri, sizeof(uri), "sip:%s@%s", l->target, trunk->target) >= (int)sizeof(uri))
		return -ENAMETOOLONG;
	snprintf(l->target, sizeof(l->target), "%s", uri);
	snprintf(l->trunk, sizeof(l->trunk), "%s", trunk->name);
	return 0;
}

/* Family of the host in "sip:user@host", "host:port" and the like; NONE: a name. */
static enum tg_family family_of_host(const char *target)
{
	const char *at = strchr(target, '@');
	const char *host = at ? at + 1 : strncmp(target, "sip:", 4) ? target : target + 4;
	char text[TG_ADDR_TEXT];
	struct tg_addr address;
	size_t len = strcspn(host, ":;");
	if (*host == '[')
		return TG_FAMILY_IPV6;
	if (len >= sizeof(text))
		return TG_FAMILY_NONE;
	memcpy(text, host, len);
	text[len] = '\0';
	return tg_addr_parse(text, &address) ? (enum tg_family)address.family : TG_FAMILY_NONE;
}

/* Where the callee is to send its media: an address of the family that it is called at, as far as that is
 * known, else of its trunk's, else of the caller's. */
static enum tg_family media_family(const struct engine *e, const struct session *s, const struct leg *l)
{
	const struct settings_trunk *trunk = settings_trunk(e->settings, l->trunk);
	enum tg_family family = family_of_host(l->target);
	if (trunk && trunk->media != SETTINGS_MEDIA_AUTO)
		family = trunk->media == SETTINGS_MEDIA_IPV6 ? TG_FAMILY_IPV6 : TG_FAMILY_IPV4;
	else if (!family && trunk)
		family = (enum tg_family)trunk->range.first.family;
	return link_has_family(e->link, family) ? family : (enum tg_family)s->leg[0]->local.address.family;
}

static void invite_failed(struct engine *e, struct call *call, int leg, int status, const char *reason)
{
	log_warn(calls, call->session->leg[leg]->sid, "dial-failed", "target=%s status=%d reason=%s",
		log_quote(call->session->leg[leg]->target), status, log_quote(reason));
	struct session_env env = engine_env(e, call->session);
	session_on_invite_failed(call->session, leg, status, reason, &env);
}

static int reserve_and_prepare(
	struct engine *e, struct call *call, const struct action *a, char *why, size_t n)
{
	struct session *s = call->session;
	struct leg *l = s->leg[a->leg];
	if (target_of(e, l)) {
		snprintf(why, n, "no trunk has a target for numbers: set sip.trunks[].target");
		return 404;
	}
	int worker = (int)link_worker(e->link, s->leg[0]->row);
	if (link_reserve(e->link, worker, media_family(e, s, l), &l->row)) {
		snprintf(why, n, "no media port is free");
		return 503;
	}
	l->local.address = link_address(e->link, l->row, &l->local.port);
	l->dscp = engine_dscp(e, l->trunk);
	media_offer(s, a->leg);
	struct ua_invite invite = {.target = l->target,
		.from_user = l->from,
		.from_display = l->display[0] ? l->display : NULL,
		.sdp = &l->local,
		.username = a->text,
		.password = a->method};
	if (ua_prepare(e->ua, &invite, &l->ua, why, n)) {
		link_unreserve(e->link, l->row);
		l->row.generation = 0;
		return 400;
	}
	return 0;
}

static bool prepare_invite(struct engine *e, struct call *call, struct action *a)
{
	struct leg *l = call->session->leg[a->leg];
	char why[160] = "";
	int status = reserve_and_prepare(e, call, a, why, sizeof(why));
	const char *call_id = status ? NULL : ua_call_id(e->ua, l->ua);
	snprintf(l->call_id, sizeof(l->call_id), "%s", call_id ? call_id : "");
	json_object_set_new(a->payload, "call_id", json_string(l->call_id));
	json_object_set_new(a->payload, "target", json_string(l->target));
	if (l->trunk[0])
		json_object_set_new(a->payload, "trunk", json_string(l->trunk));
	takeover_append(e, call, FACT_leg_open, a->payload);
	a->payload = NULL;
	if (status) {
		invite_failed(e, call, a->leg, status, why);
		return false;
	}
	e->by_row[l->row.row] = (struct row_owner){call, a->leg};
	if (leg_index_put(e->by_ua, l->ua, call, a->leg))
		log_error(calls, l->sid, "out-of-memory", "effect=\"events of this leg are lost\"");
	return true;
}

bool perform_prepare(struct engine *e, struct call *call, struct action *a)
{
	if (a->kind == ACTION_INVITE)
		return prepare_invite(e, call, a);
	return true;
}

static int leg_of_row(const struct session *s, uint32_t row, uint32_t generation)
{
	for (int i = 0; i < s->legs; i++)
		if (s->leg[i]->row.row == row && s->leg[i]->row.generation == generation)
			return i;
	return -1;
}

static void program(
	struct engine *e, const struct session *s, struct link_chain *chain, const struct tg_command *c)
{
	struct link_row row = {c->leg, c->generation};
	int leg = leg_of_row(s, c->leg, c->generation);
	if (leg < 0)
		return;
	const struct leg *l = s->leg[leg];
	struct link_label label = {.session = s->id.b,
		.call = l->call.b,
		.module = s->module ? s->module->code : "",
		.from = l->from,
		.to = l->to,
		.outbound = l->outbound};
	link_program(e->link, chain, row, &c->program, c->stint, &label);
}

static void perform_chain(struct engine *e, const struct session *s, const struct link_chain *wanted)
{
	struct link_chain chain = {.n = 0};
	for (uint32_t i = 0; i < wanted->n; i++) {
		const struct tg_command *c = &wanted->command[i];
		struct link_row row = {c->leg, c->generation};
		switch (c->kind) {
		case TG_CMD_PROGRAM:
			program(e, s, &chain, c);
			break;
		case TG_CMD_SOURCE:
			link_source(e->link, &chain, row, &c->source);
			break;
		case TG_CMD_STINT:
			link_stint(e->link, &chain, row, c->stint, s->module ? s->module->code : "");
			break;
		case TG_CMD_RELEASE:
			link_release(e->link, &chain, row);
			break;
		default:
			break;
		}
	}
	link_submit(e->link, &chain);
}

static void unreserve(struct engine *e, struct link_row row)
{
	link_unreserve(e->link, row);
	e->by_row[row.row].call = NULL;
}

void perform_action(struct engine *e, struct call *call, struct action *a)
{
	struct session *s = call->session;
	ua_leg ua = a->leg >= 0 ? s->leg[a->leg]->ua : 0;
	/* A leg that is gone meanwhile answers -ENOENT: its UA_GONE has told the session already. */
	switch (a->kind) {
	case ACTION_FACT:
		break;
	case ACTION_RESPOND:
		if (a->warning && a->text)
			ua_warn(e->ua, ua, a->warning, a->text);
		ua_respond(e->ua, ua, a->status, a->text, a->sdp);
		break;
	case ACTION_INVITE:
		ua_send(e->ua, ua);
		break;
	case ACTION_RESEND:
		ua_send(e->ua, ua);
		break;
	case ACTION_ACK:
		ua_ack(e->ua, ua, NULL);
		break;
	case ACTION_CANCEL:
		ua_cancel(e->ua, ua);
		break;
	case ACTION_BYE:
		/* Of a predecessor's decisions the answer may never have been sent: then there is no dialog
		 * yet. */
		if (ua_bye(e->ua, ua, a->status, a->text) == -EINVAL)
			ua_respond(e->ua, ua, 480, NULL, NULL);
		break;
	case ACTION_END:
		ua_end(e->ua, ua, 500, a->status, a->text);
		break;
	case ACTION_CHAIN:
		if (a->chain)
			perform_chain(e, s, a->chain);
		break;
	case ACTION_FETCH:
		requests_document(e, call, a);
		break;
	case ACTION_FETCH_CANCEL:
		requests_cancel(e, &call->document_request);
		break;
	case ACTION_RESOLVE:
		requests_media(e, call, a->text);
		break;
	case ACTION_RESOLVE_CANCEL:
		requests_cancel(e, &call->media_request);
		break;
	case ACTION_LEASE_END:
		requests_end_lease(e, a->text);
		break;
	case ACTION_UNRESERVE:
		unreserve(e, a->row);
		break;
	}
}
