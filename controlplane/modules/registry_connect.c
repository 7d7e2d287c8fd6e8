#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "controlplane/modules/registry_entry.h"
#include "controlplane/modules/url.h"

static int by_sid(const void *a, const void *b)
{
	return strcmp((*(struct entry_account *const *)a)->sid, (*(struct entry_account *const *)b)->sid);
}

static int by_code(const void *a, const void *b)
{
	return strcmp((*(struct entry_module *const *)a)->code, (*(struct entry_module *const *)b)->code);
}

static int by_pattern(const void *a, const void *b)
{
	return strcmp(
		(*(struct entry_number *const *)a)->pattern, (*(struct entry_number *const *)b)->pattern);
}

/* The later of two entries is the one to name. */
static const config_setting_t *later(const config_setting_t *a, const config_setting_t *b)
{
	return config_setting_source_line(a) > config_setting_source_line(b) ? a : b;
}

#define FAIL_TWICE(source, array, i, path, key)                                      \
	settings_table_fail(source, later((array)[(i)-1]->at, (array)[i]->at), path, \
		"%s is there twice; allowed: each once", log_quote((array)[i]->key))

static int check_unique(const struct settings_source *source, struct registry *r)
{
	qsort(r->account, r->accounts, sizeof(r->account[0]), by_sid);
	qsort(r->module, r->modules, sizeof(r->module[0]), by_code);
	qsort(r->number, r->numbers, sizeof(r->number[0]), by_pattern);
	for (size_t i = 1; i < r->accounts; i++)
		if (!by_sid(&r->account[i - 1], &r->account[i]))
			return FAIL_TWICE(source, r->account, i, "accounts.sid", sid);
	for (size_t i = 1; i < r->modules; i++)
		if (!by_code(&r->module[i - 1], &r->module[i]))
			return FAIL_TWICE(source, r->module, i, "modules.code", code);
	for (size_t i = 1; i < r->numbers; i++)
		if (!by_pattern(&r->number[i - 1], &r->number[i]))
			return FAIL_TWICE(source, r->number, i, "numbers.pattern", pattern);
	return 0;
}

static void connect_account(struct entry_account *a)
{
	a->pub.sid = a->sid;
	a->pub.name = a->name;
	a->pub.auth_token = a->auth_token;
	a->pub.suspended = a->status == ENTRY_STATUS_SUSPENDED;
	a->pub.dials_per_second = a->dials_per_second;
}

/* The space in normal form, without query and fragment. */
static int make_space(const struct settings_source *source, struct entry_module *m)
{
	char space[URL_BYTES_MAX];
	const char *from = *m->uri_space ? m->uri_space : m->url;
	if (url_resolve(NULL, from, space, sizeof(space)) || url_strip(space, space, sizeof(space)))
		return settings_table_fail(source, m->at, "modules.uri_space",
			"%s is not a URL; allowed: "
			"http://host/path or https://host/path",
			log_quote(from));
	space[strcspn(space, "?")] = '\0';
	m->space = strdup(space);
	if (m->space)
		return 0;
	snprintf(source->why, source->why_bytes, "%s: no memory", source->file);
	return -ENOMEM;
}

static int normal_url(const struct settings_source *source, struct entry_module *m, const char *path,
	char *url, size_t bytes)
{
	char out[URL_BYTES_MAX];
	int e = url_resolve(NULL, url, out, sizeof(out));
	if (!e && strlen(out) >= bytes)
		e = -E2BIG;
	if (e)
		return settings_table_fail(source, m->at, path,
			"%s is not a URL that can be used; allowed: at most "
			"%zu bytes of http://host/path or https://host/path",
			log_quote(url), bytes - 1);
	memcpy(url, out, strlen(out) + 1);
	return 0;
}

static int connect_module(const struct settings_source *source, struct registry *r, struct entry_module *m)
{
	static const char *const methods[] = {"POST", "GET"};
	m->pub.code = m->code;
	m->pub.account = registry_account(r, m->account);
	if (!m->pub.account)
		return settings_table_fail(source, m->at, "modules.account",
			"%s is no account of this file; allowed: the sid of one", log_quote(m->account));
	if (m->kind == ENTRY_KIND_ROUTING)
		return settings_table_fail(source, m->at, "modules.kind",
			"\"routing\" is not available; allowed: \"application\"");
	int e = normal_url(source, m, "modules.url", m->url, sizeof(m->url));
	if (!e && *m->fallback_url)
		e = normal_url(source, m, "modules.fallback_url", m->fallback_url, sizeof(m->fallback_url));
	if (e)
		return e;
	m->pub.kind = REGISTRY_APPLICATION;
	m->pub.url = m->url;
	m->pub.method = methods[m->method];
	m->pub.fallback_url = *m->fallback_url ? m->fallback_url : NULL;
	return make_space(source, m);
}

static int by_space(const void *a, const void *b)
{
	return strcmp((*(struct entry_module *const *)a)->space, (*(struct entry_module *const *)b)->space);
}

static int check_spaces(const struct settings_source *source, const struct registry *r)
{
	struct entry_module **sorted = malloc((r->modules + 1) * sizeof(sorted[0]));
	if (!sorted) {
		snprintf(source->why, source->why_bytes, "%s: no memory", source->file);
		return -ENOMEM;
	}
	memcpy(sorted, r->module, r->modules * sizeof(sorted[0]));
	qsort(sorted, r->modules, sizeof(sorted[0]), by_space);
	int e = 0;
	for (size_t i = 1; !e && i < r->modules; i++)
		if (!by_space(&sorted[i - 1], &sorted[i]))
			e = settings_table_fail(source, later(sorted[i - 1]->at, sorted[i]->at),
				"modules.uri_space",
				"modules %s and %s have the same space; allowed: each its own (uri_space, or "
				"else url)",
				sorted[i - 1]->code, sorted[i]->code);
	free(sorted);
	return e;
}

static int connect_number(const struct settings_source *source, struct registry *r, struct entry_number *n)
{
	n->pub.pattern = n->pattern;
	n->pub.account = registry_account(r, n->account);
	n->pub.module = registry_module(r, n->module);
	if (!n->pub.account)
		return settings_table_fail(source, n->at, "numbers.account",
			"%s is no account of this file; allowed: the sid of one", log_quote(n->account));
	if (!n->pub.module)
		return settings_table_fail(source, n->at, "numbers.module",
			"%s is no module of this file; allowed: the code of one", log_quote(n->module));
	if (!registry_module_accepts(n->pub.module, n->pub.account))
		return settings_table_fail(source, n->at, "numbers.module",
			"%s is another account's and doesn't accept sessions from this one; allowed: a "
			"module of the "
			"same account, or one with this account in accepts_handoff_from",
			log_quote(n->module));
	return 0;
}

int registry_connect(const struct settings_source *source, struct registry *r)
{
	int e = check_unique(source, r);
	for (size_t i = 0; !e && i < r->accounts; i++)
		connect_account(r->account[i]);
	for (size_t i = 0; !e && i < r->modules; i++)
		e = connect_module(source, r, r->module[i]);
	if (!e)
		e = check_spaces(source, r);
	for (size_t i = 0; !e && i < r->numbers; i++)
		e = connect_number(source, r, r->number[i]);
	return e;
}
