/* The header fields of an answer that the media layer looks at. */
#ifndef TG_CACHE_FETCH_FIELDS_H
#define TG_CACHE_FETCH_FIELDS_H

#include <stddef.h>

enum cache_field {
	CACHE_FIELD_CACHE_CONTROL,
	CACHE_FIELD_EXPIRES,
	CACHE_FIELD_DATE,
	CACHE_FIELD_AGE,
	CACHE_FIELD_ETAG,
	CACHE_FIELD_LAST_MODIFIED,
	CACHE_FIELD_CONTENT_TYPE,
	CACHE_FIELD_LOCATION,
	CACHE_FIELDS
};

struct cache_fields {
	char *value[CACHE_FIELDS]; /* NULL: absent */
};

/* Takes one line of a header block, as received, of n bytes, no NUL needed. A status line begins anew: what
 * an interim answer said is forgotten. Values over 8 KiB or with control characters are ignored. Repeated
 * Cache-Control fields are joined; of any other the first counts. */
void cache_fields_line(struct cache_fields *fields, const char *line, size_t n);
void cache_fields_clear(struct cache_fields *fields);

#endif
