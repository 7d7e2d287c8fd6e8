#include "cache/error.h"

#include <stdarg.h>
#include <stdio.h>

static const struct {
	const char *name;
	unsigned http;
	const char *sentence;
} info[CACHE_ERRORS] = {
	[CACHE_OK] = {"ok", 200, ""},
#define ERROR(name, text, http, sentence) [CACHE_ERROR_##name] = {text, http, sentence},
#include "cache/error.def"
#undef ERROR
};

static enum cache_error known(enum cache_error error)
{
	return (unsigned)error < CACHE_ERRORS ? error : CACHE_ERROR_INTERNAL;
}

const char *cache_error_name(enum cache_error error)
{
	return info[known(error)].name;
}

unsigned cache_error_http(enum cache_error error)
{
	return info[known(error)].http;
}

const char *cache_error_sentence(enum cache_error error)
{
	return info[known(error)].sentence;
}

/* Parts of a sentence come from origins; it goes into JSON, logs and the commands' output. */
static void keep_printable(char *p)
{
	for (; *p; p++)
		if (*p < ' ' || *p > '~')
			*p = '?';
}

void cache_fail(struct cache_failure *failure, enum cache_error error, const char *fmt, ...)
{
	failure->error = known(error);
	failure->origin_status = 0;
	if (!fmt) {
		snprintf(failure->sentence, sizeof(failure->sentence), "%s", cache_error_sentence(error));
		return;
	}
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(failure->sentence, sizeof(failure->sentence), fmt, ap);
	va_end(ap);
	keep_printable(failure->sentence);
}
