#include "settings/settings_parse.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "settings/settings_check.h"
#include "settings/settings_table.h"

/* A list of groups while it is read. */
struct items {
	const struct settings_list *list;
	struct settings *settings;
};

static int *items_count(const struct items *items)
{
	return (int *)((char *)items->settings + items->list->count_offset);
}

static int read_item(
	const struct settings_source *source, const config_setting_t *item, const char *path, void *arg)
{
	const struct items *items = arg;
	const struct settings_list *list = items->list;
	int *n = items_count(items);
	void *at = (char *)items->settings + list->items_offset + (size_t)*n * list->item_bytes;
	settings_table_defaults(list->fields, list->n, at);
	int e = settings_table_read(source, item, path, list->fields, list->n, at);
	if (!e)
		++*n;
	return e;
}

static int read_address(
	const struct settings_source *source, const config_setting_t *item, const char *path, void *arg)
{
	struct settings *s = arg;
	const char *text = settings_table_text(source, item, path);
	if (!text)
		return -EINVAL;
	struct tg_addr address;
	const char *wrong = settings_parse_address(text, &address);
	if (wrong)
		return settings_table_fail(source, item, path, "%s is %s", log_quote(text), wrong);
	for (int i = 0; i < s->media_addresses; i++)
		if (tg_addr_equal(&s->media_address[i], &address))
			return settings_table_fail(source, item, path,
				"%s is there twice; allowed: each address once", log_quote(text));
	s->media_address[s->media_addresses++] = address;
	return 0;
}

static int read_allowed(
	const struct settings_source *source, const config_setting_t *item, const char *path, void *arg)
{
	struct settings *s = arg;
	const char *text = settings_table_text(source, item, path);
	if (!text)
		return -EINVAL;
	const char *wrong = settings_parse_range(text, &s->allow[s->allowed]);
	if (wrong)
		return settings_table_fail(source, item, path, "%s is %s", log_quote(text), wrong);
	s->allowed++;
	return 0;
}

static int read_sections(const struct settings_source *source, const config_t *config, struct settings *s)
{
	for (size_t i = 0; i < settings_sections_n; i++) {
		const struct settings_section *section = &settings_sections[i];
		const config_setting_t *group = config_lookup(config, section->name);
		int e = group ? settings_table_read(
					source, group, section->name, section->fields, section->n, s)
			      : 0;
		if (e)
			return e;
	}
	return 0;
}

static int read_lists(const struct settings_source *source, const config_t *config, struct settings *s)
{
	char path[64];
	for (size_t i = 0; i < settings_lists_n; i++) {
		struct items items = {&settings_lists[i], s};
		snprintf(path, sizeof(path), "%s.%s", items.list->section, items.list->key);
		int e = settings_table_each(
			source, config_lookup(config, path), path, items.list->max, read_item, &items);
		if (e)
			return e;
	}
	for (size_t i = 0; i < settings_address_lists_n; i++) {
		const struct settings_addresses *list = &settings_address_lists[i];
		snprintf(path, sizeof(path), "%s.%s", list->section, list->key);
		int e = settings_table_each(source, config_lookup(config, path), path, list->max,
			strcmp(list->key, "allow") ? read_address : read_allowed, s);
		if (e)
			return e;
	}
	return 0;
}

static int resolve_registry(
	const struct settings_source *source, const config_t *config, const char *dir, struct settings *s)
{
	if (s->registry[0] == '/' || !dir || !*dir)
		return 0;
	char path[sizeof(s->registry)];
	if (snprintf(path, sizeof(path), "%s/%s", dir, s->registry) >= (int)sizeof(path))
		return settings_table_fail(source, config_lookup(config, "registry"), "registry",
			"is too long with its directory; allowed: at most %zu bytes", sizeof(path) - 1);
	memcpy(s->registry, path, sizeof(path));
	return 0;
}

int settings_parse(const char *text, size_t len, const char *name, const char *dir, struct settings *settings,
	char *why, size_t why_bytes)
{
	struct settings_source source = {name, why, why_bytes};
	config_t config;
	struct settings *s = malloc(sizeof(*s));
	if (!s) {
		snprintf(why, why_bytes, "%s: no memory", name);
		return -ENOMEM;
	}
	settings_defaults(s);
	int e = settings_table_open(&config, text, len, dir, &source);
	if (!e)
		e = settings_table_read(
			&source, config_root_setting(&config), "", settings_top, settings_top_n, s);
	if (!e)
		e = read_sections(&source, &config, s);
	if (!e)
		e = read_lists(&source, &config, s);
	if (!e)
		e = settings_check_all(&source, &config, s);
	if (!e)
		e = resolve_registry(&source, &config, dir, s);
	config_destroy(&config);
	if (!e)
		*settings = *s;
	free(s);
	return e;
}
