/* Cookie jars, one per scope, for the fetcher's thread alone. libcurl keeps hosts apart inside a jar (RFC
 * 6265). */
#ifndef TG_MODULES_FETCHER_COOKIES_H
#define TG_MODULES_FETCHER_COOKIES_H

#include <curl/curl.h>

struct fetcher_cookies {
	void *root; /* search tree of jars */
};

struct cookie_jar;

/* The scope's jar, made when there is none, held until it is released; NULL: out of memory. */
struct cookie_jar *fetcher_cookies_acquire(struct fetcher_cookies *cookies, const char *scope);
/* After the last handle that used it is gone. NULL is allowed. */
void fetcher_cookies_release(struct cookie_jar *jar);
CURLcode fetcher_cookies_use(struct cookie_jar *jar, CURL *easy);
/* After an answer: a jar that servers filled beyond reason is emptied. */
void fetcher_cookies_trim(struct cookie_jar *jar, CURL *easy);
/* The scope's jar and those of "<scope>/...". Held jars live until they are released, but are found no more.
 */
void fetcher_cookies_forget(struct fetcher_cookies *cookies, const char *scope);
void fetcher_cookies_clear(struct fetcher_cookies *cookies);

#endif
