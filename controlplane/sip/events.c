#include "controlplane/sip/agent.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <sofia-sip/msg_parser.h>

#include "base/log.h"

/* The text of a Reason header that a peer may have us keep. */
#define REASON_BYTES 256

static void entry_free(struct event_entry *e)
{
	if (e->event.kind != UA_GONE)
		su_home_unref(e->home);
}

static void deliver(su_root_magic_t *magic, su_timer_t *timer, void *arg)
{
	struct ua *ua = arg;
	while (ua->first) {
		struct event_entry *e = ua->first;
		ua->first = e->next;
		if (!ua->first)
			ua->tail = &ua->first;
		struct sip_leg *leg = ua_leg_find(ua, e->event.leg);
		bool late = leg && e->event.kind == UA_ANSWERED && leg->cancelled;
		if (leg && e->event.kind == UA_ANSWERED)
			leg->told_answer = true;
		struct ua_event gone = {.kind = UA_GONE, .leg = e->event.leg};
		if (e->event.kind == UA_GONE) {
			ua_leg_free(leg); /* and the entry with it */
			ua->handler(ua->ctx, &gone);
			continue;
		}
		if (!late)
			ua->handler(ua->ctx, &e->event);
		leg = e->event.kind == UA_INVITE ? ua_leg_find(ua, e->event.leg) : NULL;
		if (leg)
			ua_in_taken(leg);
		entry_free(e);
	}
}

int ua_events_open(struct ua *ua)
{
	ua->tail = &ua->first;
	ua->wake = su_timer_create(su_root_task(ua->root), 0);
	return ua->wake ? 0 : -ENOMEM;
}

void ua_events_close(struct ua *ua)
{
	su_timer_destroy(ua->wake);
	ua->wake = NULL;
	while (ua->first) {
		struct event_entry *e = ua->first;
		ua->first = e->next;
		entry_free(e);
	}
	ua->tail = &ua->first;
}

struct event_entry *ua_event_add(struct sip_leg *leg, enum ua_event_kind kind)
{
	struct ua *ua = leg->ua;
	struct event_entry *e = kind == UA_GONE ? &leg->gone : su_home_new(sizeof(*e));
	if (!e) {
		log_error(sip, NULL, "event-lost",
			"kind=%d reason=\"out of memory\" action=\"give the control "
			"plane more memory\"",
			(int)kind);
		su_home_deinit(ua->spare.home);
		memset(&ua->spare, 0, sizeof(ua->spare));
		su_home_init(ua->spare.home);
		return &ua->spare;
	}
	e->event.kind = kind;
	e->event.leg = leg->number;
	e->next = NULL;
	bool idle = !ua->first;
	*ua->tail = e;
	ua->tail = &e->next;
	if (idle)
		su_timer_set_interval(ua->wake, deliver, ua, 0);
	return e;
}

const char *ua_event_text(struct event_entry *entry, const char *text)
{
	return text ? su_strdup(entry->home, text) : NULL;
}

/* The Q.850 cause, and the first text that there is (RFC 3326). */
static void reason_header(struct event_entry *entry, const sip_reason_t *reason)
{
	for (; reason; reason = reason->re_next) {
		if (!entry->event.q850 && reason->re_protocol && !strcasecmp(reason->re_protocol, "Q.850") &&
			reason->re_cause) {
			long cause = strtol(reason->re_cause, NULL, 10);
			if (cause > 0 && cause <= 127)
				entry->event.q850 = (int)cause;
		}
		const char *text = reason->re_text;
		if (!text || entry->event.reason || strlen(text) > REASON_BYTES)
			continue;
		entry->event.reason = *text == '"' ? msg_unquote_dup(entry->home, text)
						   : ua_event_text(entry, text);
	}
}

void ua_event_reason(struct event_entry *entry, const sip_t *sip)
{
	if (!sip)
		return;
	reason_header(entry, sip->sip_reason);
	if (!sip->sip_status)
		return;
	entry->event.status = sip->sip_status->st_status;
	if (sip->sip_status->st_phrase)
		entry->event.reason = ua_event_text(entry, sip->sip_status->st_phrase);
}

void ua_event_sdp(struct event_entry *entry, const sip_t *sip)
{
	switch (ua_body(sip, &entry->sdp)) {
	case UA_BODY_SDP:
		entry->event.sdp = &entry->sdp;
		break;
	case UA_BODY_UNREADABLE:
	case UA_BODY_UNSUPPORTED:
		entry->event.bad_sdp = true;
		break;
	case UA_BODY_NONE:
		break;
	}
}
