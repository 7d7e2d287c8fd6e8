/* The source of a sound: an http or https URI in its canonical form.
 *
 * Two texts that RFC 3986 section 6.2.2/6.2.3 makes equal by case of scheme and host, default port, empty
 * path, dot segments or fragment become the same text. The query is kept as it is. */
#ifndef TG_CACHE_SOURCE_H
#define TG_CACHE_SOURCE_H

#include <stdbool.h>

#define CACHE_SOURCE_MAX 8192 /* longest URI, as given */

struct cache_source {
	char *uri;   /* canonical, with user and password if it has them; never logged */
	char *shown; /* without credentials, query cut to "?...": for logs and lists */
	bool https;
	bool credentials; /* has a user or a password */
};

/* Takes text of any length. Returns 0 and a source that is freed with cache_source_free(); -EINVAL with a
 * sentence in *why (a literal), -ENOMEM. */
int cache_source_parse(const char *text, struct cache_source *source, const char **why);
void cache_source_free(struct cache_source *source);

/* The URI that a redirect to `location` (absolute, or relative to base) leads to: http or https only, and
 * never from https to http. Same returns as above. */
int cache_source_redirect(
	const struct cache_source *base, const char *location, struct cache_source *source, const char **why);

#endif
