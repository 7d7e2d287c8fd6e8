#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "controlplane/modules/registry_check.h"
#include "controlplane/modules/registry_entry.h"

static const struct settings_field top[] = {
#define GROUP(group, list, text) {.key = #list, .type = SETTINGS_OTHER, .help = text},
#define TEXT(group, name, size, value, needed, allowed, text)
#define INT(group, name, value, lowest, highest, text)
#define CHOICE(group, name, value, allowed, text)
#define LISTED(group, name)
#define GROUP_END(group)
#include "controlplane/modules/registry.def"
};

static int no_memory(const struct settings_source *source)
{
	snprintf(source->why, source->why_bytes, "%s: no memory", source->file);
	return -ENOMEM;
}

/* A list of texts while it is read; each text becomes the snapshot's. */
struct texts {
	const char **text;
	int *n;
	settings_check check;
};

static int read_text(
	const struct settings_source *source, const config_setting_t *item, const char *path, void *arg)
{
	struct texts *texts = arg;
	const char *text = settings_table_text(source, item, path);
	if (!text)
		return -EINVAL;
	const char *wrong = texts->check(text);
	if (wrong)
		return settings_table_fail(source, item, path, "%s is %s", log_quote(text), wrong);
	char *copy = strdup(text);
	if (!copy)
		return no_memory(source);
	texts->text[(*texts->n)++] = copy;
	return 0;
}

static int read_texts(const struct settings_source *source, const config_setting_t *group, const char *path,
	const char *key, struct texts *texts)
{
	char list_path[160];
	snprintf(list_path, sizeof(list_path), "%s.%s", path, key);
	return settings_table_each(source, config_setting_get_member((config_setting_t *)group, key),
		list_path, REGISTRY_LIST_MAX, read_text, texts);
}

static int read_account(
	const struct settings_source *source, const config_setting_t *item, const char *path, void *arg)
{
	struct registry *r = arg;
	struct entry_account *a = calloc(1, sizeof(*a));
	if (!a)
		return no_memory(source);
	r->account[r->accounts++] = a;
	a->at = item;
	settings_table_defaults(registry_account_fields, registry_account_fields_n, a);
	int e = settings_table_read(
		source, item, path, registry_account_fields, registry_account_fields_n, a);
	struct texts callers = {a->pub.caller_id, &a->pub.caller_ids, registry_check_caller_id};
	struct texts destinations = {a->pub.destination, &a->pub.destinations, registry_check_destination};
	if (!e)
		e = read_texts(source, item, path, "caller_ids", &callers);
	if (!e)
		e = read_texts(source, item, path, "destinations", &destinations);
	return e;
}

static int read_module(
	const struct settings_source *source, const config_setting_t *item, const char *path, void *arg)
{
	struct registry *r = arg;
	struct entry_module *m = calloc(1, sizeof(*m));
	if (!m)
		return no_memory(source);
	r->module[r->modules++] = m;
	m->at = item;
	settings_table_defaults(registry_module_fields, registry_module_fields_n, m);
	int e = settings_table_read(source, item, path, registry_module_fields, registry_module_fields_n, m);
	struct texts capabilities = {m->pub.capability, &m->pub.capabilities, registry_check_capability};
	struct texts accepts = {m->pub.accepts_from, &m->pub.accepts, registry_check_accepts};
	if (!e)
		e = read_texts(source, item, path, "capabilities", &capabilities);
	if (!e)
		e = read_texts(source, item, path, "accepts_handoff_from", &accepts);
	return e;
}

static int read_number(
	const struct settings_source *source, const config_setting_t *item, const char *path, void *arg)
{
	struct registry *r = arg;
	struct entry_number *n = calloc(1, sizeof(*n));
	if (!n)
		return no_memory(source);
	r->number[r->numbers++] = n;
	n->at = item;
	settings_table_defaults(registry_number_fields, registry_number_fields_n, n);
	return settings_table_read(source, item, path, registry_number_fields, registry_number_fields_n, n);
}

static size_t room(const config_t *config, const char *list, size_t max)
{
	const config_setting_t *s = config_lookup(config, list);
	int n = s && config_setting_is_aggregate(s) ? config_setting_length(s) : 0;
	return (size_t)n < max ? (size_t)n + 1 : max + 1;
}

static int read_all(const struct settings_source *source, const config_t *config, struct registry *r)
{
	r->account = calloc(room(config, "accounts", REGISTRY_ACCOUNTS_MAX), sizeof(r->account[0]));
	r->module = calloc(room(config, "modules", REGISTRY_MODULES_MAX), sizeof(r->module[0]));
	r->number = calloc(room(config, "numbers", REGISTRY_NUMBERS_MAX), sizeof(r->number[0]));
	if (!r->account || !r->module || !r->number)
		return no_memory(source);
	int e = settings_table_each(source, config_lookup(config, "accounts"), "accounts",
		REGISTRY_ACCOUNTS_MAX, read_account, r);
	if (!e)
		e = settings_table_each(source, config_lookup(config, "modules"), "modules",
			REGISTRY_MODULES_MAX, read_module, r);
	if (!e)
		e = settings_table_each(source, config_lookup(config, "numbers"), "numbers",
			REGISTRY_NUMBERS_MAX, read_number, r);
	return e;
}

int registry_parse(const char *text, size_t len, const char *name, struct registry **registry, char *why,
	size_t why_bytes)
{
	struct settings_source source = {name, why, why_bytes};
	struct registry *r = calloc(1, sizeof(*r));
	if (!r)
		return no_memory(&source);
	atomic_init(&r->references, 1);
	config_t config;
	int e = settings_table_open(&config, text, len, NULL, &source);
	if (!e)
		e = settings_table_read(
			&source, config_root_setting(&config), "", top, sizeof(top) / sizeof(top[0]), NULL);
	if (!e)
		e = read_all(&source, &config, r);
	if (!e)
		e = registry_connect(&source, r);
	config_destroy(&config);
	if (e) {
		registry_unref(r);
		return e;
	}
	*registry = r;
	return 0;
}
