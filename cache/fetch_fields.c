#include "cache/fetch_fields.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define VALUE_MAX 8192

static const char *const name[CACHE_FIELDS] = {
	[CACHE_FIELD_CACHE_CONTROL] = "cache-control",
	[CACHE_FIELD_EXPIRES] = "expires",
	[CACHE_FIELD_DATE] = "date",
	[CACHE_FIELD_AGE] = "age",
	[CACHE_FIELD_ETAG] = "etag",
	[CACHE_FIELD_LAST_MODIFIED] = "last-modified",
	[CACHE_FIELD_CONTENT_TYPE] = "content-type",
	[CACHE_FIELD_LOCATION] = "location",
};

static void keep(struct cache_fields *f, enum cache_field field, const char *value, size_t n)
{
	char **to = &f->value[field];
	if (!*to) {
		*to = strndup(value, n);
		return;
	}
	if (field != CACHE_FIELD_CACHE_CONTROL || strlen(*to) + n > VALUE_MAX)
		return;
	char *joined;
	if (asprintf(&joined, "%s,%.*s", *to, (int)n, value) < 0)
		return;
	free(*to);
	*to = joined;
}

static int has_control(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (((unsigned char)p[i] < ' ' && p[i] != '\t') || p[i] == 0x7f)
			return 1;
	return 0;
}

void cache_fields_line(struct cache_fields *f, const char *line, size_t n)
{
	while (n && (line[n - 1] == '\r' || line[n - 1] == '\n' || line[n - 1] == ' ' || line[n - 1] == '\t'))
		n--;
	if (n >= 5 && !memcmp(line, "HTTP/", 5)) {
		cache_fields_clear(f);
		return;
	}
	const char *colon = memchr(line, ':', n);
	if (!colon)
		return;
	size_t name_n = (size_t)(colon - line);
	const char *value = colon + 1;
	size_t value_n = n - name_n - 1;
	while (value_n && (*value == ' ' || *value == '\t')) {
		value++;
		value_n--;
	}
	if (value_n > VALUE_MAX || has_control(value, value_n))
		return;
	for (enum cache_field i = 0; i < CACHE_FIELDS; i++)
		if (strlen(name[i]) == name_n && !strncasecmp(line, name[i], name_n))
			keep(f, i, value, value_n);
}

void cache_fields_clear(struct cache_fields *f)
{
	for (int i = 0; i < CACHE_FIELDS; i++) {
		free(f->value[i]);
		f->value[i] = NULL;
	}
}
