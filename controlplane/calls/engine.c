#include "controlplane/calls/engine_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"

#define TICK_BUSY_MS 2
#define TICK_IDLE_MS 20

uint64_t engine_now(const struct engine *e)
{
	return tg_timebase_now(tg_region_timebase(e->region));
}

static struct policy_rate *rate_of(struct engine *e, const char *sid)
{
	for (struct account_rate *r = e->rates; r; r = r->next)
		if (!strcmp(r->sid, sid))
			return &r->rate;
	struct account_rate *r = calloc(1, sizeof(*r));
	if (!r)
		return NULL;
	snprintf(r->sid, sizeof(r->sid), "%s", sid);
	r->next = e->rates;
	e->rates = r;
	return &r->rate;
}

uint8_t engine_dscp(const struct engine *e, const char *trunk)
{
	const struct settings_trunk *t = trunk ? settings_trunk(e->settings, trunk) : NULL;
	return (uint8_t)(t && t->dscp >= 0 ? t->dscp : e->settings->media.dscp);
}

struct session_env engine_env(struct engine *e, const struct session *s)
{
	return (struct session_env){.now_ns = engine_now(e),
		.dial_rate = s && s->module ? rate_of(e, s->module->account->sid) : NULL};
}

/* Nothing of it is left to do, and the journal has all of it. */
static bool is_over(const struct engine *e, const struct call *call)
{
	return call->session->state == SESSION_CLOSED && !call->queued &&
	       call->sip_sequence <= atomic_load_explicit(&e->durable, memory_order_acquire);
}

/* What isn't over stays on the shelf: a successor goes on with it. */
static void forget(struct engine *e, struct call *call)
{
	*call->prev = call->next;
	if (call->next)
		call->next->prev = call->prev;
	for (int i = 0; i < call->session->legs; i++) {
		leg_index_drop(e->by_ua, call->session->leg[i]->ua);
		struct link_row row = call->session->leg[i]->row;
		if (row.generation && e->by_row[row.row].call == call)
			e->by_row[row.row].call = NULL;
	}
	requests_cancel(e, &call->document_request);
	requests_cancel(e, &call->media_request);
	if (call->session->play.lease)
		requests_end_lease(e, call->session->play.lease);
	fetcher_forget_cookies(e->fetcher, call->session->text);
	if (is_over(e, call)) {
		shelf_drop(e->shelf, call->session->text);
		log_info(calls, call->session->text, "session-closed", "cause=%s", call->session->cause);
	} else {
		log_warn(calls, call->session->text, "session-left",
			"cause=%s advice=\"start tollgate-control: it takes the session up and writes its "
			"records\"",
			call->session->cause);
	}
	json_decref(call->unsure);
	session_destroy(call->session);
	free(call->document_url);
	free(call);
	e->sessions--;
}

static void enqueue(struct engine *e, struct call *call, struct action *a)
{
	struct queued *q = calloc(1, sizeof(*q));
	if (!q) {
		log_error(calls, call->session->text, "out-of-memory", "action=%d", (int)a->kind);
		action_free(a);
		return;
	}
	*q = (struct queued){.call = call, .action = a, .sequence = call->sip_sequence};
	*e->last = q;
	e->last = &q->next;
	call->queued++;
}

static void take_actions(struct engine *e, struct call *call)
{
	struct action *a = session_take_actions(call->session);
	while (a) {
		struct action *next = a->next;
		a->next = NULL;
		if (a->kind == ACTION_FACT) {
			takeover_append(e, call, a->fact, a->payload);
			a->payload = NULL;
			action_free(a);
		} else if (perform_prepare(e, call, a)) {
			enqueue(e, call, a);
		} else {
			action_free(a);
		}
		a = next;
	}
}

/* Carries out what the journal allows, in order. An action may make the session ask for more. */
static void pump(struct engine *e)
{
	while (e->first && e->first->sequence <= atomic_load_explicit(&e->durable, memory_order_acquire)) {
		struct queued *q = e->first;
		e->first = q->next;
		if (!e->first)
			e->last = &e->first;
		struct call *call = q->call;
		if (call->dirty)
			takeover_keep(e, call);
		perform_action(e, call, q->action);
		/* A chain tells the dataplane what the state says already. */
		bool changes = q->action->kind != ACTION_CHAIN;
		action_free(q->action);
		free(q);
		call->queued--;
		engine_go_on(e, call, changes);
	}
}

static void note_deadlines(struct engine *e, const struct session *s)
{
	for (int t = 0; t < TIMERS; t++)
		if (s->deadline[t] && s->deadline[t] < e->next_deadline)
			e->next_deadline = s->deadline[t];
}

void engine_process(struct engine *e, struct call *call)
{
	engine_go_on(e, call, true);
}

void engine_go_on(struct engine *e, struct call *call, bool changed)
{
	call->dirty = call->dirty || changed;
	e->dirty = e->dirty || call->dirty;
	if (call->processing) /* the outer one goes on taking */
		return;
	call->processing = true;
	while (call->session->first)
		take_actions(e, call);
	note_deadlines(e, call->session);
	call->processing = false;
	if (is_over(e, call))
		forget(e, call);
}

/* --- from SIP ---------------------------------------------------------------------------------------- */

static void refuse(struct engine *e, const struct ua_event *ev, int status, const char *reason)
{
	e->calls_refused++;
	log_info(calls, NULL, "call-refused", "source=%s to=%s status=%d reason=\"%s\"", ev->source,
		log_quote(ev->to_user), status, reason);
	ua_respond(e->ua, ev->leg, status, reason, NULL);
}

struct call *engine_add_call(struct engine *e, struct session *s)
{
	struct call *call = calloc(1, sizeof(*call));
	if (!call)
		return NULL;
	call->unsure = json_array();
	call->session = s;
	call->next = e->calls;
	call->prev = &e->calls;
	if (e->calls)
		e->calls->prev = &call->next;
	e->calls = call;
	e->sessions++;
	return call;
}

static void begin(struct engine *e, const struct ua_event *ev, const struct registry_number *number,
	struct link_row row)
{
	const struct settings *set = e->settings;
	struct session_begin b = {.row = row,
		.media_timeout_ms = (uint32_t)set->media.timeout_ms,
		.ring_seconds = (uint32_t)set->sip.ring_seconds,
		.latch = set->media.latch,
		.region = tg_region_id(e->region),
		.clock_step_ms = tg_timebase_step_ns(tg_region_timebase(e->region)) /
				 (int64_t)CLOCK_NS_PER_MS};
	b.address = link_address(e->link, row, &b.port);
	b.dscp = engine_dscp(e, ev->trunk);
	struct session_env env = engine_env(e, NULL);
	struct session *s = session_create(registry_ref(e->registry), number, ev, &b, &env);
	if (!s) {
		registry_unref(e->registry);
		link_unreserve(e->link, row);
		refuse(e, ev, 503, "Out of memory");
		return;
	}
	struct call *call = engine_add_call(e, s);
	if (!call || leg_index_put(e->by_ua, ev->leg, call, 0)) {
		log_error(calls, s->text, "out-of-memory", "call_id=%s", log_quote(ev->call_id));
		refuse(e, ev, 503, "Out of memory");
		link_unreserve(e->link, row);
		if (call)
			forget(e, call);
		else
			session_destroy(s);
		return;
	}
	e->by_row[row.row] = (struct row_owner){call, 0};
	e->calls_taken++;
	log_info(calls, s->text, "call", "call=%s from=%s to=%s source=%s call_id=%s module=%s",
		s->leg[0]->sid, log_quote(ev->from_user), log_quote(ev->to_user), ev->source,
		log_quote(ev->call_id), s->module->code);
	takeover_keep_first(e, call);
	engine_process(e, call);
}

/* Of the address that we answer with: the offer's, or where the caller makes none, that of its signalling.
 * One that we don't have is refused with a record, so it gets a row too. */
static enum tg_family media_family(const struct engine *e, const struct ua_event *ev)
{
	enum tg_family family = ev->source[0] == '[' ? TG_FAMILY_IPV6 : TG_FAMILY_IPV4;
	if (ev->sdp && ev->sdp->address.family)
		family = (enum tg_family)ev->sdp->address.family;
	if (link_has_family(e->link, family))
		return family;
	return family == TG_FAMILY_IPV6 ? TG_FAMILY_IPV4 : TG_FAMILY_IPV6;
}

static void on_invite(struct engine *e, const struct ua_event *ev)
{
	if (e->stopping) {
		refuse(e, ev, 503, "Shutting down");
		return;
	}
	if (atomic_load_explicit(&e->journal_error, memory_order_relaxed)) {
		refuse(e, ev, 503, "Records can't be written");
		return;
	}
	if (e->watch.silent) {
		refuse(e, ev, 503, "No dataplane");
		return;
	}
	if (ev->bad_sdp) {
		refuse(e, ev, 400, "SDP that can't be read");
		return;
	}
	const struct registry_number *number = registry_number(e->registry, ev->to_user);
	if (!number) {
		refuse(e, ev, 404, "No such number here");
		return;
	}
	if (number->account->suspended || number->module->account->suspended) {
		refuse(e, ev, 403, "Account suspended");
		return;
	}
	struct link_row row;
	if (link_reserve(e->link, -1, media_family(e, ev), &row)) {
		refuse(e, ev, 503, "No media port is free");
		return;
	}
	begin(e, ev, number, row);
}

static void on_ua(void *ctx, const struct ua_event *ev)
{
	struct engine *e = ctx;
	if (ev->kind == UA_INVITE) {
		on_invite(e, ev);
		pump(e);
		return;
	}
	int leg;
	struct call *call = leg_index_get(e->by_ua, ev->leg, &leg);
	if (!call)
		return;
	struct session_env env = engine_env(e, call->session);
	session_on_ua(call->session, leg, ev, &env);
	engine_process(e, call);
	pump(e);
}

/* --- time -------------------------------------------------------------------------------------------- */

static void run_timers(struct engine *e, uint64_t now)
{
	if (now < e->next_deadline)
		return;
	e->next_deadline = UINT64_MAX;
	for (struct call *call = e->calls, *next; call; call = next) {
		next = call->next;
		struct session *s = call->session;
		bool due = false;
		for (int t = 0; t < TIMERS; t++) {
			if (!s->deadline[t] || s->deadline[t] > now)
				continue;
			struct session_env env = engine_env(e, s);
			session_on_timer(s, (enum session_timer)t, &env);
			due = true;
		}
		note_deadlines(e, s);
		if (due)
			engine_process(e, call);
	}
}

static void rotate_cdr(struct engine *e)
{
	uint64_t age_ms;
	uint64_t rows = e->cdr_open_rows ? e->cdr_open_rows(e->cdr_ctx, &age_ms) : 0;
	if (rows && age_ms >= (uint64_t)e->settings->cdr.max_seconds * 1000)
		journal_append(e->journal, FACT_cdr_rotate, json_pack("{s:s}", "reason", "age"));
}

/* What changed without an action, and what is over since its last facts are durable. */
static void keep_changed(struct engine *e)
{
	if (!e->dirty)
		return;
	e->dirty = false;
	for (struct call *call = e->calls, *next; call; call = next) {
		next = call->next;
		if (call->dirty)
			takeover_keep(e, call);
		if (is_over(e, call))
			forget(e, call);
		else if (call->session->state == SESSION_CLOSED)
			e->dirty = true; /* look again */
	}
}

static void each_second(struct engine *e, uint64_t now)
{
	e->next_second = now + CLOCK_NS_PER_S;
	tg_region_beat(e->region, TG_ROLE_CONTROL, now);
	watch_second(e, now);
	rotate_cdr(e);
	audit_tick(e);
}

static void tick(void *ctx)
{
	struct engine *e = ctx;
	uint64_t now = engine_now(e);
	watch_tick(e, now);
	link_poll(e->link);
	run_timers(e, now);
	if (now >= e->next_second)
		each_second(e, now);
	pump(e);
	keep_changed(e);
	loop_tick(e->loop, e->sessions || link_rows_in_use(e->link) ? TICK_BUSY_MS : TICK_IDLE_MS, tick, e);
	if (e->stopping && (!e->sessions || now >= e->stop_at) && e->stopped) {
		void (*stopped)(void *) = e->stopped;
		e->stopped = NULL;
		stopped(e->stopped_ctx);
	}
}

/* --- from the journal -------------------------------------------------------------------------------- */

struct wake {
	struct mail mail;
};

static void woken(struct mail *mail, void *reader)
{
	free(mail);
}

void engine_synced(struct engine *e, uint64_t sequence)
{
	atomic_store_explicit(&e->durable, sequence, memory_order_release);
	struct wake *w = malloc(sizeof(*w));
	if (!w) /* the tick looks too */
		return;
	w->mail.deliver = woken;
	mailbox_post(e->journal_box, &w->mail);
}

void engine_journal_trouble(struct engine *e, int error)
{
	atomic_store_explicit(&e->journal_error, error, memory_order_relaxed);
}

static void on_journal(void *ctx)
{
	struct engine *e = ctx;
	mailbox_drain(e->journal_box, e);
	link_durable(e->link, atomic_load_explicit(&e->durable, memory_order_acquire));
	pump(e);
}

static void on_results(void *ctx)
{
	struct engine *e = ctx;
	mailbox_drain(e->box, e);
	pump(e);
}

/* --- life -------------------------------------------------------------------------------------------- */

static int open_parts(struct engine *e, const struct engine_options *o, char *why, size_t n)
{
	struct tg_meter sums[TG_WORKERS_MAX];
	metering_sums(e->usage, tg_region_id(e->region), sums);
	struct link_options lo = {.region = e->region,
		.journal = e->journal,
		.handler = &engine_news,
		.ctx = e,
		.journalled = sums,
		.seen = engine_has_seen};
	int err = mailbox_create(&e->box);
	if (!err)
		err = mailbox_create(&e->journal_box);
	if (!err)
		err = leg_index_create(&e->by_ua);
	if (!err)
		err = leg_index_create(&e->by_request);
	if (!err)
		err = fetcher_create(&e->fetcher, e->settings, e->box, requests_deliver);
	if (!err)
		err = link_open(&e->link, &lo);
	if (err) {
		snprintf(why, n, "cannot set up the calls: %s", strerror(-err));
		return err;
	}
	return ua_create(&e->ua, loop_root(e->loop), e->settings, on_ua, e, why, n);
}

int engine_create(struct engine **engine, const struct engine_options *o, char *why, size_t n)
{
	struct engine *e = calloc(1, sizeof(*e));
	if (!e)
		return -ENOMEM;
	*e = (struct engine){.settings = o->settings,
		.region = o->region,
		.journal = o->journal,
		.loop = o->loop,
		.registry = o->registry,
		.shelf = o->shelf,
		.usage = o->usage,
		.recovery = o->recovery,
		.media_socket = o->media_socket,
		.cdr_open_rows = o->cdr_open_rows,
		.cdr_ctx = o->cdr_ctx,
		.stopped = o->stopped,
		.stopped_ctx = o->stopped_ctx,
		.next_deadline = UINT64_MAX};
	e->last = &e->first;
	atomic_store(&e->durable, journal_durable(o->journal));
	e->by_row = calloc(tg_region_legs(o->region), sizeof(*e->by_row));
	int err = e->by_row ? open_parts(e, o, why, n) : -ENOMEM;
	if (!err)
		err = loop_watch(e->loop, mailbox_fd(e->box), on_results, e);
	if (!err)
		err = loop_watch(e->loop, mailbox_fd(e->journal_box), on_journal, e);
	if (!err)
		err = loop_tick(e->loop, TICK_BUSY_MS, tick, e);
	if (err) {
		engine_destroy(e);
		return err;
	}
	watch_begin(e, engine_now(e));
	takeover_run(e);
	*engine = e;
	return 0;
}

void engine_destroy(struct engine *e)
{
	if (!e)
		return;
	while (e->first) {
		struct queued *q = e->first;
		e->first = q->next;
		action_free(q->action);
		free(q);
	}
	while (e->calls) {
		e->calls->queued = 0;
		forget(e, e->calls);
	}
	ua_destroy(e->ua);
	fetcher_destroy(e->fetcher);
	mailbox_destroy(e->box, e);
	mailbox_destroy(e->journal_box, e);
	if (e->link) /* records that are durable by now leave their rings */
		link_durable(e->link, atomic_load_explicit(&e->durable, memory_order_acquire));
	link_close(e->link);
	leg_index_destroy(e->by_ua);
	leg_index_destroy(e->by_request);
	shelf_close(e->shelf);
	free(e->by_row);
	while (e->rates) {
		struct account_rate *r = e->rates;
		e->rates = r->next;
		free(r);
	}
	for (int i = 0; i < AUDITS_MAX; i++)
		json_decref(e->audit[i].workers);
	registry_unref(e->registry);
	free(e);
}

void engine_set_registry(struct engine *e, struct registry *registry)
{
	registry_unref(e->registry);
	e->registry = registry;
}

void engine_drain(struct engine *e, bool draining)
{
	if (e->draining == draining || e->stopping)
		return;
	e->draining = draining;
	ua_drain(e->ua, draining);
	log_info(calls, NULL, draining ? "draining" : "taking-calls", "sessions=%u", e->sessions);
}

void engine_stop(struct engine *e, unsigned grace_ms)
{
	if (e->stopping)
		return;
	e->stopping = true;
	e->stop_at = engine_now(e) + grace_ms * CLOCK_NS_PER_MS;
	ua_drain(e->ua, true);
	for (struct call *call = e->calls, *next; call; call = next) {
		next = call->next;
		struct session_env env = engine_env(e, call->session);
		call->session->refusal = 503;
		session_end(call->session, RELEASED_BY_GATEWAY, 41, "shutdown",
			"the gateway is shutting down", &env);
		engine_process(e, call);
	}
}

json_t *engine_status(struct engine *e)
{
	const struct ua_counters *c = ua_counters(e->ua);
	return json_pack("{s:b, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "draining",
		(int)e->draining, "taken_up", (json_int_t)e->taken_up, "closed_by_record",
		(json_int_t)e->closed_by_record, "sessions", (json_int_t)e->sessions, "calls_taken",
		(json_int_t)e->calls_taken, "calls_refused", (json_int_t)e->calls_refused, "rows_in_use",
		(json_int_t)link_rows_in_use(e->link), "rows_releasing",
		(json_int_t)link_rows_releasing(e->link), "refused_source", (json_int_t)c->refused_source,
		"refused_rate", (json_int_t)c->refused_rate, "refused_limit", (json_int_t)c->refused_limit,
		"malformed", (json_int_t)c->malformed, "options", (json_int_t)c->options, "journal_durable",
		(json_int_t)journal_durable(e->journal));
}
