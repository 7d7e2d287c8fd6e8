#include <errno.h>
#include <string.h>

#include "cache/source.h"
#include "tests/unit/cache/run_suite.h"

static struct cache_source good(const char *text)
{
	struct cache_source s;
	const char *why = "";
	ck_assert_msg(cache_source_parse(text, &s, &why) == 0, "%s: %s", text, why);
	return s;
}

START_TEST(canonical_form)
{
	static const char *const pairs[][2] = {
		{"HTTP://Example.COM", "http://example.com/"},
		{"http://example.com:80/a", "http://example.com/a"},
		{"https://example.com:443/a", "https://example.com/a"},
		{"http://example.com:443/a", "http://example.com:443/a"},
		{"http://example.com/a#part", "http://example.com/a"},
		{"http://example.com/a/../b", "http://example.com/b"},
		{"http://example.com/a?x=1&y=2", "http://example.com/a?x=1&y=2"},
		{"http://example.com/A?x=B", "http://example.com/A?x=B"},
		{"http://example.com/two words.wav", "http://example.com/two%20words.wav"},
		{"http://[::1]:8080/", "http://[::1]:8080/"},
		{"http://u:P@Example.com/", "http://u:P@example.com/"},
	};
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		struct cache_source s = good(pairs[i][0]);
		ck_assert_str_eq(s.uri, pairs[i][1]);
		struct cache_source again = good(s.uri);
		ck_assert_str_eq(again.uri, s.uri);
		cache_source_free(&again);
		cache_source_free(&s);
	}
}
END_TEST

START_TEST(different_stays_different)
{
	static const char *const texts[] = {"http://h/a", "https://h/a", "http://h/A", "http://h/a?",
		"http://h/a?b", "http://h/a?b=1", "http://h/a?B=1", "http://h:81/a", "http://u@h/a",
		"http://u:p@h/a", "http://i/a", "http://h/a/", "http://h/a%2Fb", "http://h/a/b"};
	size_t n = sizeof(texts) / sizeof(texts[0]);
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < i; j++) {
			struct cache_source a = good(texts[i]), b = good(texts[j]);
			if (strcmp(texts[i], "http://h/a?") && strcmp(texts[j], "http://h/a?"))
				ck_assert_str_ne(a.uri, b.uri);
			cache_source_free(&a);
			cache_source_free(&b);
		}
}
END_TEST

START_TEST(bad_input_is_refused)
{
	static const char *const texts[] = {"", "x", "/a", "//h/a", "ftp://h/a", "file:///etc/passwd",
		"http://", "gopher://h/", "http://h/\r\nX: y", "http://h/\x7f", "javascript:alert(1)",
		"http://h:99999/", "data:audio/wav;base64,AAAA"};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct cache_source s;
		const char *why = NULL;
		ck_assert_msg(cache_source_parse(texts[i], &s, &why) == -EINVAL, "%s", texts[i]);
		ck_assert(why && *why);
	}
	char text[CACHE_SOURCE_MAX + 10] = "http://h/";
	memset(text + 9, 'a', CACHE_SOURCE_MAX - 9);
	struct cache_source s = good(text);
	cache_source_free(&s);
	strcat(text, "a");
	const char *why;
	ck_assert_int_eq(cache_source_parse(text, &s, &why), -EINVAL);
}
END_TEST

START_TEST(secrets_are_not_shown)
{
	struct cache_source s = good("https://user:secret@h/a.wav?token=abc");
	ck_assert(s.credentials && s.https);
	ck_assert_str_eq(s.shown, "https://h/a.wav?...");
	cache_source_free(&s);
	s = good("http://h/a.wav");
	ck_assert(!s.credentials && !s.https);
	ck_assert_str_eq(s.shown, "http://h/a.wav");
	cache_source_free(&s);
}
END_TEST

START_TEST(redirects)
{
	static const struct {
		const char *base, *location, *to; /* to NULL: refused */
	} cases[] = {
		{"http://h/a/b", "c", "http://h/a/c"},
		{"http://h/a/b", "/c", "http://h/c"},
		{"http://h/a", "https://i/c", "https://i/c"},
		{"https://h/a", "https://i/c", "https://i/c"},
		{"https://h/a", "/c", "https://h/c"},
		{"https://h/a", "http://h/a", NULL},
		{"https://h/a", "http://i/a", NULL},
		{"http://h/a", "file:///etc/passwd", NULL},
		{"http://h/a", "ftp://h/a", NULL},
		{"http://h/a", "", NULL},
		{"http://u:p@h/a", "http://i/a", "http://i/a"},
		{"http://u:p@h/a", "//i/a", "http://i/a"},
		{"http://u:p@h/a", "b", "http://u:p@h/b"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct cache_source base = good(cases[i].base), to;
		const char *why;
		int e = cache_source_redirect(&base, cases[i].location, &to, &why);
		ck_assert_msg(
			(e == 0) == (cases[i].to != NULL), "%s -> %s", cases[i].base, cases[i].location);
		if (!e) {
			ck_assert_str_eq(to.uri, cases[i].to);
			cache_source_free(&to);
		}
		cache_source_free(&base);
	}
}
END_TEST

int main(void)
{
	return run_suite("source", (const TTest *const[]){canonical_form, different_stays_different,
					   bad_input_is_refused, secrets_are_not_shown, redirects, NULL});
}
