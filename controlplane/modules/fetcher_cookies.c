#include "controlplane/modules/fetcher_cookies.h"

#include <search.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

#define COOKIES_MAX 200

struct cookie_jar {
	char *scope;
	CURLSH *share;
	unsigned users;
	bool forgotten;
};

static int compare_jars(const void *a, const void *b)
{
	const struct cookie_jar *p = a, *q = b;
	return strcmp(p->scope, q->scope);
}

static void jar_free(struct cookie_jar *jar)
{
	if (jar->share)
		curl_share_cleanup(jar->share);
	free(jar->scope);
	free(jar);
}

static struct cookie_jar *jar_new(const char *scope)
{
	struct cookie_jar *jar = calloc(1, sizeof(*jar));
	if (!jar)
		return NULL;
	jar->scope = strdup(scope);
	jar->share = curl_share_init();
	if (!jar->scope || !jar->share ||
		curl_share_setopt(jar->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_COOKIE)) {
		jar_free(jar);
		return NULL;
	}
	return jar;
}

struct cookie_jar *fetcher_cookies_acquire(struct fetcher_cookies *cookies, const char *scope)
{
	struct cookie_jar key = {.scope = (char *)scope};
	struct cookie_jar **found = tfind(&key, &cookies->root, compare_jars);
	struct cookie_jar *jar = found ? *found : jar_new(scope);
	if (jar && !found && !tsearch(jar, &cookies->root, compare_jars)) {
		jar_free(jar);
		return NULL;
	}
	if (jar)
		jar->users++;
	return jar;
}

void fetcher_cookies_release(struct cookie_jar *jar)
{
	if (jar && !--jar->users && jar->forgotten)
		jar_free(jar);
}

CURLcode fetcher_cookies_use(struct cookie_jar *jar, CURL *easy)
{
	CURLcode failed = curl_easy_setopt(easy, CURLOPT_SHARE, jar->share);
	/* Sharing alone doesn't begin to collect; naming no file does. */
	return failed ? failed : curl_easy_setopt(easy, CURLOPT_COOKIEFILE, "");
}

void fetcher_cookies_trim(struct cookie_jar *jar, CURL *easy)
{
	struct curl_slist *list = NULL;
	if (curl_easy_getinfo(easy, CURLINFO_COOKIELIST, &list) != CURLE_OK)
		return;
	int n = 0;
	for (struct curl_slist *one = list; one; one = one->next)
		n++;
	curl_slist_free_all(list);
	if (n <= COOKIES_MAX)
		return;
	curl_easy_setopt(easy, CURLOPT_COOKIELIST, "ALL");
	log_warn(modules, NULL, "cookies-dropped",
		"scope=%s cookies=%d limit=%d advice=\"the application sets too many cookies\"",
		log_quote(jar->scope), n, COOKIES_MAX);
}

static void forget(struct fetcher_cookies *cookies, struct cookie_jar *jar)
{
	tdelete(jar, &cookies->root, compare_jars);
	jar->forgotten = true;
	if (!jar->users)
		jar_free(jar);
}

/* Equal when the jar's scope lies below the key's: all of those stand together in the tree's order. */
static int compare_below(const void *key, const void *jar)
{
	const struct cookie_jar *p = key, *q = jar;
	size_t n = strlen(p->scope);
	int order = strncmp(p->scope, q->scope, n);
	return order ? order : '/' - (int)(unsigned char)q->scope[n];
}

void fetcher_cookies_forget(struct fetcher_cookies *cookies, const char *scope)
{
	struct cookie_jar key = {.scope = (char *)scope};
	struct cookie_jar **found = tfind(&key, &cookies->root, compare_jars);
	if (found)
		forget(cookies, *found);
	while ((found = tfind(&key, &cookies->root, compare_below)))
		forget(cookies, *found);
}

void fetcher_cookies_clear(struct fetcher_cookies *cookies)
{
	while (cookies->root) {
		struct cookie_jar *jar = *(struct cookie_jar **)cookies->root;
		tdelete(jar, &cookies->root, compare_jars);
		jar_free(jar);
	}
}
