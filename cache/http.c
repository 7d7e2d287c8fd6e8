#include "cache/http.h"

#include <errno.h>
#include <limits.h>
#include <microhttpd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "cache/address.h"
#include "cache/payload.h"
#include "cache/reply.h"
#include "contract/region.h"

#define CONNECTIONS_MAX  2048u
#define CONNECTION_BYTES ((size_t)64 << 10) /* for a request line with the longest source, escaped */
#define IDLE_S           300u

struct cache_http {
	struct cache_http_parts parts;
	struct cache_watch watch;
	struct MHD_Daemon *daemon;
};

/* One request, from its header to the end of its answer. */
struct exchange {
	struct cache_waiter waiter;
	struct cache_http *http;
	struct MHD_Connection *connection;
	bool waits;    /* the connection is suspended */
	bool answered; /* by the resolver */
	bool leased;
	struct id lease;
	struct cache_failure failure;
	uint32_t item;
	char *text; /* JSON */
};

static enum MHD_Result send_json(struct exchange *x, unsigned status, char *text)
{
	if (!text)
		return MHD_NO; /* out of memory: the connection is closed */
	struct MHD_Response *r = MHD_create_response_from_buffer(strlen(text), text, MHD_RESPMEM_MUST_FREE);
	if (!r) {
		free(text);
		return MHD_NO;
	}
	MHD_add_response_header(r, "Content-Type", "application/json");
	if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
		MHD_add_response_header(r, "Allow", "GET, HEAD, DELETE");
	enum MHD_Result done = MHD_queue_response(x->connection, status, r);
	MHD_destroy_response(r);
	return done;
}

static enum MHD_Result send_failure(struct exchange *x, const struct cache_failure *f)
{
	x->http->parts.counters->failures[f->error]++;
	return send_json(x, cache_error_http(f->error), cache_reply_failure(f));
}

static enum MHD_Result refuse(struct exchange *x, enum cache_error error, const char *sentence)
{
	struct cache_failure f;
	cache_fail(&f, error, sentence ? "%s" : NULL, sentence);
	return send_failure(x, &f);
}

static void wake(struct exchange *x)
{
	x->answered = true;
	if (!x->waits)
		return;
	x->waits = false;
	MHD_resume_connection(x->connection);
}

/* The item is only sure to stay during this call: the lease keeps it. */
static void on_resolved(struct cache_waiter *w, const struct cache_result *result)
{
	struct exchange *x = (struct exchange *)w;
	struct cache_http_parts *p = &x->http->parts;
	x->failure = result->failure;
	if (!x->failure.error) {
		if (cache_lease_acquire(p->leases, result->item, clock_mono_ns(), &x->lease)) {
			cache_fail(&x->failure, CACHE_ERROR_INTERNAL, NULL);
		} else {
			x->leased = true;
			p->counters->leases_given++;
			x->text = cache_reply_item(p, result->item, &x->lease, result->hit);
		}
	}
	wake(x);
}

static enum MHD_Result finish_resolve(struct exchange *x)
{
	if (x->failure.error)
		return send_failure(x, &x->failure);
	char *text = x->text;
	x->text = NULL;
	return send_json(x, MHD_HTTP_OK, text);
}

static enum MHD_Result wait_or(struct exchange *x, enum MHD_Result (*finish)(struct exchange *x))
{
	if (x->answered)
		return finish(x);
	x->waits = true;
	MHD_suspend_connection(x->connection);
	return MHD_YES;
}

struct arguments {
	struct cache_query query;
	const char *why; /* what is wrong, or NULL */
	unsigned count;
};

static enum MHD_Result on_argument(void *arg, enum MHD_ValueKind kind, const char *key, const char *value)
{
	struct arguments *a = arg;
	const struct {
		const char *key;
		const char **to;
	} known[] = {{"source", &a->query.source}, {"codec", &a->query.codec}, {"ptime", &a->query.ptime},
		{"account", &a->query.account}};
	a->count++;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (strcmp(key, known[i].key))
			continue;
		if (*known[i].to)
			a->why = "an argument is given twice";
		*known[i].to = value ? value : "";
		return MHD_YES;
	}
	a->why = "unknown argument; known are source, codec, ptime and account";
	return MHD_YES;
}

static enum MHD_Result resolve(struct exchange *x, const struct arguments *a)
{
	struct cache_request request;
	const char *why = a->why;
	int e = why ? -EINVAL : cache_request_parse(&a->query, &request, &why);
	if (e)
		return refuse(x, e == -ENOMEM ? CACHE_ERROR_INTERNAL : CACHE_ERROR_BAD_REQUEST, why);
	x->waiter = (struct cache_waiter){.answer = on_resolved};
	cache_resolve(x->http->parts.resolver, &request, &x->waiter);
	return wait_or(x, finish_resolve);
}

static enum MHD_Result media(struct exchange *x)
{
	struct arguments a = {0};
	if (x->answered)
		return finish_resolve(x);
	MHD_get_connection_values(x->connection, MHD_GET_ARGUMENT_KIND, on_argument, &a);
	if (a.count)
		return resolve(x, &a);
	return send_json(x, MHD_HTTP_OK, cache_reply_list(&x->http->parts));
}

static enum MHD_Result send_item(struct exchange *x)
{
	struct cache_http_parts *p = &x->http->parts;
	if (x->failure.error)
		return send_failure(x, &x->failure);
	struct cache_payload_ask ask = {.region = p->region, .store = p->resolver->store, .item = x->item};
	ask.etag_known = MHD_lookup_connection_value(
		x->connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_IF_NONE_MATCH);
	return cache_payload_send(x->connection, &ask);
}

/* Whoever asks for a sound while it is being made gets it when it is complete. */
static void on_complete(struct cache_waiter *w, const struct cache_result *result)
{
	struct exchange *x = (struct exchange *)w;
	x->failure = result->failure;
	wake(x);
}

static enum MHD_Result finish_item(struct exchange *x)
{
	enum MHD_Result r = send_item(x);
	cache_store_unpin(x->http->parts.resolver->store, x->item);
	x->item = TG_NONE;
	return r;
}

static enum MHD_Result item(struct exchange *x, const struct cache_route *route)
{
	struct cache_http_parts *p = &x->http->parts;
	struct cache_store *store = p->resolver->store;
	if (x->answered)
		return finish_item(x);
	uint32_t i = route->version ? cache_store_find_version(store, route->digest, route->version)
				    : cache_store_find(store, route->digest);
	if (i == TG_NONE || tg_region_media(p->region, i)->codec != route->codec)
		return refuse(x, CACHE_ERROR_NOT_FOUND, NULL);
	cache_store_pin(store, i);
	x->item = i;
	x->waiter = (struct cache_waiter){.answer = on_complete, .until_ready = true};
	if (atomic_load_explicit(&tg_region_media(p->region, i)->state, memory_order_relaxed) ==
			TG_MEDIA_FILLING &&
		!cache_resolver_wait(p->resolver, i, &x->waiter))
		return wait_or(x, finish_item);
	return finish_item(x);
}

static enum MHD_Result lease(struct exchange *x, const struct cache_route *route)
{
	if (cache_lease_release(x->http->parts.leases, &route->lease))
		return refuse(x, CACHE_ERROR_NOT_FOUND, "no such lease; it may have ended by its age");
	struct MHD_Response *r = MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
	enum MHD_Result done = r ? MHD_queue_response(x->connection, MHD_HTTP_NO_CONTENT, r) : MHD_NO;
	MHD_destroy_response(r);
	return done;
}

static enum MHD_Result dispatch(struct exchange *x, const char *path, const char *method)
{
	struct cache_route route;
	cache_route_parse(path, &route);
	bool reads = !strcmp(method, "GET") || !strcmp(method, "HEAD");
	if (route.kind == CACHE_ROUTE_UNKNOWN)
		return refuse(x, CACHE_ERROR_NOT_FOUND, NULL);
	if (route.kind == CACHE_ROUTE_LEASE)
		return !strcmp(method, "DELETE") ? lease(x, &route) : refuse(x, CACHE_ERROR_METHOD, NULL);
	if (!reads)
		return refuse(x, CACHE_ERROR_METHOD, NULL);
	if (route.kind == CACHE_ROUTE_MEDIA)
		return media(x);
	if (route.kind == CACHE_ROUTE_STATS)
		return send_json(x, MHD_HTTP_OK, cache_reply_stats(&x->http->parts));
	return item(x, &route);
}

static enum MHD_Result on_request(void *arg, struct MHD_Connection *connection, const char *path,
	const char *method, const char *version, const char *upload, size_t *upload_bytes, void **context)
{
	struct exchange *x = *context;
	if (!x) {
		x = calloc(1, sizeof(*x));
		if (!x)
			return MHD_NO;
		x->http = arg;
		x->connection = connection;
		x->item = TG_NONE;
		*context = x;
		return MHD_YES;
	}
	if (*upload_bytes) { /* no request here has a body that means anything */
		*upload_bytes = 0;
		return MHD_YES;
	}
	return dispatch(x, path, method);
}

static void on_end(
	void *arg, struct MHD_Connection *connection, void **context, enum MHD_RequestTerminationCode how)
{
	struct exchange *x = *context;
	if (!x)
		return;
	/* Nobody knows the id of a lease whose answer didn't arrive. */
	if (x->leased && how != MHD_REQUEST_TERMINATED_COMPLETED_OK)
		cache_lease_release(x->http->parts.leases, &x->lease);
	if (x->item != TG_NONE)
		cache_store_unpin(x->http->parts.resolver->store, x->item);
	free(x->text);
	free(x);
	*context = NULL;
}

static void on_log(void *arg, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));
static void on_log(void *arg, const char *fmt, va_list ap)
{
	char text[200];
	vsnprintf(text, sizeof(text), fmt, ap);
	text[strcspn(text, "\r\n")] = '\0';
	log_debug(cache, NULL, "http", "what=%s", log_quote(text));
}

static void on_ready(struct cache_watch *watch, uint32_t events)
{
	/* cache_http_run() follows after every turn. */
}

int cache_http_open(struct cache_http **http, const struct cache_http_parts *parts, int listen_fd)
{
	struct cache_http *h = calloc(1, sizeof(*h));
	if (!h) {
		close(listen_fd);
		return -ENOMEM;
	}
	h->parts = *parts;
	h->daemon = MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG, 0, NULL,
		NULL, on_request, h, MHD_OPTION_EXTERNAL_LOGGER, on_log, NULL, MHD_OPTION_LISTEN_SOCKET,
		listen_fd, MHD_OPTION_NOTIFY_COMPLETED, on_end, NULL, MHD_OPTION_CONNECTION_LIMIT,
		CONNECTIONS_MAX, MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_BYTES,
		MHD_OPTION_CONNECTION_TIMEOUT, IDLE_S, MHD_OPTION_END);
	if (!h->daemon) {
		close(listen_fd);
		free(h);
		return -EIO;
	}
	h->watch = (struct cache_watch){
		MHD_get_daemon_info(h->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd, on_ready};
	int e = cache_loop_watch(parts->loop, &h->watch, EPOLLIN);
	if (e) {
		MHD_stop_daemon(h->daemon);
		free(h);
		return e;
	}
	*http = h;
	return 0;
}

void cache_http_close(struct cache_http *h)
{
	if (!h)
		return;
	MHD_run(h->daemon); /* sends what was answered last */
	cache_loop_unwatch(h->parts.loop, &h->watch);
	MHD_stop_daemon(h->daemon);
	free(h);
}

int cache_http_timeout_ms(const struct cache_http *h)
{
	MHD_UNSIGNED_LONG_LONG ms;
	if (MHD_get_timeout(h->daemon, &ms) != MHD_YES)
		return -1;
	return ms > INT_MAX ? INT_MAX : (int)ms;
}

void cache_http_run(struct cache_http *h)
{
	MHD_run(h->daemon);
}
