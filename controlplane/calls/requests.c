#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/log.h"
#include "controlplane/calls/engine_private.h"
#include "controlplane/modules/webhook.h"

#define MEDIA_ANSWER_MAX 65536
#define API_VERSION      "2010-04-01"

static const char *call_status(const struct session *s)
{
	if (s->state != SESSION_RUNNING)
		return "completed";
	return s->leg[0]->state == LEG_ANSWERED ? "in-progress" : "ringing";
}

static void add_extra(struct webhook *hook, const json_t *extra)
{
	const char *name;
	json_t *value;
	json_object_foreach((json_t *)extra, name, value)
	{
		if (json_is_string(value)) {
			webhook_add(hook, name, json_string_value(value));
		} else if (json_is_integer(value)) {
			char text[32];
			snprintf(text, sizeof(text), "%lld", (long long)json_integer_value(value));
			webhook_add(hook, name, text);
		}
	}
}

static void add_standard(struct webhook *hook, const struct session *s)
{
	const struct leg *l = s->leg[0];
	char stint[16];
	snprintf(stint, sizeof(stint), "%u", s->stint);
	webhook_add(hook, "CallSid", l->sid);
	webhook_add(hook, "AccountSid", s->module->account->sid);
	webhook_add(hook, "From", l->from);
	webhook_add(hook, "To", l->to);
	webhook_add(hook, "CallStatus", call_status(s));
	webhook_add(hook, "ApiVersion", API_VERSION);
	webhook_add(hook, "Direction", "inbound");
	if (l->display[0])
		webhook_add(hook, "CallerName", l->display);
	webhook_add(hook, "ModuleCode", s->module->code);
	webhook_add(hook, "StintIndex", stint);
	webhook_add(hook, "SipCallId", l->call_id);
	for (int i = 0; i < s->headers; i++) {
		char name[128];
		snprintf(name, sizeof(name), "SipHeader_%s", s->header_name[i]);
		webhook_add(hook, name, s->header_value[i]);
	}
}

static void submit(
	struct engine *e, struct call *call, const struct fetcher_request *q, uint64_t *id, int kind)
{
	requests_cancel(e, id);
	*id = fetcher_submit(e->fetcher, q, NULL);
	if (*id && leg_index_put(e->by_request, *id, call, kind))
		requests_cancel(e, id);
	if (!*id) /* the call's own timers end it */
		log_error(calls, call->session->text, "out-of-memory", "request=%s",
			kind == REQUEST_DOCUMENT ? "document" : "media");
}

void requests_document(struct engine *e, struct call *call, const struct action *a)
{
	struct session *s = call->session;
	struct webhook hook = {.params = 0};
	add_standard(&hook, s);
	add_extra(&hook, a->payload);
	struct webhook_request request;
	int err = webhook_build(&hook, a->text, a->method, s->module->account->auth_token, &request);
	webhook_clear(&hook);
	if (err) {
		struct session_document_result r = {
			.error = "the request could not be built", .error_number = 11100};
		struct session_env env = engine_env(e, s);
		session_on_document(s, &r, &env);
		return;
	}
	char signature[64], scope[128];
	/* Accounts may share a host, and one session may visit the modules of several accounts. */
	snprintf(scope, sizeof(scope), "%s/%s", s->text, s->module->account->sid);
	snprintf(signature, sizeof(signature), "X-Twilio-Signature: %s", request.signature);
	struct fetcher_request q = {.url = request.url,
		.method = a->method,
		.body = request.body,
		.header = {signature},
		.headers = 1,
		.cookie_scope = scope,
		.max_body = (size_t)e->settings->http.max_document_bytes};
	submit(e, call, &q, &call->document_request, REQUEST_DOCUMENT);
	free(call->document_url);
	call->document_url = strdup(request.url);
	webhook_request_clear(&request);
}

static char *percent_encoded(const char *text)
{
	static const char hex[] = "0123456789ABCDEF";
	char *out = malloc(3 * strlen(text) + 1), *p = out;
	if (!out)
		return NULL;
	for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
		if ((*c >= '0' && *c <= '9') || (*c >= 'A' && *c <= 'Z') || (*c >= 'a' && *c <= 'z') ||
			strchr("-._~", *c)) {
			*p++ = (char)*c;
		} else {
			*p++ = '%';
			*p++ = hex[*c >> 4];
			*p++ = hex[*c & 15];
		}
	}
	*p = '\0';
	return out;
}

void requests_media(struct engine *e, struct call *call, const char *url)
{
	const struct session *s = call->session;
	const char *codec = s->leg[0]->agreed.codec.encoding == MEDIA_PCMA ? "PCMA" : "PCMU";
	char *source = percent_encoded(url), *request = NULL;
	if (!source || asprintf(&request, "http://localhost/v1/media?source=%s&codec=%s&ptime=20&account=%s",
			       source, codec, s->module->account->sid) < 0)
		request = NULL;
	free(source);
	if (!request) {
		log_error(calls, s->text, "out-of-memory", "request=media");
		return;
	}
	/* The media layer has its own limits; this one is for a media layer that hangs. */
	struct fetcher_request q = {.url = request,
		.method = "GET",
		.unix_socket = e->media_socket,
		.max_body = MEDIA_ANSWER_MAX,
		.total_ms = (uint32_t)(e->settings->cache.fetch_ms +
				       e->settings->cache.worker_seconds * 1000 + 5000)};
	submit(e, call, &q, &call->media_request, REQUEST_MEDIA);
	free(request);
}

void requests_end_lease(struct engine *e, const char *lease)
{
	char url[256];
	snprintf(url, sizeof(url), "http://localhost/v1/leases/%.128s", lease);
	struct fetcher_request q = {.url = url,
		.method = "DELETE",
		.unix_socket = e->media_socket,
		.max_body = MEDIA_ANSWER_MAX,
		.total_ms = 5000};
	fetcher_submit(e->fetcher, &q, NULL);
}

void requests_cancel(struct engine *e, uint64_t *id)
{
	if (!*id)
		return;
	fetcher_cancel(e->fetcher, *id);
	leg_index_drop(e->by_request, *id);
	*id = 0;
}

static void deliver_document(struct engine *e, struct call *call, const struct fetcher_result *r)
{
	call->document_request = 0;
	char error[160];
	struct session_document_result d = {.status = r->status,
		.content_type = r->content_type,
		.body = r->body,
		.body_len = r->body_len,
		.final_url = r->final_url};
	/* Not redirected: what is relative in the document is relative to the module's URL, without the
	 * parameters that we added to a GET. */
	if (r->final_url && call->document_url && !strcmp(r->final_url, call->document_url))
		d.final_url = NULL;
	if (r->error_number) {
		d.error = r->error;
		d.error_number = r->error_number;
	} else if (r->status < 200 || r->status > 299) {
		snprintf(error, sizeof(error), "the application server answered %d", r->status);
		d.error = error;
		d.error_number = 11200;
	}
	struct session_env env = engine_env(e, call->session);
	session_on_document(call->session, &d, &env);
}

static void deliver_media(struct engine *e, struct call *call, const struct fetcher_result *r)
{
	call->media_request = 0;
	json_t *o = r->body ? json_loadb(r->body, r->body_len, 0, NULL) : NULL;
	struct session_media_result m = {.status = r->status};
	json_int_t item = json_integer_value(json_object_get(o, "item"));
	json_int_t generation = json_integer_value(json_object_get(o, "generation"));
	m.lease = json_string_value(json_object_get(o, "lease"));
	m.address = json_string_value(json_object_get(o, "address"));
	m.served = json_string_value(json_object_get(o, "served"));
	m.error = json_string_value(json_object_get(o, "error"));
	m.sentence = json_string_value(json_object_get(o, "sentence"));
	m.item = (uint32_t)item;
	m.generation = (uint32_t)generation;
	m.ok = r->status == 200 && m.lease && m.address && generation > 0;
	if (!m.ok && !m.error) {
		m.error = "media-layer";
		m.sentence = r->error ? r->error : "the media layer's answer makes no sense";
	}
	struct session_env env = engine_env(e, call->session);
	session_on_media(call->session, &m, &env);
	json_decref(o);
}

void requests_deliver(struct mail *mail, void *engine)
{
	struct engine *e = engine;
	struct fetcher_result *r = (struct fetcher_result *)mail;
	int kind;
	struct call *call = leg_index_get(e->by_request, r->id, &kind);
	if (call) {
		leg_index_drop(e->by_request, r->id);
		if (kind == REQUEST_DOCUMENT)
			deliver_document(e, call, r);
		else
			deliver_media(e, call, r);
		engine_process(e, call);
	}
	fetcher_result_free(r);
}
