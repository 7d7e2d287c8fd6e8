/* Digest credentials for a challenge to a request of ours (RFC 7616, RFC 8760): MD5 and SHA-256, qop auth or
 * none. A function from values to text. */
#ifndef TG_SIP_DIGEST_H
#define TG_SIP_DIGEST_H

#include <stddef.h>

#define DIGEST_REALM_BYTES  128
#define DIGEST_HEADER_BYTES 2048

enum digest_algorithm { DIGEST_UNKNOWN, DIGEST_MD5, DIGEST_SHA256 };

/* A challenge's parameters, "name=value" with quotes as they came, ended by NULL. */
struct digest_challenge {
	const char *scheme;
	const char *const *params;
};

struct digest_request {
	const char *method, *uri;
	const char *username, *password;
	const char *cnonce; /* fresh, random, hex digits */
};

/* DIGEST_UNKNOWN: not a challenge that can be answered. */
enum digest_algorithm digest_algorithm_of(const struct digest_challenge *challenge);
/* Returns 0, or -EINVAL: none, or too long. */
int digest_realm(const struct digest_challenge *challenge, char out[static DIGEST_REALM_BYTES]);
/* Writes the value of the Authorization or Proxy-Authorization header. Returns 0, -EINVAL: the challenge
 * lacks something or is beyond what is supported, -ENOSPC. */
int digest_answer(const struct digest_challenge *challenge, const struct digest_request *request, char *out,
	size_t bytes);

#endif
