#include "controlplane/modules/fetcher_redirect.h"

#include <string.h>

#include "controlplane/modules/url.h"

bool fetcher_redirect_status(int status)
{
	return (status >= 301 && status <= 303) || status == 307 || status == 308;
}

enum fetch_error fetcher_redirect_resolve(const char *url, const char *location, char *out, size_t out_bytes)
{
	if (!location || url_resolve(url, location, out, out_bytes))
		return FETCH_REDIRECT_TARGET;
	if (url_is_https(url) && !url_is_https(out))
		return FETCH_REDIRECT_INSECURE;
	const char *fragment = strchr(url, '#');
	if (fragment && !strchr(out, '#')) {
		if (strlen(out) + strlen(fragment) >= out_bytes)
			return FETCH_REDIRECT_TARGET;
		strcat(out, fragment);
	}
	return FETCH_OK;
}

const char *fetcher_redirect_method(int status, const char *method)
{
	if (status == 303 || (!strcmp(method, "POST") && (status == 301 || status == 302)))
		return "GET";
	return method;
}

/* Length of "scheme://authority" in front. */
static size_t origin_length(const char *url)
{
	const char *host = strstr(url, "//");
	return host ? (size_t)(host + 2 - url) + strcspn(host + 2, "/?#") : 0;
}

bool fetcher_redirect_same_origin(const char *a, const char *b)
{
	char x[URL_BYTES_MAX], y[URL_BYTES_MAX];
	if (url_strip(a, x, sizeof(x)) || url_strip(b, y, sizeof(y)))
		return false;
	size_t n = origin_length(x);
	return n && n == origin_length(y) && !memcmp(x, y, n);
}
