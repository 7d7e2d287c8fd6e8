/* Timeouts and retries of one request, and how the fragment of its URL overrides them. Pure. */
#ifndef TG_MODULES_FETCHER_LIMITS_H
#define TG_MODULES_FETCHER_LIMITS_H

#include <stdint.h>

#define FETCHER_READ_MS 15000
#define FETCHER_RETRIES 1

/* Kinds of failures that may be tried again. */
#define FETCHER_RETRY_NEVER   0u
#define FETCHER_RETRY_CONNECT 1u  /* ct: no connection: name, TCP, or any of the two timed out */
#define FETCHER_RETRY_READ    2u  /* rt: no answer, or not all of it */
#define FETCHER_RETRY_CLIENT  4u  /* 4xx */
#define FETCHER_RETRY_SERVER  8u  /* 5xx */
#define FETCHER_RETRY_OTHER   16u /* what only "all" names */
#define FETCHER_RETRY_ALL     31u

struct fetcher_limits {
	uint32_t connect_ms; /* name, TCP and TLS */
	uint32_t read_ms;    /* until the first byte, and between bytes */
	uint32_t total_ms;   /* redirects and retries included */
	uint32_t retries;
	unsigned retry_on; /* FETCHER_RETRY_... */
};

/* Changes what the fragment of url names: key=value, joined by '&'. ct 100-10000, rt and tt 100-15000 (ms),
 * rc 0-5: a number outside is moved to the nearest allowed; rp: ct, rt, 4xx, 5xx, all, joined by ','. What
 * isn't understood is ignored. */
void fetcher_limits_read(const char *url, struct fetcher_limits *limits);

#endif
