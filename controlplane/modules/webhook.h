/* The request that asks a module what to do: its parameters, its encoding, its signature. Pure. */
#ifndef TG_MODULES_WEBHOOK_H
#define TG_MODULES_WEBHOOK_H

#include <stddef.h>

#define WEBHOOK_PARAMS_MAX 64

struct webhook_param {
	char *name, *value; /* owned */
};

struct webhook {
	struct webhook_param param[WEBHOOK_PARAMS_MAX];
	int params;
};

/* Adds a parameter (copied; value NULL is left out). Bytes that aren't UTF-8 become U+FFFD, since the
 * receiver could not check a signature over them. Returns 0, -ENOSPC or -ENOMEM. */
int webhook_add(struct webhook *hook, const char *name, const char *value);
void webhook_clear(struct webhook *hook);

/* The request as it is sent. POST: url without fragment's effect, body form-encoded. GET: parameters in the
 * query, body NULL. The fragment stays in `url` for the fetcher. signature: of X-Twilio-Signature by the
 * account's token, base64(HMAC-SHA1(...)) over the URL as sent (documents' rule: non-default port kept,
 * userinfo and fragment dropped, "/" for an empty path, host in lower case) and, for POST, every name and
 * value sorted by name bytewise (a repeated name: values unique and sorted). Strings are the caller's to free
 * by webhook_request_clear(). Returns 0; -EINVAL: neither POST nor GET, or no http or https URL; -E2BIG: the
 * URL (with the parameters of GET) is too long; -ENOMEM. */
struct webhook_request {
	char *url, *body;
	char signature[32];
};
int webhook_build(const struct webhook *hook, const char *url, const char *method, const char *auth_token,
	struct webhook_request *request);
void webhook_request_clear(struct webhook_request *request);

#endif
