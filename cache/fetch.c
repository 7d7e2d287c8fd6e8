#include "cache/fetch.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "cache/fetch_fields.h"
#include "cache/fetch_private.h"
#include "cache/hint.h"
#include "settings/settings.h"

struct cache_fetch {
	struct cache_fetch *prev, *next;
	struct cache_fetcher *fetcher;
	void (*done)(void *arg, struct cache_fetched *fetched);
	void *arg;
	CURL *easy;
	struct curl_slist *headers;
	char *etag, *last_modified;
	struct cache_source source; /* that is asked now */
	struct cache_fields fields;
	struct cache_failure failure; /* found by a callback that then stopped the transfer */
	uint64_t deadline_ns, bytes;
	int body_fd, redirects;
	bool refused, stopped;
};

static bool may_connect(const struct settings *settings, const struct curl_sockaddr *a)
{
	struct tg_addr address = {.family = TG_FAMILY_NONE};
	if (a->family == AF_INET) {
		struct sockaddr_in sin;
		memcpy(&sin, &a->addr, sizeof(sin));
		address = tg_addr_ipv4(sin.sin_addr.s_addr);
	}
	if (a->family == AF_INET6) {
		struct sockaddr_in6 sin6;
		memcpy(&sin6, (const void *)&a->addr, sizeof(sin6));
		address = tg_addr_ipv6(sin6.sin6_addr.s6_addr);
	}
	return address.family && settings_may_fetch(settings, &address);
}

static curl_socket_t on_open(void *arg, curlsocktype purpose, struct curl_sockaddr *a)
{
	struct cache_fetch *f = arg;
	if (!may_connect(f->fetcher->settings, a)) {
		f->refused = true;
		return CURL_SOCKET_BAD;
	}
	return socket(a->family, a->socktype | SOCK_CLOEXEC, a->protocol);
}

static size_t on_field(char *line, size_t size, size_t n, void *arg)
{
	struct cache_fetch *f = arg;
	cache_fields_line(&f->fields, line, size * n);
	return size * n;
}

static long status_of(const struct cache_fetch *f)
{
	long status = 0;
	curl_easy_getinfo(f->easy, CURLINFO_RESPONSE_CODE, &status);
	return status;
}

static bool has_sound(long status)
{
	return status == 200 || status == 203;
}

static uint64_t size_limit(const struct cache_fetch *f)
{
	return (uint64_t)f->fetcher->settings->cache.max_source_kib * 1024;
}

static size_t stop(struct cache_fetch *f)
{
	f->stopped = true;
	return 0; /* anything but the length ends the transfer */
}

static size_t stop_too_large(struct cache_fetch *f)
{
	cache_fail(&f->failure, CACHE_ERROR_TOO_LARGE,
		"the source is larger than the %d KiB that cache.max_source_kib allows",
		f->fetcher->settings->cache.max_source_kib);
	return stop(f);
}

/* Before the first byte of a body is kept. Returns false if the body isn't wanted. */
static bool wants_body(struct cache_fetch *f)
{
	curl_off_t length = -1;
	const char *type = f->fields.value[CACHE_FIELD_CONTENT_TYPE];
	if (!has_sound(status_of(f))) {
		stop(f);
		return false;
	}
	if (!cache_type_may_be_audio(type)) {
		cache_fail(&f->failure, CACHE_ERROR_NOT_AUDIO,
			"the origin answered with %.80s instead of a sound", type);
		stop(f);
		return false;
	}
	curl_easy_getinfo(f->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
	if (length > 0 && (uint64_t)length > size_limit(f)) {
		stop_too_large(f);
		return false;
	}
	f->body_fd = memfd_create("media-source", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (f->body_fd < 0) {
		cache_fail(&f->failure, CACHE_ERROR_INTERNAL, "no memory file for the body: %s",
			strerror(errno));
		stop(f);
		return false;
	}
	return true;
}

static size_t on_body(char *data, size_t size, size_t n, void *arg)
{
	struct cache_fetch *f = arg;
	n *= size;
	if (f->body_fd < 0 && !wants_body(f))
		return 0;
	if (f->bytes + n > size_limit(f))
		return stop_too_large(f);
	int e = file_write_all(f->body_fd, data, n);
	if (e) {
		cache_fail(&f->failure, CACHE_ERROR_INTERNAL, "cannot keep the body: %s", strerror(-e));
		return stop(f);
	}
	f->bytes += n;
	f->fetcher->counters->fetched_bytes += n;
	return n;
}

static int add_header(struct cache_fetch *f, const char *name, const char *value)
{
	char *line;
	if (asprintf(&line, "%s: %s", name, value) < 0)
		return -ENOMEM;
	struct curl_slist *more = curl_slist_append(f->headers, line);
	free(line);
	if (!more)
		return -ENOMEM;
	f->headers = more;
	return 0;
}

static int set_headers(struct cache_fetch *f)
{
	int e = add_header(f, "Accept", "audio/*, application/octet-stream;q=0.5, */*;q=0.1");
	if (!e && f->etag)
		e = add_header(f, "If-None-Match", f->etag);
	if (!e && f->last_modified)
		e = add_header(f, "If-Modified-Since", f->last_modified);
	return e;
}

/* A handle per hop, so that nothing of one origin (credentials, state) reaches the next. */
static int start_hop(struct cache_fetch *f)
{
	const struct settings *s = f->fetcher->settings;
	uint64_t now = clock_mono_ns();
	long left_ms = f->deadline_ns > now ? (long)((f->deadline_ns - now) / CLOCK_NS_PER_MS) + 1 : 1;
	CURL *c = f->easy = curl_easy_init();
	if (!c)
		return -ENOMEM;
	CURLcode e = curl_easy_setopt(c, CURLOPT_URL, f->source.uri);
	e |= curl_easy_setopt(c, CURLOPT_PRIVATE, f);
	e |= curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
	e |= curl_easy_setopt(c, CURLOPT_PROXY, "");
	e |= curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	e |= curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L);
	e |= curl_easy_setopt(c, CURLOPT_USERAGENT, "tollgate/" TG_VERSION);
	e |= curl_easy_setopt(c, CURLOPT_HTTPHEADER, f->headers);
	e |= curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, left_ms);
	e |= curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, (long)s->cache.connect_ms);
	e |= curl_easy_setopt(c, CURLOPT_OPENSOCKETFUNCTION, on_open);
	e |= curl_easy_setopt(c, CURLOPT_OPENSOCKETDATA, f);
	e |= curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, on_field);
	e |= curl_easy_setopt(c, CURLOPT_HEADERDATA, f);
	e |= curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_body);
	e |= curl_easy_setopt(c, CURLOPT_WRITEDATA, f);
	if (e || curl_multi_add_handle(f->fetcher->multi, c)) {
		curl_easy_cleanup(c);
		f->easy = NULL;
		return -ENOMEM;
	}
	return 0;
}

static void end_hop(struct cache_fetch *f)
{
	if (!f->easy)
		return;
	curl_multi_remove_handle(f->fetcher->multi, f->easy);
	curl_easy_cleanup(f->easy);
	f->easy = NULL;
}

static void fetch_free(struct cache_fetch *f)
{
	end_hop(f);
	if (f->prev)
		f->prev->next = f->next;
	else if (f->fetcher->first == f)
		f->fetcher->first = f->next;
	if (f->next)
		f->next->prev = f->prev;
	if (f->body_fd >= 0)
		close(f->body_fd);
	curl_slist_free_all(f->headers);
	cache_fields_clear(&f->fields);
	cache_source_free(&f->source);
	free(f->etag);
	free(f->last_modified);
	free(f);
}

static int copy_ask(struct cache_fetch *f, const struct cache_fetch_ask *ask)
{
	f->source = *ask->source;
	f->source.uri = strdup(ask->source->uri);
	f->source.shown = strdup(ask->source->shown);
	f->etag = ask->etag ? strdup(ask->etag) : NULL;
	f->last_modified = ask->last_modified ? strdup(ask->last_modified) : NULL;
	f->done = ask->done;
	f->arg = ask->arg;
	return f->source.uri && f->source.shown && !f->etag == !ask->etag &&
			       !f->last_modified == !ask->last_modified
		       ? 0
		       : -ENOMEM;
}

int cache_fetch_start(
	struct cache_fetcher *fetcher, const struct cache_fetch_ask *ask, struct cache_fetch **fetch)
{
	struct cache_fetch *f = calloc(1, sizeof(*f));
	if (!f)
		return -ENOMEM;
	f->fetcher = fetcher;
	f->body_fd = -1;
	f->deadline_ns = clock_mono_ns() + (uint64_t)fetcher->settings->cache.fetch_ms * CLOCK_NS_PER_MS;
	f->next = fetcher->first;
	if (f->next)
		f->next->prev = f;
	fetcher->first = f;
	int e = copy_ask(f, ask);
	if (!e)
		e = set_headers(f);
	if (!e)
		e = start_hop(f);
	if (e) {
		fetch_free(f);
		return e;
	}
	fetcher->counters->fetches++;
	*fetch = f;
	return 0;
}

void cache_fetch_cancel(struct cache_fetch *f)
{
	fetch_free(f);
}

static enum cache_error by_curl(const struct cache_fetch *f, CURLcode result)
{
	switch (result) {
	case CURLE_OPERATION_TIMEDOUT:
		return CACHE_ERROR_TIMEOUT;
	case CURLE_COULDNT_RESOLVE_HOST:
		return CACHE_ERROR_UNRESOLVED;
	case CURLE_COULDNT_CONNECT:
		return f->refused ? CACHE_ERROR_REFUSED_ADDRESS : CACHE_ERROR_UNREACHABLE;
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CIPHER:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_ISSUER_ERROR:
	case CURLE_SSL_INVALIDCERTSTATUS:
		return CACHE_ERROR_TLS;
	case CURLE_PARTIAL_FILE:
		return CACHE_ERROR_TRUNCATED;
	case CURLE_OUT_OF_MEMORY:
	case CURLE_FAILED_INIT:
		return CACHE_ERROR_INTERNAL;
	default:
		return CACHE_ERROR_UNREACHABLE;
	}
}

static void fail_by_curl(struct cache_fetch *f, CURLcode result)
{
	enum cache_error error = by_curl(f, result);
	/* These sentences say what to do; libcurl's own says more about the others. */
	if (error == CACHE_ERROR_REFUSED_ADDRESS || error == CACHE_ERROR_TIMEOUT ||
		error == CACHE_ERROR_TRUNCATED)
		cache_fail(&f->failure, error, NULL);
	else
		cache_fail(&f->failure, error, "%s (%s)", cache_error_sentence(error),
			curl_easy_strerror(result));
}

static bool is_redirect(long status)
{
	return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

/* Returns 0 when the next hop is under way; else f->failure is set. */
static int redirect(struct cache_fetch *f)
{
	const char *location = f->fields.value[CACHE_FIELD_LOCATION], *why = "without a Location";
	struct cache_source next;
	if (f->redirects >= CACHE_REDIRECTS_MAX) {
		cache_fail(&f->failure, CACHE_ERROR_REDIRECT, "more than %d redirects", CACHE_REDIRECTS_MAX);
		return -ELOOP;
	}
	if (!location || cache_source_redirect(&f->source, location, &next, &why)) {
		cache_fail(&f->failure, CACHE_ERROR_REDIRECT, "%s (%s)",
			cache_error_sentence(CACHE_ERROR_REDIRECT), why);
		return -EINVAL;
	}
	end_hop(f);
	cache_source_free(&f->source);
	f->source = next;
	cache_fields_clear(&f->fields);
	f->redirects++;
	f->refused = f->stopped = false;
	f->fetcher->counters->redirects++;
	int e = start_hop(f);
	if (e)
		cache_fail(&f->failure, CACHE_ERROR_INTERNAL, NULL);
	return e;
}

static void judge_status(struct cache_fetch *f, long status)
{
	if (has_sound(status) && f->bytes)
		return;
	if (has_sound(status)) {
		cache_fail(&f->failure, CACHE_ERROR_NOT_AUDIO, "the origin answered with an empty body");
		return;
	}
	cache_fail(&f->failure, CACHE_ERROR_ORIGIN_STATUS, "the origin answered with status %ld", status);
	f->failure.origin_status = status;
}

static void report(struct cache_fetch *f, bool not_modified)
{
	char **v = f->fields.value;
	struct cache_fetched out = {
		.failure = f->failure,
		.not_modified = not_modified,
		.body_fd = f->body_fd,
		.bytes = f->bytes,
		.uri = f->source.uri,
		.content_type = v[CACHE_FIELD_CONTENT_TYPE],
		.etag = v[CACHE_FIELD_ETAG],
		.last_modified = v[CACHE_FIELD_LAST_MODIFIED],
		.fields = {v[CACHE_FIELD_CACHE_CONTROL], v[CACHE_FIELD_EXPIRES], v[CACHE_FIELD_DATE],
			v[CACHE_FIELD_AGE]},
	};
	end_hop(f);
	f->done(f->arg, &out);
	f->body_fd = out.body_fd;
	fetch_free(f);
}

void cache_fetch_ended(struct cache_fetch *f, CURLcode result)
{
	long status = status_of(f);
	bool not_modified = false;
	if (result && !f->stopped) {
		fail_by_curl(f, result);
	} else if (!f->failure.error && is_redirect(status)) {
		if (!redirect(f))
			return;
	} else if (!f->failure.error && status == 304 && (f->etag || f->last_modified)) {
		not_modified = true;
	} else if (!f->failure.error) {
		judge_status(f, status);
	}
	if (!f->failure.error && !not_modified &&
		fcntl(f->body_fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL))
		cache_fail(&f->failure, CACHE_ERROR_INTERNAL, "cannot seal the body: %s", strerror(errno));
	report(f, not_modified);
}
