/* Where a redirect leads, and what may go there. Pure. */
#ifndef TG_MODULES_FETCHER_REDIRECT_H
#define TG_MODULES_FETCHER_REDIRECT_H

#include <stdbool.h>
#include <stddef.h>

#include "controlplane/modules/fetch_error.h"

#define FETCHER_REDIRECTS_MAX 10

/* 301, 302, 303, 307, 308. */
bool fetcher_redirect_status(int status);
/* Writes the next URL: location (NULL: the answer had none) resolved against url, with url's fragment when it
 * has none of its own (RFC 9110, 10.2.2). Returns FETCH_OK, FETCH_REDIRECT_TARGET or FETCH_REDIRECT_INSECURE.
 */
enum fetch_error fetcher_redirect_resolve(const char *url, const char *location, char *out, size_t out_bytes);
/* The method after it: a POST becomes a GET by 301, 302 and 303, anything by 303 (RFC 9110, 15.4). */
const char *fetcher_redirect_method(int status, const char *method);
/* Same scheme, host and port? Headers of the request, a signature among them, go no further. */
bool fetcher_redirect_same_origin(const char *a, const char *b);

#endif
