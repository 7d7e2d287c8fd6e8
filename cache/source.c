#include "cache/source.h"

#include <ctype.h>
#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Control characters would reach logs, request lines and the canonical form's line structure. */
static bool has_control(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			return true;
	return false;
}

static int lower_host(CURLU *u, const char **why)
{
	char *host = NULL;
	if (curl_url_get(u, CURLUPART_HOST, &host, 0) || !host || !*host) {
		curl_free(host);
		*why = "source: the URI has no host";
		return -EINVAL;
	}
	for (char *p = host; *p; p++)
		*p = (char)tolower((unsigned char)*p);
	CURLUcode c = curl_url_set(u, CURLUPART_HOST, host, 0);
	curl_free(host);
	if (c) {
		*why = "source: the URI's host is not valid";
		return -EINVAL;
	}
	return 0;
}

static int check_scheme(CURLU *u, bool *https, const char **why)
{
	char *scheme = NULL;
	if (curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) || !scheme) {
		*why = "source: the URI has no scheme";
		return -EINVAL;
	}
	*https = !strcasecmp(scheme, "https");
	bool ok = *https || !strcasecmp(scheme, "http");
	curl_free(scheme);
	if (!ok)
		*why = "source: only http and https are fetched";
	return ok ? 0 : -EINVAL;
}

static bool has_part(CURLU *u, CURLUPart part)
{
	char *text = NULL;
	bool has = !curl_url_get(u, part, &text, 0) && text && *text;
	curl_free(text);
	return has;
}

static char *whole(CURLU *u)
{
	char *text = NULL, *copy = NULL;
	if (!curl_url_get(u, CURLUPART_URL, &text, CURLU_NO_DEFAULT_PORT) && text)
		copy = strdup(text);
	curl_free(text);
	return copy;
}

/* Changes u. */
static char *shown(CURLU *u)
{
	bool query = has_part(u, CURLUPART_QUERY);
	curl_url_set(u, CURLUPART_USER, NULL, 0);
	curl_url_set(u, CURLUPART_PASSWORD, NULL, 0);
	curl_url_set(u, CURLUPART_OPTIONS, NULL, 0);
	curl_url_set(u, CURLUPART_QUERY, NULL, 0);
	char *text = whole(u);
	if (!text || !query)
		return text;
	char *more = malloc(strlen(text) + sizeof("?..."));
	if (more)
		sprintf(more, "%s?...", text);
	free(text);
	return more;
}

static int canonical(CURLU *u, struct cache_source *source, const char **why)
{
	struct cache_source s = {0};
	int e = check_scheme(u, &s.https, why);
	if (!e)
		e = lower_host(u, why);
	if (e)
		return e;
	curl_url_set(u, CURLUPART_FRAGMENT, NULL, 0);
	s.credentials = has_part(u, CURLUPART_USER) || has_part(u, CURLUPART_PASSWORD);
	s.uri = whole(u);
	s.shown = shown(u);
	if (!s.uri || !s.shown) {
		cache_source_free(&s);
		*why = "source: out of memory";
		return -ENOMEM;
	}
	*source = s;
	return 0;
}

static int parse(const char *base, const char *text, struct cache_source *source, const char **why)
{
	if (strlen(text) > CACHE_SOURCE_MAX) {
		*why = "source: the URI is longer than 8192 characters";
		return -EINVAL;
	}
	if (!*text || has_control(text)) {
		*why = *text ? "source: the URI has control characters" : "source: the URI is empty";
		return -EINVAL;
	}
	CURLU *u = curl_url();
	if (!u) {
		*why = "source: out of memory";
		return -ENOMEM;
	}
	int e = 0;
	if ((base && curl_url_set(u, CURLUPART_URL, base, 0)) ||
		curl_url_set(u, CURLUPART_URL, text, CURLU_URLENCODE)) {
		*why = "source: not a complete http or https URI";
		e = -EINVAL;
	}
	if (!e)
		e = canonical(u, source, why);
	curl_url_cleanup(u);
	return e;
}

int cache_source_parse(const char *text, struct cache_source *source, const char **why)
{
	return parse(NULL, text, source, why);
}

int cache_source_redirect(
	const struct cache_source *base, const char *location, struct cache_source *source, const char **why)
{
	struct cache_source s;
	int e = parse(base->uri, location, &s, why);
	if (e)
		return e;
	if (base->https && !s.https) {
		cache_source_free(&s);
		*why = "the origin redirected from https to http";
		return -EINVAL;
	}
	*source = s;
	return 0;
}

void cache_source_free(struct cache_source *source)
{
	free(source->uri);
	free(source->shown);
	*source = (struct cache_source){0};
}
