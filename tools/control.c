#include "tools/control.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>

#include "tools/text.h"
#include "tools/tool.h"

#define ANSWER_BYTES (1u << 20)
#define TIMEOUT_MS   15000l

struct answer {
	char *data;
	size_t len;
};

/* Less than was given ends the transfer: an answer that long is none of ours. */
static size_t take(char *data, size_t one, size_t n, void *ctx)
{
	struct answer *a = ctx;
	if (n > ANSWER_BYTES - a->len)
		return 0;
	char *bigger = realloc(a->data, a->len + n);
	if (!bigger)
		return 0;
	memcpy(bigger + a->len, data, n);
	a->data = bigger;
	a->len += n;
	return one * n;
}

static CURLcode ask(
	CURL *curl, const char *socket_path, const char *path, bool post, struct answer *answer, long *status)
{
	char url[256];
	snprintf(url, sizeof(url), "http://localhost%s", path);
	curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, socket_path);
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, TIMEOUT_MS);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1l);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, answer);
	if (post)
		curl_easy_setopt(curl, CURLOPT_COPYPOSTFIELDS, "");
	CURLcode e = curl_easy_perform(curl);
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, status);
	return e;
}

static json_t *request(const char *run_dir, const char *path, bool post)
{
	char socket_path[512], shown[256];
	struct answer answer = {0};
	long status = 0;
	json_t *v = NULL;
	snprintf(socket_path, sizeof(socket_path), "%s/control.sock", run_dir);
	CURL *curl = curl_easy_init();
	if (!curl) {
		tool_fail("out of memory");
		return NULL;
	}
	CURLcode e = ask(curl, socket_path, path, post, &answer, &status);
	if (!e)
		v = json_loadb(answer.data ? answer.data : "", answer.len, JSON_REJECT_DUPLICATES, NULL);
	if (e == CURLE_COULDNT_CONNECT)
		tool_fail("nobody answers at %s: is tollgate-control running?", socket_path);
	else if (e)
		tool_fail("%s: %s", socket_path, curl_easy_strerror(e));
	else if (status != 200)
		tool_fail("tollgate-control answered %ld: %s", status,
			text_show(answer.data ? answer.data : "", answer.len, shown, sizeof(shown)));
	else if (!json_is_object(v))
		tool_fail("tollgate-control at %s answered something that is no JSON object", socket_path);
	if (e || status != 200 || !json_is_object(v)) {
		json_decref(v);
		v = NULL;
	}
	free(answer.data);
	curl_easy_cleanup(curl);
	return v;
}

json_t *control_get(const char *run_dir, const char *path)
{
	return request(run_dir, path, false);
}

json_t *control_post(const char *run_dir, const char *path)
{
	return request(run_dir, path, true);
}
