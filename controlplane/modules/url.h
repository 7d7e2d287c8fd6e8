/* URLs of documents, actions and sounds: one form for comparing, signing and fetching.
 *
 * libcurl takes them apart, since libcurl is what fetches them: nothing can mean one thing here and another
 * there. The normal form is absolute, http or https, scheme and host in lower case, without a default port,
 * without dot segments ("%2e" is a dot), with a path of at least "/". Userinfo, query and fragment stay. */
#ifndef TG_MODULES_URL_H
#define TG_MODULES_URL_H

#include <stdbool.h>
#include <stddef.h>

#define URL_BYTES_MAX 8192

/* Writes the normal form of reference, resolved against base (RFC 3986, 5.2); base NULL: reference must be
 * absolute. White space around the reference is dropped. Returns 0; -EINVAL: no http or https URL;
 * -E2BIG: it doesn't fit; -ENOMEM. */
int url_resolve(const char *base, const char *reference, char *out, size_t out_bytes);

/* As it is signed and sent: normal form without userinfo and fragment. Returns as url_resolve(). */
int url_strip(const char *url, char *out, size_t out_bytes);

/* For records and logs: without user name and password, otherwise as it is; cut to fit. Returns out. */
const char *url_show(const char *url, char *out, size_t out_bytes);

/* Is this URL (normal form) in the space (normal form without query and fragment): equal to it, or longer and
 * the space ends where a path segment ends? Userinfo doesn't count. A path that leads upwards where a server
 * reads it more freely than RFC 3986 ("..%2f", "..;x/") is in no space. */
bool url_in_space(const char *space, const char *url);

bool url_is_https(const char *url);

#endif
