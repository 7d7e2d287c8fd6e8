#include "cache/hint.h"
#include "tests/unit/cache/run_suite.h"

START_TEST(not_audio)
{
	static const char *const never[] = {"text/html", "text/html; charset=utf-8", "TEXT/Plain",
		" text/xml", "application/json", "application/json;charset=utf-8", "image/png",
		"application/xml"};
	static const char *const maybe[] = {"audio/wav", "audio/mpeg", "application/octet-stream",
		"video/mp4", "", "binary/octet-stream", "application/ogg", "application/jsonx", "nonsense"};
	for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++)
		ck_assert_msg(!cache_type_may_be_audio(never[i]), "%s", never[i]);
	for (size_t i = 0; i < sizeof(maybe) / sizeof(maybe[0]); i++)
		ck_assert_msg(cache_type_may_be_audio(maybe[i]), "%s", maybe[i]);
	ck_assert(cache_type_may_be_audio(NULL));
}
END_TEST

static void expect(const char *type, const char *uri, enum cache_hint hint, unsigned rate)
{
	struct cache_body_type t = cache_type_hint(type, uri);
	ck_assert_msg(t.hint == hint && t.rate == rate && t.channels >= 1, "%s %s: %d %u",
		type ? type : "none", uri, t.hint, t.rate);
}

START_TEST(hints)
{
	expect("audio/basic", "http://h/a", CACHE_HINT_ULAW, 8000);
	expect("Audio/PCMU;rate=8000", "http://h/a", CACHE_HINT_ULAW, 8000);
	expect("audio/x-alaw-basic", "http://h/a", CACHE_HINT_ALAW, 8000);
	expect("audio/gsm", "http://h/a", CACHE_HINT_GSM, 8000);
	expect("audio/wav", "http://h/a.ulaw", CACHE_HINT_NONE, 8000);
	expect("application/octet-stream", "http://h/a.ULAW?x=.gsm", CACHE_HINT_ULAW, 8000);
	expect(NULL, "http://h/a.gsm#x", CACHE_HINT_GSM, 8000);
	expect(NULL, "http://h/a", CACHE_HINT_NONE, 8000);
	expect(NULL, "", CACHE_HINT_NONE, 8000);
	expect("audio/L16;rate=16000", "http://h/a", CACHE_HINT_L16, 16000);
	expect("audio/L16; channels=2; Rate=\"44100\"", "http://h/a", CACHE_HINT_L16, 44100);
	ck_assert_uint_eq(cache_type_hint("audio/L16; channels=2", "").channels, 2);
}
END_TEST

START_TEST(bad_parameters)
{
	expect("audio/L16;rate=", "u", CACHE_HINT_L16, 8000);
	expect("audio/L16;rate=0", "u", CACHE_HINT_L16, 8000);
	expect("audio/L16;rate=-5", "u", CACHE_HINT_L16, 8000);
	expect("audio/L16;rate=99999999999999999999", "u", CACHE_HINT_L16, 8000);
	expect("audio/L16;;;", "u", CACHE_HINT_L16, 8000);
	ck_assert_uint_eq(cache_type_hint("audio/L16;channels=9", "").channels, 1);
}
END_TEST

int main(void)
{
	return run_suite("hint", (const TTest *const[]){not_audio, hints, bad_parameters, NULL});
}
