#include "controlplane/modules/webhook.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/modules/form.h"
#include "controlplane/modules/url.h"
#include "controlplane/modules/webhook_signature.h"

int webhook_add(struct webhook *hook, const char *name, const char *value)
{
	if (!value)
		return 0;
	if (hook->params == WEBHOOK_PARAMS_MAX)
		return -ENOSPC;
	char *name_copy = form_clean(name), *value_copy = form_clean(value);
	if (!name_copy || !value_copy) {
		free(name_copy);
		free(value_copy);
		return -ENOMEM;
	}
	hook->param[hook->params++] = (struct webhook_param){name_copy, value_copy};
	return 0;
}

void webhook_clear(struct webhook *hook)
{
	for (int i = 0; i < hook->params; i++) {
		free(hook->param[i].name);
		free(hook->param[i].value);
	}
	hook->params = 0;
}

/* The parameters as a form, in the order in which they were added; NULL: out of memory. */
static char *encode(const struct webhook *hook)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	if (!out)
		return NULL;
	for (int i = 0; i < hook->params; i++) {
		if (i)
			fputc('&', out);
		form_write(out, hook->param[i].name);
		fputc('=', out);
		form_write(out, hook->param[i].value);
	}
	int failed = ferror(out);
	failed |= fclose(out);
	if (failed) {
		free(text);
		return NULL;
	}
	return text;
}

/* What goes between a URL and parameters in its query. */
static const char *query_separator(const char *url)
{
	const char *query = strchr(url, '?');
	if (!query)
		return "?";
	return query[1] ? "&" : "";
}

/* Puts the parameters into the query of url, before the fragment. Both buffers hold URL_BYTES_MAX. */
static int add_query(char *url, char *signed_url, const char *query)
{
	char fragment[URL_BYTES_MAX] = "";
	size_t at = strcspn(url, "#"), query_len = strlen(query);
	snprintf(fragment, sizeof(fragment), "%s", url + at);
	url[at] = '\0';
	const char *separator = query_separator(url);
	if (at + strlen(separator) + query_len + strlen(fragment) >= URL_BYTES_MAX)
		return -E2BIG;
	/* url is never shorter than signed_url: it may have userinfo besides. */
	strcat(signed_url, separator);
	strcat(signed_url, query);
	strcat(url, separator);
	strcat(url, query);
	strcat(url, fragment);
	return 0;
}

int webhook_build(const struct webhook *hook, const char *url, const char *method, const char *auth_token,
	struct webhook_request *request)
{
	char full[URL_BYTES_MAX], signed_url[URL_BYTES_MAX];
	struct webhook_request built = {0};
	int post = !strcmp(method, "POST");
	if (!post && strcmp(method, "GET"))
		return -EINVAL;
	int e = url_resolve(NULL, url, full, sizeof(full));
	if (!e)
		e = url_strip(full, signed_url, sizeof(signed_url));
	if (e)
		return e;
	char *form = encode(hook);
	if (!form)
		return -ENOMEM;
	if (post)
		built.body = form;
	else if (hook->params)
		e = add_query(full, signed_url, form);
	if (!post)
		free(form);
	if (!e)
		e = webhook_sign(signed_url, post ? hook : NULL, auth_token, built.signature);
	if (!e && !(built.url = strdup(full)))
		e = -ENOMEM;
	if (e) {
		webhook_request_clear(&built);
		return e;
	}
	*request = built;
	return 0;
}

void webhook_request_clear(struct webhook_request *request)
{
	free(request->url);
	free(request->body);
	*request = (struct webhook_request){0};
}
