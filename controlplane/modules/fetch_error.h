/* The failures of requests, from fetch_error.def. */
#ifndef TG_MODULES_FETCH_ERROR_H
#define TG_MODULES_FETCH_ERROR_H

enum fetch_error {
	FETCH_OK,
#define FETCH_ERROR(name, number, retry, sentence) FETCH_##name,
#include "controlplane/modules/fetch_error.def"
#undef FETCH_ERROR
	FETCH_ERRORS
};

struct fetch_error_entry {
	int number;
	unsigned retry; /* bit of fetcher_limits.retry_on; 0: never */
	const char *sentence;
};

/* FETCH_OK: number 0, sentence NULL. */
const struct fetch_error_entry *fetch_error_entry(enum fetch_error error);

#endif
