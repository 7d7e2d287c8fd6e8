#include <errno.h>
#include <string.h>

#include "cache/address.h"
#include "cache/request.h"
#include "contract/media.h"
#include "tests/unit/cache/run_suite.h"

static struct cache_request good(struct cache_query q)
{
	struct cache_request r;
	const char *why = "";
	ck_assert_msg(cache_request_parse(&q, &r, &why) == 0, "%s", why);
	return r;
}

static void bad(struct cache_query q)
{
	struct cache_request r;
	const char *why = NULL;
	ck_assert_int_eq(cache_request_parse(&q, &r, &why), -EINVAL);
	ck_assert(why && *why);
}

START_TEST(defaults)
{
	struct cache_request r = good((struct cache_query){.source = "http://h/a.wav"});
	ck_assert_int_eq(r.codec, TG_CODEC_PCMU);
	ck_assert_uint_eq(r.rate, 8000);
	ck_assert_uint_eq(r.ptime, 20);
	char *text = cache_request_canonical(&r);
	ck_assert_str_eq(text,
		"tollgate-media 1\nscope=public\nsource=http://h/a.wav\ncodec=PCMU\nrate=8000\nptime=20\n");
	free(text);
	cache_request_free(&r);
}
END_TEST

/* The address is persistent: another build must find what this one stored. The digest is that of
 * `printf '<canonical form>' | sha256sum`. */
START_TEST(digest_is_sha256_of_the_form)
{
	struct cache_request r = good((struct cache_query){.source = "HTTP://H:80/a.wav#x", .codec = "pcmu"});
	char hex[CACHE_HEX_BYTES];
	cache_digest_format(r.digest, hex);
	ck_assert_str_eq(hex, "27a17f66f861283dbf380a7bec03e9a6884f89a08d61ecf3db4a611cbe1a2148");
	cache_request_free(&r);
}
END_TEST

START_TEST(what_shapes_the_sound_shapes_the_digest)
{
	const struct cache_query q[] = {
		{.source = "http://h/a"},
		{.source = "http://h/b"},
		{.source = "http://h/a?v=2"},
		{.source = "http://h/a", .codec = "PCMA"},
		{.source = "http://u:p@h/a", .account = "AC1"},
		{.source = "http://u:p@h/a", .account = "AC2"},
		{.source = "http://u:q@h/a", .account = "AC1"},
	};
	for (size_t i = 0; i < sizeof(q) / sizeof(q[0]); i++)
		for (size_t j = 0; j < i; j++) {
			struct cache_request a = good(q[i]), b = good(q[j]);
			ck_assert(memcmp(a.digest, b.digest, sizeof(a.digest)));
			cache_request_free(&a);
			cache_request_free(&b);
		}
}
END_TEST

START_TEST(public_sounds_are_shared)
{
	struct cache_request a = good(
		(struct cache_query){.source = "http://h/a", .account = "AC1", .ptime = "20"});
	struct cache_request b = good((struct cache_query){.source = "http://h/a"});
	ck_assert(!memcmp(a.digest, b.digest, sizeof(a.digest)));
	cache_request_free(&a);
	cache_request_free(&b);
}
END_TEST

START_TEST(bad_arguments)
{
	bad((struct cache_query){0});
	bad((struct cache_query){.source = ""});
	bad((struct cache_query){.source = "http://h/", .codec = "opus"});
	bad((struct cache_query){.source = "http://h/", .codec = ""});
	bad((struct cache_query){.source = "http://h/", .ptime = "30"});
	bad((struct cache_query){.source = "http://h/", .ptime = "20 "});
	bad((struct cache_query){.source = "http://h/", .account = "a b"});
	bad((struct cache_query){.source = "http://h/", .account = "a\nsource=x"});
	bad((struct cache_query){.source = "http://u:p@h/"});
	char account[CACHE_ACCOUNT_BYTES + 1];
	memset(account, 'A', sizeof(account));
	account[CACHE_ACCOUNT_BYTES] = '\0';
	bad((struct cache_query){.source = "http://h/", .account = account});
	account[CACHE_ACCOUNT_BYTES - 1] = '\0';
	struct cache_request r = good((struct cache_query){.source = "http://h/", .account = account});
	cache_request_free(&r);
}
END_TEST

int main(void)
{
	return run_suite("request", (const TTest *const[]){defaults, digest_is_sha256_of_the_form,
					    what_shapes_the_sound_shapes_the_digest, public_sounds_are_shared,
					    bad_arguments, NULL});
}
