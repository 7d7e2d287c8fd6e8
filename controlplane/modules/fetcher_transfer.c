#include "controlplane/modules/fetcher_transfer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "controlplane/modules/fetcher_redirect.h"
#include "controlplane/modules/url.h"

#define BACKOFF_MS 50 /* before the first retry; twice as long before each further one */

/* What to show of a refused address goes to text. */
static bool may_connect(
	const struct transfer *t, const struct curl_sockaddr *address, char text[INET6_ADDRSTRLEN])
{
	if (t->unix_socket)
		return address->family == AF_UNIX;
	struct tg_addr to = {.family = TG_FAMILY_NONE};
	if (address->family == AF_INET) {
		struct sockaddr_in in;
		memcpy(&in, &address->addr, sizeof(in));
		to = tg_addr_ipv4(in.sin_addr.s_addr);
	}
	if (address->family == AF_INET6) {
		/* libcurl's type is no longer than an IPv4 address; what it points at is. */
		const struct sockaddr_in6 *in6 = (const void *)&address->addr;
		to = tg_addr_ipv6(in6->sin6_addr.s6_addr);
	}
	tg_addr_format(&to, text);
	return to.family && settings_may_fetch(t->settings, &to);
}

/* The address that is connected to is checked here, where no later answer of a name server can change it. */
static curl_socket_t open_socket(void *ctx, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct transfer *t = ctx;
	char text[INET6_ADDRSTRLEN] = "";
	if (purpose != CURLSOCKTYPE_IPCXN || !may_connect(t, address, text)) {
		t->refused = true;
		memcpy(t->refused_address, text, sizeof(text));
		return CURL_SOCKET_BAD;
	}
	int fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
	t->no_socket |= fd < 0 && errno != EAFNOSUPPORT;
	return fd < 0 ? CURL_SOCKET_BAD : fd;
}

static int before_request(void *ctx, char *remote, char *local, int remote_port, int local_port)
{
	struct transfer *t = ctx;
	t->answering = true;
	t->since_ns = clock_mono_ns();
	return CURL_PREREQFUNC_OK;
}

static size_t take_header(char *data, size_t size, size_t n, void *ctx)
{
	struct transfer *t = ctx;
	t->since_ns = clock_mono_ns();
	return size * n;
}

static size_t take_body(char *data, size_t size, size_t n, void *ctx)
{
	struct transfer *t = ctx;
	size_t len = size * n, need = t->received_len + len + 1;
	t->since_ns = clock_mono_ns();
	if (len > t->max_body - t->received_len) {
		t->too_large = true;
		return CURL_WRITEFUNC_ERROR;
	}
	if (need > t->received_room) {
		size_t room = need < 4096 ? 4096 : need * 2;
		char *more = realloc(t->received, room);
		if (!more) {
			t->no_memory = true;
			return CURL_WRITEFUNC_ERROR;
		}
		t->received = more;
		t->received_room = room;
	}
	memcpy(t->received + t->received_len, data, len);
	t->received_len += len;
	t->received[t->received_len] = '\0';
	return len;
}

/* Sets one option; the first failure stays. */
#define SET(option, value)                                                 \
	do {                                                               \
		if (!failed)                                               \
			failed = curl_easy_setopt(t->easy, option, value); \
	} while (0)

static CURLcode set_callbacks(struct transfer *t)
{
	CURLcode failed = CURLE_OK;
	SET(CURLOPT_PRIVATE, t);
	SET(CURLOPT_ERRORBUFFER, t->detail);
	SET(CURLOPT_OPENSOCKETFUNCTION, open_socket);
	SET(CURLOPT_OPENSOCKETDATA, t);
	SET(CURLOPT_PREREQFUNCTION, before_request);
	SET(CURLOPT_PREREQDATA, t);
	SET(CURLOPT_HEADERFUNCTION, take_header);
	SET(CURLOPT_HEADERDATA, t);
	SET(CURLOPT_WRITEFUNCTION, take_body);
	SET(CURLOPT_WRITEDATA, t);
	return failed;
}

static CURLcode set_how(struct transfer *t)
{
	CURLcode failed = CURLE_OK;
	SET(CURLOPT_PROTOCOLS_STR, "http,https");
	SET(CURLOPT_FOLLOWLOCATION, 0L);
	SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	SET(CURLOPT_USERAGENT, "Tollgate/" TG_VERSION);
	SET(CURLOPT_NOSIGNAL, 1L);
	/* Neither a name server's silence holds the thread up when a request is given up, nor the environment
	 * decides where it goes. */
	SET(CURLOPT_QUICK_EXIT, 1L);
	SET(CURLOPT_PROXY, "");
	/* libcurl's own limit makes it turn to a name's second address in time; the read and the total time
	 * are counted here. */
	SET(CURLOPT_CONNECTTIMEOUT_MS, (long)t->limits.connect_ms);
	SET(CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)t->max_body);
	if (t->unix_socket)
		SET(CURLOPT_UNIX_SOCKET_PATH, t->unix_socket);
	if (t->jar && !failed)
		failed = fetcher_cookies_use(t->jar, t->easy);
	return failed;
}

static CURLcode set_what(struct transfer *t)
{
	CURLcode failed = CURLE_OK;
	SET(CURLOPT_URL, t->url);
	SET(CURLOPT_HTTPHEADER, t->headers);
	if (!strcmp(t->method, "POST")) {
		const char *body = t->body ? t->body : "";
		SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)strlen(body));
		SET(CURLOPT_POSTFIELDS, body);
	} else if (!strcmp(t->method, "DELETE")) {
		SET(CURLOPT_CUSTOMREQUEST, "DELETE");
	}
	return failed;
}

#undef SET

enum fetch_error transfer_begin(struct transfer *t, CURLM *multi, uint64_t now_ns)
{
	if (t->bad)
		return t->bad;
	t->received_len = 0;
	t->answering = t->too_large = t->no_memory = t->refused = t->no_socket = false;
	t->detail[0] = '\0';
	t->result->status = 0;
	free(t->result->content_type);
	t->result->content_type = NULL;
	t->since_ns = now_ns;
	t->easy = curl_easy_init();
	if (!t->easy)
		return FETCH_RESOURCES;
	if (set_callbacks(t) || set_how(t) || set_what(t) || curl_multi_add_handle(multi, t->easy)) {
		curl_easy_cleanup(t->easy);
		t->easy = NULL;
		return FETCH_RESOURCES;
	}
	return FETCH_OK;
}

void transfer_end(struct transfer *t, CURLM *multi)
{
	if (!t->easy)
		return;
	curl_multi_remove_handle(multi, t->easy);
	curl_easy_cleanup(t->easy);
	t->easy = NULL;
}

static enum fetch_error no_connection(const struct transfer *t)
{
	if (t->refused)
		return FETCH_ADDRESS;
	return t->no_socket ? FETCH_RESOURCES : FETCH_CONNECT;
}

static enum fetch_error failure(const struct transfer *t, CURLcode code)
{
	switch (code) {
	case CURLE_COULDNT_RESOLVE_HOST:
		return FETCH_NAME;
	case CURLE_COULDNT_CONNECT:
		return no_connection(t);
	case CURLE_OPERATION_TIMEDOUT:
		return t->answering ? FETCH_READ_TIMEOUT : FETCH_CONNECT_TIMEOUT;
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_CIPHER:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_SHUTDOWN_FAILED:
	case CURLE_SSL_ENGINE_NOTFOUND:
	case CURLE_SSL_ENGINE_SETFAILED:
		return FETCH_TLS;
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_ISSUER_ERROR:
	case CURLE_SSL_INVALIDCERTSTATUS:
		return FETCH_CERTIFICATE;
	case CURLE_GOT_NOTHING:
	case CURLE_PARTIAL_FILE:
	case CURLE_RECV_ERROR:
	case CURLE_SEND_ERROR:
		return FETCH_BROKEN;
	case CURLE_FILESIZE_EXCEEDED:
		return FETCH_TOO_LARGE;
	case CURLE_OUT_OF_MEMORY:
		return FETCH_RESOURCES;
	default:
		return t->answering ? FETCH_PROTOCOL : FETCH_URL;
	}
}

enum fetch_error transfer_outcome(struct transfer *t, CURLcode code)
{
	long status = 0;
	const char *type = NULL;
	curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(t->easy, CURLINFO_CONTENT_TYPE, &type);
	t->result->status = (int)status;
	free(t->result->content_type);
	t->result->content_type = type ? strdup(type) : NULL;
	if (t->jar)
		fetcher_cookies_trim(t->jar, t->easy);
	if (t->too_large)
		return FETCH_TOO_LARGE;
	if (t->no_memory || (type && !t->result->content_type))
		return FETCH_RESOURCES;
	if (code)
		return failure(t, code);
	if (status >= 500)
		return FETCH_SERVER_STATUS;
	return status >= 400 ? FETCH_CLIENT_STATUS : FETCH_OK;
}

bool transfer_redirected(const struct transfer *t)
{
	return !t->unix_socket && fetcher_redirect_status(t->result->status);
}

enum fetch_error transfer_redirect(struct transfer *t)
{
	char next[URL_BYTES_MAX];
	struct curl_header *location = NULL;
	if (t->redirects == FETCHER_REDIRECTS_MAX)
		return FETCH_REDIRECTS;
	curl_easy_header(t->easy, "Location", 0, CURLH_HEADER, -1, &location);
	enum fetch_error e = fetcher_redirect_resolve(
		t->url, location ? location->value : NULL, next, sizeof(next));
	if (e)
		return e;
	char *url = strdup(next);
	if (!url)
		return FETCH_RESOURCES;
	if (!fetcher_redirect_same_origin(t->url, url)) {
		curl_slist_free_all(t->headers->next);
		t->headers->next = NULL;
	}
	free(t->url);
	t->url = url;
	t->method = fetcher_redirect_method(t->result->status, t->method);
	t->redirects++;
	return FETCH_OK;
}

bool transfer_retry(struct transfer *t, enum fetch_error error, uint64_t now_ns)
{
	uint64_t start_ns = now_ns + ((uint64_t)BACKOFF_MS << t->retries) * CLOCK_NS_PER_MS;
	if (!(fetch_error_entry(error)->retry & t->limits.retry_on) || t->retries >= t->limits.retries ||
		start_ns >= t->end_ns)
		return false;
	t->retries++;
	t->start_ns = start_ns;
	return true;
}

/* When the attempt has taken too long by itself. */
static uint64_t attempt_end_ns(const struct transfer *t)
{
	uint32_t ms = t->answering ? t->limits.read_ms : t->limits.connect_ms;
	return t->since_ns + ms * CLOCK_NS_PER_MS;
}

uint64_t transfer_due_ns(const struct transfer *t)
{
	uint64_t due_ns = t->easy ? attempt_end_ns(t) : t->start_ns;
	return due_ns < t->end_ns ? due_ns : t->end_ns;
}

enum fetch_error transfer_expired(const struct transfer *t, uint64_t now_ns)
{
	if (now_ns >= t->end_ns)
		return FETCH_TOTAL_TIMEOUT;
	if (!t->easy || now_ns < attempt_end_ns(t))
		return FETCH_OK;
	return t->answering ? FETCH_READ_TIMEOUT : FETCH_CONNECT_TIMEOUT;
}

void transfer_conclude(struct transfer *t, enum fetch_error error)
{
	struct fetcher_result *r = t->result;
	const struct fetch_error_entry *entry = fetch_error_entry(error);
	r->error_number = entry->number;
	r->error = entry->sentence;
	r->final_url = t->url;
	t->url = NULL;
	if (!error || error == FETCH_CLIENT_STATUS || error == FETCH_SERVER_STATUS) {
		r->body = t->received;
		r->body_len = t->received_len;
		t->received = NULL;
		return;
	}
	/* Half an answer is none. */
	r->status = 0;
	free(r->content_type);
	r->content_type = NULL;
}
