/* The causes for which a request to the media layer fails, each with its name, HTTP status and sentence. */
#ifndef TG_CACHE_ERROR_H
#define TG_CACHE_ERROR_H

#define CACHE_SENTENCE_BYTES 240

enum cache_error {
	CACHE_OK,
#define ERROR(name, text, http, sentence) CACHE_ERROR_##name,
#include "cache/error.def"
#undef ERROR
	CACHE_ERRORS
};

/* For a cause out of range these are those of "internal". */
const char *cache_error_name(enum cache_error error);
unsigned cache_error_http(enum cache_error error);
const char *cache_error_sentence(enum cache_error error);

/* One failure with what is known about it. */
struct cache_failure {
	enum cache_error error;
	long origin_status; /* HTTP status of the origin; 0: none */
	char sentence[CACHE_SENTENCE_BYTES];
};

/* Sets cause and sentence (what is not printable ASCII becomes '?'); fmt NULL: the cause's own sentence. */
void cache_fail(struct cache_failure *failure, enum cache_error error, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif
