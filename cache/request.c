#include "cache/request.h"

#include <ctype.h>
#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "contract/media.h"

int cache_codec_parse(const char *text, uint8_t *codec)
{
	if (!strcasecmp(text, "PCMU"))
		*codec = TG_CODEC_PCMU;
	else if (!strcasecmp(text, "PCMA"))
		*codec = TG_CODEC_PCMA;
	else
		return -EINVAL;
	return 0;
}

const char *cache_codec_name(uint8_t codec)
{
	return codec == TG_CODEC_PCMA ? "PCMA" : "PCMU";
}

static int parse_account(const char *text, char out[CACHE_ACCOUNT_BYTES])
{
	if (strlen(text) >= CACHE_ACCOUNT_BYTES)
		return -EINVAL;
	for (const char *p = text; *p; p++)
		if (!isalnum((unsigned char)*p) && *p != '-' && *p != '_')
			return -EINVAL;
	strcpy(out, text);
	return 0;
}

char *cache_request_canonical(const struct cache_request *r)
{
	char *text;
	int n = asprintf(&text, "tollgate-media 1\nscope=%s%s\nsource=%s\ncodec=%s\nrate=%u\nptime=%u\n",
		r->source.credentials ? "account:" : "public", r->source.credentials ? r->account : "",
		r->source.uri, cache_codec_name(r->codec), r->rate, r->ptime);
	return n < 0 ? NULL : text;
}

static int digest(struct cache_request *r)
{
	char *text = cache_request_canonical(r);
	unsigned n = 0;
	int ok = text && EVP_Digest(text, strlen(text), r->digest, &n, EVP_sha256(), NULL) == 1;
	free(text);
	return ok ? 0 : -ENOMEM;
}

int cache_request_parse(const struct cache_query *q, struct cache_request *request, const char **why)
{
	struct cache_request r = {.codec = TG_CODEC_PCMU, .rate = CACHE_RATE, .ptime = CACHE_PTIME};
	*why = "out of memory";
	if (q->codec && cache_codec_parse(q->codec, &r.codec)) {
		*why = "codec: PCMU or PCMA";
		return -EINVAL;
	}
	if (q->ptime && strcmp(q->ptime, "20")) {
		*why = "ptime: 20";
		return -EINVAL;
	}
	if (q->account && parse_account(q->account, r.account)) {
		*why = "account: at most 64 letters, digits, '-' and '_'";
		return -EINVAL;
	}
	if (!q->source) {
		*why = "source: missing";
		return -EINVAL;
	}
	int e = cache_source_parse(q->source, &r.source, why);
	if (e)
		return e;
	if (r.source.credentials && !*r.account) {
		*why = "account: needed, because the source has credentials";
		cache_source_free(&r.source);
		return -EINVAL;
	}
	e = digest(&r);
	if (e) {
		*why = "out of memory";
		cache_source_free(&r.source);
		return e;
	}
	*request = r;
	return 0;
}

void cache_request_free(struct cache_request *request)
{
	cache_source_free(&request->source);
}
