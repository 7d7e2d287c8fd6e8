#include "controlplane/modules/url.h"

#include <ctype.h>
#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* libcurl forgives what browsers forgive; what could be read in two ways isn't taken. */
static bool plain(const char *text)
{
	for (const char *p = text; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f || *p == '\\')
			return false;
	return true;
}

/* Length of "scheme:" in front, or 0 for a relative reference. */
static size_t scheme_length(const char *text)
{
	size_t n = 0;
	if (!isalpha((unsigned char)*text))
		return 0;
	while (isalnum((unsigned char)text[n]) || (text[n] && strchr("+-.", text[n])))
		n++;
	return text[n] == ':' ? n + 1 : 0;
}

static bool absolute_http(const char *text)
{
	size_t n = scheme_length(text);
	bool http = (n == 5 && !strncasecmp(text, "http:", 5)) || (n == 6 && !strncasecmp(text, "https:", 6));
	return http && text[n] == '/' && text[n + 1] == '/' && text[n + 2] != '/' && text[n + 2] != '\0';
}

/* Writes "%2e" in front of query and fragment as the dot that it means (RFC 3986, 6.2.2.2): servers climb out
 * of a folder by "%2e%2e" as by "..", and libcurl doesn't see it. */
static void decode_dots(char *text)
{
	char *out = text;
	while (*text && !strchr("?#", *text)) {
		bool dot = !strncasecmp(text, "%2e", 3);
		*out++ = dot ? '.' : *text;
		text += dot ? 3 : 1;
	}
	memmove(out, text, strlen(text) + 1);
}

static int lower_host(CURLU *u)
{
	char *host;
	if (curl_url_get(u, CURLUPART_HOST, &host, 0))
		return -EINVAL;
	for (char *p = host; *p; p++)
		*p = (char)tolower((unsigned char)*p);
	CURLUcode code = curl_url_set(u, CURLUPART_HOST, host, 0);
	curl_free(host);
	return code ? -EINVAL : 0;
}

static int write_url(CURLU *u, char *out, size_t out_bytes)
{
	char *text;
	if (curl_url_get(u, CURLUPART_URL, &text, CURLU_NO_DEFAULT_PORT))
		return -EINVAL;
	size_t len = strlen(text);
	if (len < out_bytes)
		memcpy(out, text, len + 1);
	curl_free(text);
	return len < out_bytes ? 0 : -E2BIG;
}

static int set_reference(CURLU *u, const char *base, const char *reference)
{
	bool has_scheme = scheme_length(reference) != 0;
	if (!plain(reference) || (has_scheme && !absolute_http(reference)) || (!has_scheme && !base))
		return -EINVAL;
	if (base && curl_url_set(u, CURLUPART_URL, base, CURLU_URLENCODE))
		return -EINVAL;
	/* RFC 3986, 5.2.2: these two keep path and query, which libcurl doesn't. */
	if (!*reference)
		return curl_url_set(u, CURLUPART_FRAGMENT, NULL, 0) ? -EINVAL : 0;
	if (*reference == '#')
		return curl_url_set(u, CURLUPART_FRAGMENT, reference + 1, CURLU_URLENCODE) ? -EINVAL : 0;
	return curl_url_set(u, CURLUPART_URL, reference, CURLU_URLENCODE) ? -EINVAL : 0;
}

int url_resolve(const char *base, const char *reference, char *out, size_t out_bytes)
{
	while (isspace((unsigned char)*reference))
		reference++;
	size_t len = strlen(reference);
	while (len && isspace((unsigned char)reference[len - 1]))
		len--;
	if (len >= URL_BYTES_MAX)
		return -E2BIG;
	char *trimmed = strndup(reference, len);
	if (trimmed)
		decode_dots(trimmed);
	CURLU *u = curl_url();
	int e = trimmed && u ? set_reference(u, base, trimmed) : -ENOMEM;
	if (!e)
		e = lower_host(u);
	if (!e)
		e = write_url(u, out, out_bytes);
	curl_url_cleanup(u);
	free(trimmed);
	return e;
}

int url_strip(const char *url, char *out, size_t out_bytes)
{
	CURLU *u = curl_url();
	int e = u ? set_reference(u, NULL, url) : -ENOMEM;
	if (!e)
		e = lower_host(u);
	if (!e && (curl_url_set(u, CURLUPART_FRAGMENT, NULL, 0) || curl_url_set(u, CURLUPART_USER, NULL, 0) ||
			  curl_url_set(u, CURLUPART_PASSWORD, NULL, 0)))
		e = -EINVAL;
	if (!e)
		e = write_url(u, out, out_bytes);
	curl_url_cleanup(u);
	return e;
}

/* After "scheme://" and userinfo. */
static const char *host_of(const char *url)
{
	const char *host = strstr(url, "//");
	host = host ? host + 2 : url;
	size_t authority = strcspn(host, "/?#");
	const char *at = memrchr(host, '@', authority);
	return at ? at + 1 : host;
}

const char *url_show(const char *url, char *out, size_t out_bytes)
{
	const char *slashes = strstr(url, "//");
	size_t before = slashes ? (size_t)(slashes + 2 - url) : 0;
	snprintf(out, out_bytes, "%.*s%s", (int)before, url, host_of(url));
	return out;
}

static size_t separator_length(const char *p)
{
	return *p == '/' ? 1 : !strncasecmp(p, "%2f", 3) || !strncasecmp(p, "%5c", 3) ? 3 : 0;
}

/* Would a server that takes "%2f" or "%5c" for a separator, or drops a segment's parameters, find ".." in the
 * path?
 */
static bool climbs(const char *path)
{
	size_t n = strcspn(path, "?#");
	for (const char *p = path; p < path + n; p++) {
		size_t skip = separator_length(p);
		if (!skip)
			continue;
		const char *segment = p + skip;
		if (segment[0] == '.' && segment[1] == '.' &&
			(strchr(";?#", segment[2]) || separator_length(segment + 2)))
			return true;
	}
	return false;
}

bool url_in_space(const char *space, const char *url)
{
	if (url_is_https(space) != url_is_https(url))
		return false;
	space = host_of(space);
	url = host_of(url);
	size_t n = strlen(space);
	if (strncmp(space, url, n))
		return false;
	return ((n && space[n - 1] == '/') || !url[n] || strchr("/?#", url[n])) && !climbs(url);
}

bool url_is_https(const char *url)
{
	return !strncasecmp(url, "https:", 6);
}
