#include "controlplane/sip/digest.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <openssl/evp.h>

#define PARAM_BYTES 512
#define HASH_BYTES  (2 * 32 + 1)
#define NONCE_COUNT "00000001" /* every nonce is used once */

/* Copies a parameter without its quotes. 0, -ENOENT, or -EINVAL: too long, or not to be quoted again as it
 * is. */
static int param(const struct digest_challenge *c, const char *name, char *out, size_t bytes)
{
	size_t len = strlen(name);
	for (const char *const *p = c->params; p && *p; p++) {
		if (strncasecmp(*p, name, len) || (*p)[len] != '=')
			continue;
		const char *value = *p + len + 1;
		size_t n = strlen(value);
		if (n >= 2 && value[0] == '"' && value[n - 1] == '"')
			value++, n -= 2;
		if (n >= bytes)
			return -EINVAL;
		for (size_t i = 0; i < n; i++)
			if ((unsigned char)value[i] < ' ' || value[i] == '"' || value[i] == '\\')
				return -EINVAL;
		memcpy(out, value, n);
		out[n] = '\0';
		return 0;
	}
	return -ENOENT;
}

enum digest_algorithm digest_algorithm_of(const struct digest_challenge *c)
{
	char name[32];
	if (!c->scheme || strcasecmp(c->scheme, "Digest"))
		return DIGEST_UNKNOWN;
	int rc = param(c, "algorithm", name, sizeof(name));
	if (rc == -ENOENT)
		return DIGEST_MD5;
	if (rc)
		return DIGEST_UNKNOWN;
	return !strcasecmp(name, "MD5")       ? DIGEST_MD5
	       : !strcasecmp(name, "SHA-256") ? DIGEST_SHA256
					      : DIGEST_UNKNOWN;
}

int digest_realm(const struct digest_challenge *c, char out[static DIGEST_REALM_BYTES])
{
	return param(c, "realm", out, DIGEST_REALM_BYTES) ? -EINVAL : 0;
}

static bool offers_auth(const char *qop)
{
	for (const char *p = qop; *p;) {
		p += strspn(p, ", \t");
		size_t n = strcspn(p, ", \t");
		if (n == 4 && !strncasecmp(p, "auth", 4))
			return true;
		p += n;
	}
	return false;
}

/* Lower-case hex of the hash of parts joined by ':'. */
static int hash(
	enum digest_algorithm algorithm, const char *const *parts, int count, char out[static HASH_BYTES])
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned int len = 0;
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool ok = ctx && EVP_DigestInit_ex(ctx, algorithm == DIGEST_MD5 ? EVP_md5() : EVP_sha256(), NULL);
	for (int i = 0; ok && i < count; i++)
		ok = (!i || EVP_DigestUpdate(ctx, ":", 1)) &&
		     EVP_DigestUpdate(ctx, parts[i], strlen(parts[i]));
	ok = ok && EVP_DigestFinal_ex(ctx, digest, &len) && 2 * len < HASH_BYTES;
	EVP_MD_CTX_free(ctx);
	for (unsigned int i = 0; ok && i < len; i++)
		snprintf(out + 2 * i, 3, "%02x", digest[i]);
	return ok ? 0 : -EINVAL;
}

static int respond(enum digest_algorithm algorithm, const struct digest_request *r, const char *realm,
	const char *nonce, bool qop, char out[static HASH_BYTES])
{
	char ha1[HASH_BYTES], ha2[HASH_BYTES];
	int rc = hash(algorithm, (const char *[]){r->username, realm, r->password}, 3, ha1);
	if (!rc)
		rc = hash(algorithm, (const char *[]){r->method, r->uri}, 2, ha2);
	if (!rc && qop)
		rc = hash(
			algorithm, (const char *[]){ha1, nonce, NONCE_COUNT, r->cnonce, "auth", ha2}, 6, out);
	else if (!rc)
		rc = hash(algorithm, (const char *[]){ha1, nonce, ha2}, 3, out);
	return rc;
}

int digest_answer(const struct digest_challenge *c, const struct digest_request *r, char *out, size_t bytes)
{
	enum digest_algorithm algorithm = digest_algorithm_of(c);
	char realm[DIGEST_REALM_BYTES], nonce[PARAM_BYTES], opaque[PARAM_BYTES], qop[PARAM_BYTES];
	char response[HASH_BYTES];
	if (algorithm == DIGEST_UNKNOWN || digest_realm(c, realm) || param(c, "nonce", nonce, sizeof(nonce)))
		return -EINVAL;
	if (strpbrk(r->username, "\"\\\r\n"))
		return -EINVAL;
	int has_opaque = param(c, "opaque", opaque, sizeof(opaque));
	int has_qop = param(c, "qop", qop, sizeof(qop));
	if (has_opaque == -EINVAL || has_qop == -EINVAL || (!has_qop && !offers_auth(qop)))
		return -EINVAL;
	int rc = respond(algorithm, r, realm, nonce, !has_qop, response);
	if (rc)
		return rc;
	int n = snprintf(out, bytes,
		"Digest username=\"%s\", realm=\"%s\", nonce=\"%s\", uri=\"%s\", response=\"%s\", "
		"algorithm=%s%s%s%s%s%s%s",
		r->username, realm, nonce, r->uri, response, algorithm == DIGEST_MD5 ? "MD5" : "SHA-256",
		has_opaque ? "" : ", opaque=\"", has_opaque ? "" : opaque, has_opaque ? "" : "\"",
		has_qop ? "" : ", qop=auth, nc=" NONCE_COUNT ", cnonce=\"", has_qop ? "" : r->cnonce,
		has_qop ? "" : "\"");
	return n >= 0 && (size_t)n < bytes ? 0 : -ENOSPC;
}
