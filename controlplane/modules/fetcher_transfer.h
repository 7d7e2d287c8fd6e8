/* One request of the fetcher, attempt by attempt: its copy of what was asked, libcurl's handle while an
 * attempt runs, and what has come back. Belongs to the fetcher's thread once it is submitted. */
#ifndef TG_MODULES_FETCHER_TRANSFER_H
#define TG_MODULES_FETCHER_TRANSFER_H

#include <curl/curl.h>
#include <netinet/in.h>

#include "controlplane/modules/fetch_error.h"
#include "controlplane/modules/fetcher.h"
#include "controlplane/modules/fetcher_cookies.h"
#include "controlplane/modules/fetcher_limits.h"

struct transfer;

/* What the thread is asked to do, in order. */
struct fetcher_command {
	struct fetcher_command *next;
	enum { FETCHER_BEGIN, FETCHER_CANCEL, FETCHER_FORGET_COOKIES } kind;
	struct transfer *transfer;
	char *scope; /* FORGET_COOKIES */
};

struct transfer {
	uint64_t id;
	bool cancelled; /* under the fetcher's lock */
	struct fetcher_command begin, cancel;
	struct transfer *next, **at; /* list of the thread; at NULL: not in it */
	const struct settings *settings;
	/* What is asked; redirects change it. */
	char *url; /* normal form */
	const char *method;
	char *body, *unix_socket, *scope;
	struct curl_slist *headers; /* the first is ours */
	size_t max_body;
	struct fetcher_limits limits;
	/* How far it is. */
	struct cookie_jar *jar;
	CURL *easy;        /* NULL: waits for start_ns */
	uint64_t start_ns; /* of the next attempt */
	uint64_t since_ns; /* answering: of the last bytes; else of the attempt */
	uint64_t end_ns;   /* of everything */
	bool answering;    /* connected, the request is on its way */
	unsigned redirects, retries;
	enum fetch_error bad; /* can't be begun at all */
	/* What came back in this attempt. */
	char *received;
	size_t received_len, received_room;
	bool too_large, no_memory, refused, no_socket;
	char refused_address[INET6_ADDRSTRLEN];
	char detail[CURL_ERROR_SIZE];
	struct fetcher_result *result;
};

/* Copies the request. Returns 0 or -ENOMEM; what is wrong with the request is in ->bad. */
int transfer_new(
	struct transfer **transfer, const struct settings *settings, const struct fetcher_request *request);
/* Its handle must be gone. Frees the result too, unless it was taken. */
void transfer_free(struct transfer *t);

/* Begins an attempt now. */
enum fetch_error transfer_begin(struct transfer *t, CURLM *multi, uint64_t now_ns);
/* What an attempt that libcurl ended has come to; status and content type go into the result. */
enum fetch_error transfer_outcome(struct transfer *t, CURLcode code);
/* After transfer_outcome() said FETCH_OK: does the answer send us elsewhere? */
bool transfer_redirected(const struct transfer *t);
/* Makes the redirect's target what is asked. Returns FETCH_OK or why it isn't followed. */
enum fetch_error transfer_redirect(struct transfer *t);
/* Ends the attempt, if one runs. */
void transfer_end(struct transfer *t, CURLM *multi);
/* May a failed attempt be followed by another? Then that is scheduled. */
bool transfer_retry(struct transfer *t, enum fetch_error error, uint64_t now_ns);

/* When the thread must look at it next. */
uint64_t transfer_due_ns(const struct transfer *t);
/* Which time is over, or FETCH_OK. */
enum fetch_error transfer_expired(const struct transfer *t, uint64_t now_ns);

/* Completes the result, without handing it over. */
void transfer_conclude(struct transfer *t, enum fetch_error error);

#endif
