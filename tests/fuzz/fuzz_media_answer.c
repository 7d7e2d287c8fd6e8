/* The header block of an origin's answer, line by line, and what follows from it. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cache/fetch_fields.h"
#include "cache/freshness.h"
#include "cache/hint.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct cache_fields f = {0};
	while (len) {
		const uint8_t *end = memchr(data, '\n', len);
		size_t n = end ? (size_t)(end - data) + 1 : len;
		/* A line of its own, so that reading behind it is seen. */
		char *line = malloc(n);
		if (!line)
			break;
		memcpy(line, data, n);
		cache_fields_line(&f, line, n);
		free(line);
		data += n;
		len -= n;
	}
	struct cache_answer_fields a = {f.value[CACHE_FIELD_CACHE_CONTROL], f.value[CACHE_FIELD_EXPIRES],
		f.value[CACHE_FIELD_DATE], f.value[CACHE_FIELD_AGE]};
	for (int shared = 0; shared < 2; shared++) {
		struct cache_freshness fresh = cache_freshness(&a, shared, 1700000000, 300);
		if (fresh.fresh_s > CACHE_FRESH_MAX_S || (!fresh.keep && fresh.fresh_s))
			abort();
	}
	cache_type_may_be_audio(f.value[CACHE_FIELD_CONTENT_TYPE]);
	const char *location = f.value[CACHE_FIELD_LOCATION];
	struct cache_body_type t = cache_type_hint(
		f.value[CACHE_FIELD_CONTENT_TYPE], location ? location : "");
	if (!t.rate || !t.channels)
		abort();
	cache_fields_clear(&f);
	return 0;
}
