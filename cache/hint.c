#include "cache/hint.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define RATE_MAX     192000
#define CHANNELS_MAX 8

/* Compares the type and subtype, without parameters. */
static bool is_type(const char *content_type, const char *type)
{
	while (*content_type == ' ' || *content_type == '\t')
		content_type++;
	size_t n = strcspn(content_type, "; \t");
	return n == strlen(type) && !strncasecmp(content_type, type, n);
}

static bool has_prefix(const char *content_type, const char *prefix)
{
	content_type += strspn(content_type, " \t");
	return !strncasecmp(content_type, prefix, strlen(prefix));
}

bool cache_type_may_be_audio(const char *content_type)
{
	static const char *const never[] = {"text/", "image/", "font/", "multipart/", "message/", "model/"};
	static const char *const never_exactly[] = {"application/json", "application/xml",
		"application/xhtml+xml", "application/problem+json", "application/javascript",
		"application/pdf", "application/zip", "application/x-www-form-urlencoded"};
	if (!content_type)
		return true;
	for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++)
		if (has_prefix(content_type, never[i]))
			return false;
	for (size_t i = 0; i < sizeof(never_exactly) / sizeof(never_exactly[0]); i++)
		if (is_type(content_type, never_exactly[i]))
			return false;
	return true;
}

/* ";rate=16000": value of a parameter, or what is assumed without it or where it is out of range. */
static unsigned parameter(const char *content_type, const char *name, unsigned most, unsigned assumed)
{
	for (const char *p = strchr(content_type, ';'); p; p = strchr(p, ';')) {
		p++;
		p += strspn(p, " \t");
		size_t n = strlen(name);
		if (strncasecmp(p, name, n) || p[n] != '=')
			continue;
		p += n + 1;
		p += *p == '"';
		char *end;
		unsigned long v = strtoul(p, &end, 10);
		return end > p && *p >= '0' && *p <= '9' && v >= 1 && v <= most ? (unsigned)v : assumed;
	}
	return assumed;
}

static enum cache_hint by_type(const char *content_type)
{
	static const struct {
		const char *type;
		enum cache_hint hint;
	} types[] = {{"audio/basic", CACHE_HINT_ULAW}, {"audio/ulaw", CACHE_HINT_ULAW},
		{"audio/x-ulaw", CACHE_HINT_ULAW}, {"audio/x-mulaw", CACHE_HINT_ULAW},
		{"audio/mulaw", CACHE_HINT_ULAW}, {"audio/pcmu", CACHE_HINT_ULAW},
		{"audio/alaw", CACHE_HINT_ALAW}, {"audio/x-alaw", CACHE_HINT_ALAW},
		{"audio/x-alaw-basic", CACHE_HINT_ALAW}, {"audio/pcma", CACHE_HINT_ALAW},
		{"audio/l16", CACHE_HINT_L16}, {"audio/gsm", CACHE_HINT_GSM},
		{"audio/x-gsm", CACHE_HINT_GSM}};
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (is_type(content_type, types[i].type))
			return types[i].hint;
	return CACHE_HINT_NONE;
}

static enum cache_hint by_ending(const char *uri)
{
	static const struct {
		const char *ending;
		enum cache_hint hint;
	} endings[] = {{".ulaw", CACHE_HINT_ULAW}, {".ul", CACHE_HINT_ULAW}, {".mulaw", CACHE_HINT_ULAW},
		{".pcmu", CACHE_HINT_ULAW}, {".alaw", CACHE_HINT_ALAW}, {".al", CACHE_HINT_ALAW},
		{".pcma", CACHE_HINT_ALAW}, {".gsm", CACHE_HINT_GSM}};
	size_t n = strcspn(uri, "?#");
	for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
		size_t len = strlen(endings[i].ending);
		if (n >= len && !strncasecmp(uri + n - len, endings[i].ending, len))
			return endings[i].hint;
	}
	return CACHE_HINT_NONE;
}

struct cache_body_type cache_type_hint(const char *content_type, const char *uri)
{
	struct cache_body_type t = {.hint = CACHE_HINT_NONE, .rate = 8000, .channels = 1};
	if (content_type)
		t.hint = by_type(content_type);
	/* Servers that don't know a type send one of these. */
	if (!content_type || is_type(content_type, "application/octet-stream") || !*content_type)
		t.hint = by_ending(uri);
	if (t.hint == CACHE_HINT_L16) {
		t.rate = parameter(content_type, "rate", RATE_MAX, 8000);
		t.channels = parameter(content_type, "channels", CHANNELS_MAX, 1);
	}
	return t;
}
