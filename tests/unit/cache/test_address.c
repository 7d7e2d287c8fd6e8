#include <string.h>

#include "cache/address.h"
#include "contract/media.h"
#include "tests/unit/cache/run_suite.h"

#define HEX "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static struct cache_route parse(const char *path)
{
	struct cache_route r;
	memset(&r, 0xee, sizeof(r));
	cache_route_parse(path, &r);
	return r;
}

START_TEST(routes)
{
	ck_assert_int_eq(parse("/v1/media").kind, CACHE_ROUTE_MEDIA);
	ck_assert_int_eq(parse("/v1/media/stats").kind, CACHE_ROUTE_STATS);
	struct cache_route r = parse("/v1/media/" HEX ".PCMA");
	ck_assert_int_eq(r.kind, CACHE_ROUTE_ITEM);
	ck_assert_uint_eq(r.version, 0);
	ck_assert_int_eq(r.codec, TG_CODEC_PCMA);
	ck_assert_uint_eq(r.digest[1], 0x11);
	ck_assert_uint_eq(r.digest[31], 0xff);
	r = parse("/v1/media/" HEX "/4294967295.pcmu");
	ck_assert_int_eq(r.kind, CACHE_ROUTE_ITEM);
	ck_assert_uint_eq(r.version, UINT32_MAX);
	r = parse("/v1/leases/LE00112233445566778899aabbccddeeff");
	ck_assert_int_eq(r.kind, CACHE_ROUTE_LEASE);
	ck_assert_uint_eq(r.lease.b[15], 0xff);
}
END_TEST

START_TEST(anything_else_is_unknown)
{
	static const char *const paths[] = {"", "/", "/v1", "/v1/media/", "/v1/mediax", "/v1/media/stats/",
		"/v1/media/" HEX, "/v1/media/" HEX ".", "/v1/media/" HEX ".wav", "/v1/media/" HEX "/.PCMU",
		"/v1/media/" HEX "/0.PCMU", "/v1/media/" HEX "/01.PCMU", "/v1/media/" HEX "/4294967296.PCMU",
		"/v1/media/" HEX "/99999999999999999999999.PCMU", "/v1/media/" HEX "/1/2.PCMU",
		"/v1/media/" HEX "/-1.PCMU", "/v1/media/0011.PCMU", "/v1/media/" HEX "0.PCMU",
		"/v1/media/0G112233445566778899aabbccddeeff00112233445566778899aabbccddeeff.PCMU",
		"/v1/media/00112233445566778899AABBCCDDEEFF00112233445566778899aabbccddeeff.PCMU",
		"/v1/leases/", "/v1/leases/LE0011", "/v1/leases/CA00112233445566778899aabbccddeeff",
		"/v1/leases/LE00112233445566778899aabbccddeeff0"};
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		ck_assert_msg(parse(paths[i]).kind == CACHE_ROUTE_UNKNOWN, "%s", paths[i]);
}
END_TEST

START_TEST(addresses_come_back)
{
	uint8_t digest[CACHE_DIGEST_BYTES];
	char text[CACHE_ADDRESS_BYTES];
	for (int i = 0; i < CACHE_DIGEST_BYTES; i++)
		digest[i] = (uint8_t)(i * 37);
	cache_address_format(digest, UINT32_MAX, TG_CODEC_PCMU, text);
	struct cache_route r = parse(text);
	ck_assert_int_eq(r.kind, CACHE_ROUTE_ITEM);
	ck_assert(!memcmp(r.digest, digest, sizeof(digest)));
	ck_assert_uint_eq(r.version, UINT32_MAX);
}
END_TEST

int main(void)
{
	return run_suite("address",
		(const TTest *const[]){routes, anything_else_is_unknown, addresses_come_back, NULL});
}
