/* What a resolve asks for, and the persistent address that follows from it.
 *
 * The canonical form lists everything that shapes the sound or decides who may share it, one line each; the
 * digest is SHA-256 over it. Whoever adds a parameter adds a line: two requests that could sound different
 * must never have the same form. */
#ifndef TG_CACHE_REQUEST_H
#define TG_CACHE_REQUEST_H

#include <stddef.h>
#include <stdint.h>

#include "cache/source.h"

#define CACHE_DIGEST_BYTES  32
#define CACHE_ACCOUNT_BYTES 65
#define CACHE_RATE          8000u
#define CACHE_PTIME         20u
#define CACHE_FRAME_BYTES   160u

/* The query's arguments, decoded; NULL: not given. */
struct cache_query {
	const char *source, *codec, *ptime, *account;
};

struct cache_request {
	struct cache_source source;
	uint8_t codec; /* enum tg_media_codec */
	uint32_t rate, ptime;
	char account[CACHE_ACCOUNT_BYTES]; /* "": none given */
	uint8_t digest[CACHE_DIGEST_BYTES];
};

/* Checks the arguments and computes the digest. codec: PCMU by default; ptime: 20 by default and alone
 * allowed; account: letters, digits, '-' and '_', needed where the source has credentials. Returns 0 and a
 * request that is freed with cache_request_free(); -EINVAL with a sentence (a literal) in *why; -ENOMEM. */
int cache_request_parse(const struct cache_query *query, struct cache_request *request, const char **why);
void cache_request_free(struct cache_request *request);

/* The canonical form, the caller's to free; NULL: out of memory. */
char *cache_request_canonical(const struct cache_request *request);

/* "PCMU", "PCMA". Returns 0 or -EINVAL; any case is taken. */
int cache_codec_parse(const char *text, uint8_t *codec);
const char *cache_codec_name(uint8_t codec);

#endif
