/* HTTP requests of the control plane, all on one thread of their own: documents from application servers, and
 * the media layer over its Unix socket. Results come back through a mailbox to the thread that asked. */
#ifndef TG_MODULES_FETCHER_H
#define TG_MODULES_FETCHER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/mailbox.h"
#include "settings/settings.h"

struct fetcher;

#define FETCHER_HEADERS_MAX 4

struct fetcher_request {
	const char *url;    /* http or https; its fragment may override timeouts: #ct= #rt= #tt= #rc= #rp= */
	const char *method; /* GET, POST, DELETE */
	const char *body;   /* form-encoded, POST only; or NULL */
	const char *header[FETCHER_HEADERS_MAX]; /* "Name: value", no line breaks */
	int headers;
	const char *unix_socket;  /* or NULL. Then addresses aren't checked and redirects aren't followed */
	const char *cookie_scope; /* cookies are kept per scope (session/account) and host; NULL: none */
	size_t max_body;          /* 0: settings.http.max_document_bytes */
	uint32_t
		total_ms; /* 0: settings.http.total_ms; for the media layer, whose fetch takes its own time */
};

/* What became of a request. The reader's thread gets it and frees it by fetcher_result_free(). */
struct fetcher_result {
	struct mail mail;
	uint64_t id;
	void *ctx;  /* given with the request */
	int status; /* HTTP; 0: no whole answer */
	/* 0: none; 11200 connection, or a status of 400 and above (then status and body are there too), 11205
	 * timeout, 11220 TLS, 11206 protocol, 11210 refused address, ... (fetch_error.def) */
	int error_number;
	const char *error; /* a sentence (literal), or NULL */
	/* Owned; may be NULL. body ends with a NUL that isn't counted. final_url: what answered, in normal
	 * form. */
	char *content_type, *body, *final_url;
	size_t body_len;
};

/* settings and box outlive the fetcher. box: where results are posted. deliver: the mail's function, called
 * by the reader. */
int fetcher_create(struct fetcher **fetcher, const struct settings *settings, struct mailbox *box,
	void (*deliver)(struct mail *mail, void *reader));
/* Stops the thread; nothing is posted any more. Results already posted are the reader's. NULL is allowed. */
void fetcher_destroy(struct fetcher *fetcher);
/* Everything is copied. Returns the request's id, never 0; 0 when memory is out. A request that can't even be
 * begun (bad URL) answers by a result too. */
uint64_t fetcher_submit(struct fetcher *fetcher, const struct fetcher_request *request, void *ctx);
/* No result comes after this returns, but one that was posted before may still be in the mailbox: compare
 * ids. */
void fetcher_cancel(struct fetcher *fetcher, uint64_t id);
/* The scope and all "<scope>/...", after their last request was submitted: a later one would begin a new jar.
 */
void fetcher_forget_cookies(struct fetcher *fetcher, const char *cookie_scope);
void fetcher_result_free(struct fetcher_result *result);

#endif
