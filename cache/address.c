#include "cache/address.h"

#include <stdio.h>
#include <string.h>

#define MEDIA  "/v1/media"
#define LEASES "/v1/leases/"

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Returns what follows the digest, or NULL. */
static const char *parse_digest(const char *p, uint8_t digest[CACHE_DIGEST_BYTES])
{
	for (int i = 0; i < CACHE_DIGEST_BYTES; i++, p += 2) {
		int hi = hex_value(p[0]);
		int lo = hi < 0 ? -1 : hex_value(p[1]);
		if (lo < 0)
			return NULL;
		digest[i] = (uint8_t)(hi << 4 | lo);
	}
	return p;
}

/* Decimal, no leading zero: one version has one address. Returns what follows, or NULL. */
static const char *parse_version(const char *p, uint32_t *version)
{
	if (*p < '1' || *p > '9')
		return NULL;
	uint64_t v = 0;
	for (; *p >= '0' && *p <= '9'; p++) {
		v = 10 * v + (uint64_t)(*p - '0');
		if (v > UINT32_MAX)
			return NULL;
	}
	*version = (uint32_t)v;
	return p;
}

static enum cache_route_kind parse_item(const char *p, struct cache_route *r)
{
	p = parse_digest(p, r->digest);
	if (p && *p == '/')
		p = parse_version(p + 1, &r->version);
	if (!p || *p != '.' || cache_codec_parse(p + 1, &r->codec))
		return CACHE_ROUTE_UNKNOWN;
	return CACHE_ROUTE_ITEM;
}

void cache_route_parse(const char *path, struct cache_route *route)
{
	struct cache_route r = {.kind = CACHE_ROUTE_UNKNOWN};
	if (!strcmp(path, MEDIA))
		r.kind = CACHE_ROUTE_MEDIA;
	else if (!strcmp(path, MEDIA "/stats"))
		r.kind = CACHE_ROUTE_STATS;
	else if (!strncmp(path, MEDIA "/", sizeof(MEDIA)))
		r.kind = parse_item(path + sizeof(MEDIA), &r);
	else if (!strncmp(path, LEASES, sizeof(LEASES) - 1) &&
		 !id_parse(path + sizeof(LEASES) - 1, CACHE_ID_KIND_LEASE, &r.lease))
		r.kind = CACHE_ROUTE_LEASE;
	*route = r;
}

void cache_digest_format(const uint8_t digest[CACHE_DIGEST_BYTES], char out[static CACHE_HEX_BYTES])
{
	static const char hex[] = "0123456789abcdef";
	for (int i = 0; i < CACHE_DIGEST_BYTES; i++) {
		out[2 * i] = hex[digest[i] >> 4];
		out[2 * i + 1] = hex[digest[i] & 15];
	}
	out[2 * CACHE_DIGEST_BYTES] = '\0';
}

void cache_address_format(const uint8_t digest[CACHE_DIGEST_BYTES], uint32_t version, uint8_t codec,
	char out[static CACHE_ADDRESS_BYTES])
{
	char hex[CACHE_HEX_BYTES];
	cache_digest_format(digest, hex);
	snprintf(out, CACHE_ADDRESS_BYTES, MEDIA "/%s/%u.%s", hex, version, cache_codec_name(codec));
}
