/* Lines: path, source, codec, ptime, account, location of a redirect. A request that is taken has a canonical
 * form of six lines, and the canonical source stays what it is when it is parsed again. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cache/address.h"
#include "cache/request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static const char *take(char **rest)
{
	char *line = strsep(rest, "\n");
	return line && *line != '-' ? line : NULL;
}

static void check_source(const struct cache_source *s, const char *location)
{
	struct cache_source again;
	const char *why = "";
	if (strlen(s->uri) <= CACHE_SOURCE_MAX) {
		if (cache_source_parse(s->uri, &again, &why) || strcmp(s->uri, again.uri))
			abort();
		cache_source_free(&again);
	}
	if (location && !cache_source_redirect(s, location, &again, &why)) {
		if (s->https && !again.https)
			abort();
		cache_source_free(&again);
	}
}

static void check_request(struct cache_request *r, const char *location)
{
	char *text = cache_request_canonical(r);
	if (!text)
		return;
	int lines = 0;
	for (const char *p = text; *p; p++)
		lines += *p == '\n';
	if (lines != 6)
		abort();
	free(text);
	check_source(&r->source, location);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char *text = malloc(len + 1), *rest = text;
	if (!text)
		return 0;
	memcpy(text, data, len);
	text[len] = '\0';
	struct cache_route route;
	const char *path = take(&rest);
	if (path)
		cache_route_parse(path, &route);
	struct cache_query q = {0};
	q.source = take(&rest);
	q.codec = take(&rest);
	q.ptime = take(&rest);
	q.account = take(&rest);
	const char *location = take(&rest), *why = "";
	struct cache_request request;
	if (!cache_request_parse(&q, &request, &why)) {
		check_request(&request, location);
		cache_request_free(&request);
	} else if (!*why) {
		abort();
	}
	free(text);
	return 0;
}
