#include "controlplane/modules/registry.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "controlplane/modules/registry_entry.h"
#include "controlplane/modules/url.h"

#define FILE_MAX (64u << 20)

int registry_load(const char *path, struct registry **registry, char *why, size_t why_bytes)
{
	char *text;
	size_t len;
	int e = file_read(path, FILE_MAX, &text, &len);
	if (e) {
		snprintf(why, why_bytes, "%s: %s; allowed: a readable file of at most 64 MiB", path,
			strerror(-e));
		return e;
	}
	e = registry_parse(text, len, path, registry, why, why_bytes);
	free(text);
	return e;
}

struct registry *registry_ref(struct registry *registry)
{
	atomic_fetch_add_explicit(&registry->references, 1, memory_order_relaxed);
	return registry;
}

static void free_texts(const char **text, int n)
{
	for (int i = 0; i < n; i++)
		free((char *)text[i]);
}

void registry_unref(struct registry *registry)
{
	if (!registry || atomic_fetch_sub_explicit(&registry->references, 1, memory_order_acq_rel) != 1)
		return;
	for (size_t i = 0; i < registry->accounts; i++) {
		struct entry_account *a = registry->account[i];
		free_texts(a->pub.caller_id, a->pub.caller_ids);
		free_texts(a->pub.destination, a->pub.destinations);
		explicit_bzero(a->auth_token, sizeof(a->auth_token));
		free(a);
	}
	for (size_t i = 0; i < registry->modules; i++) {
		struct entry_module *m = registry->module[i];
		free_texts(m->pub.capability, m->pub.capabilities);
		free_texts(m->pub.accepts_from, m->pub.accepts);
		free(m->space);
		free(m);
	}
	for (size_t i = 0; i < registry->numbers; i++)
		free(registry->number[i]);
	free(registry->account);
	free(registry->module);
	free(registry->number);
	free(registry);
}

static int compare_sid(const void *sid, const void *entry)
{
	return strcmp(sid, (*(struct entry_account *const *)entry)->sid);
}

static int compare_code(const void *code, const void *entry)
{
	return strcmp(code, (*(struct entry_module *const *)entry)->code);
}

static int compare_pattern(const void *pattern, const void *entry)
{
	return strcmp(pattern, (*(struct entry_number *const *)entry)->pattern);
}

const struct registry_account *registry_account(const struct registry *registry, const char *sid)
{
	struct entry_account **found = bsearch(
		sid, registry->account, registry->accounts, sizeof(registry->account[0]), compare_sid);
	return found ? &(*found)->pub : NULL;
}

const struct registry_module *registry_module(const struct registry *registry, const char *code)
{
	struct entry_module **found = bsearch(
		code, registry->module, registry->modules, sizeof(registry->module[0]), compare_code);
	return found ? &(*found)->pub : NULL;
}

const struct registry_number *registry_number(const struct registry *registry, const char *called)
{
	char key[sizeof(registry->number[0]->pattern)];
	struct entry_number **found = NULL;
	size_t len = strnlen(called, sizeof(key));
	if (len < sizeof(key))
		found = bsearch(called, registry->number, registry->numbers, sizeof(registry->number[0]),
			compare_pattern);
	size_t longest = len < sizeof(key) - 2 ? len : sizeof(key) - 2;
	for (size_t n = longest + 1; !found && n-- > 0;) {
		memcpy(key, called, n);
		memcpy(key + n, "*", 2);
		found = bsearch(key, registry->number, registry->numbers, sizeof(registry->number[0]),
			compare_pattern);
	}
	return found ? &(*found)->pub : NULL;
}

const struct registry_module *registry_module_by_url(const struct registry *registry, const char *url)
{
	const struct entry_module *best = NULL;
	char normal[URL_BYTES_MAX];
	if (url_resolve(NULL, url, normal, sizeof(normal)))
		return NULL;
	for (size_t i = 0; i < registry->modules; i++) {
		const struct entry_module *m = registry->module[i];
		if (url_in_space(m->space, normal) && (!best || strlen(m->space) > strlen(best->space)))
			best = m;
	}
	return best ? &best->pub : NULL;
}

const struct registry_module *registry_module_for_capability(
	const struct registry *registry, const char *capability)
{
	for (size_t i = 0; i < registry->modules; i++)
		for (int c = 0; c < registry->module[i]->pub.capabilities; c++)
			if (!strcmp(registry->module[i]->pub.capability[c], capability))
				return &registry->module[i]->pub;
	return NULL;
}

bool registry_module_accepts(const struct registry_module *module, const struct registry_account *account)
{
	if (module->account == account || !strcmp(module->account->sid, account->sid))
		return true;
	for (int i = 0; i < module->accepts; i++)
		if (!strcmp(module->accepts_from[i], "*") || !strcmp(module->accepts_from[i], account->sid))
			return true;
	return false;
}
