#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "controlplane/modules/fetcher_transfer.h"
#include "controlplane/modules/url.h"

static int copy(const char *text, char **out)
{
	if (!text)
		return 0;
	*out = strdup(text);
	return *out ? 0 : -ENOMEM;
}

static int add_header(struct transfer *t, const char *line)
{
	struct curl_slist *longer = curl_slist_append(t->headers, line);
	if (!longer)
		return -ENOMEM;
	t->headers = longer;
	return 0;
}

/* A line break would begin a header of its own. */
static bool header_ok(const char *line)
{
	if (!strchr(line, ':') || *line == ':')
		return false;
	for (; *line; line++)
		if (((unsigned char)*line < ' ' && *line != '\t') || *line == 0x7f)
			return false;
	return true;
}

static int copy_headers(struct transfer *t, const struct fetcher_request *request)
{
	/* Without it, libcurl would wait for "100 Continue" before a long body. */
	int e = add_header(t, "Expect:");
	for (int i = 0; !e && i < request->headers; i++) {
		if (i < FETCHER_HEADERS_MAX && header_ok(request->header[i]))
			e = add_header(t, request->header[i]);
		else
			t->bad = FETCH_REQUEST;
	}
	return e;
}

static const char *known_method(const char *name)
{
	static const char *const known[] = {"GET", "POST", "DELETE"};
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (name && !strcmp(name, known[i]))
			return known[i];
	return NULL;
}

static int copy_url(struct transfer *t, const char *url)
{
	char normal[URL_BYTES_MAX];
	int e = url ? url_resolve(NULL, url, normal, sizeof(normal)) : -EINVAL;
	if (e == -ENOMEM)
		return e;
	if (!e)
		return copy(normal, &t->url);
	t->bad = FETCH_URL;
	return copy(url, &t->url); /* as it was, for who reads the result */
}

static void set_limits(struct transfer *t, const struct settings *settings, uint32_t total_ms)
{
	t->limits = (struct fetcher_limits){
		.connect_ms = (uint32_t)settings->http.connect_ms,
		.read_ms = total_ms > FETCHER_READ_MS ? total_ms : FETCHER_READ_MS,
		.total_ms = total_ms ? total_ms : (uint32_t)settings->http.total_ms,
		.retries = FETCHER_RETRIES,
		.retry_on = FETCHER_RETRY_CONNECT,
	};
	if (t->url)
		fetcher_limits_read(t->url, &t->limits);
}

int transfer_new(
	struct transfer **transfer, const struct settings *settings, const struct fetcher_request *request)
{
	struct transfer *t = calloc(1, sizeof(*t));
	if (!t)
		return -ENOMEM;
	t->settings = settings;
	t->begin = (struct fetcher_command){.kind = FETCHER_BEGIN, .transfer = t};
	t->cancel = (struct fetcher_command){.kind = FETCHER_CANCEL, .transfer = t};
	t->max_body = request->max_body ? request->max_body : (size_t)settings->http.max_document_bytes;
	t->method = known_method(request->method);
	if (!t->method || (request->body && strcmp(t->method, "POST")))
		t->bad = FETCH_REQUEST;
	t->result = calloc(1, sizeof(*t->result));
	if (!t->result || copy_url(t, request->url) || copy_headers(t, request) ||
		copy(request->body, &t->body) || copy(request->unix_socket, &t->unix_socket) ||
		copy(request->cookie_scope, &t->scope)) {
		transfer_free(t);
		return -ENOMEM;
	}
	set_limits(t, settings, request->total_ms);
	t->start_ns = clock_mono_ns();
	t->end_ns = t->start_ns + t->limits.total_ms * CLOCK_NS_PER_MS;
	*transfer = t;
	return 0;
}

void transfer_free(struct transfer *t)
{
	fetcher_cookies_release(t->jar);
	curl_slist_free_all(t->headers);
	fetcher_result_free(t->result);
	free(t->url);
	free(t->body);
	free(t->unix_socket);
	free(t->scope);
	free(t->received);
	free(t);
}

void fetcher_result_free(struct fetcher_result *result)
{
	if (!result)
		return;
	free(result->content_type);
	free(result->body);
	free(result->final_url);
	free(result);
}
