#include "settings/settings.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "contract/region.h"
#include "settings/settings_parse.h"
#include "settings/settings_table.h"

#define FILE_MAX (1024 * 1024)

void settings_defaults(struct settings *settings)
{
	memset(settings, 0, sizeof(*settings));
	settings_table_defaults(settings_top, settings_top_n, settings);
	for (size_t i = 0; i < settings_sections_n; i++)
		settings_table_defaults(settings_sections[i].fields, settings_sections[i].n, settings);
}

int settings_load(const char *path, struct settings *settings, char *why, size_t why_bytes)
{
	char *text, dir[sizeof(settings->registry)];
	size_t len;
	int e = file_read(path, FILE_MAX, &text, &len);
	if (e) {
		snprintf(why, why_bytes, "%s: %s; allowed: a readable file of at most 1 MiB", path,
			strerror(-e));
		return e;
	}
	const char *slash = strrchr(path, '/');
	size_t dir_len = slash ? (size_t)(slash - path) : 0;
	if (dir_len >= sizeof(dir)) {
		snprintf(why, why_bytes,
			"%s: the path is too long; allowed: directories of at most %zu bytes", path,
			sizeof(dir) - 1);
		e = -ENAMETOOLONG;
		goto out;
	}
	if (slash == path)
		strcpy(dir, "/.");
	else
		snprintf(dir, sizeof(dir), "%.*s", slash ? (int)dir_len : 1, slash ? path : ".");
	e = settings_parse(text, len, path, dir, settings, why, why_bytes);
out:
	free(text);
	return e;
}

void settings_capacity(const struct settings *settings, struct tg_capacity *cap)
{
	memset(cap, 0, sizeof(*cap));
	cap->workers = (uint32_t)settings->media.workers;
	cap->addresses = (uint32_t)settings->media_addresses;
	cap->port_min = (uint32_t)settings->media.port_min;
	cap->ports = (uint32_t)(settings->media.port_max - settings->media.port_min + 1);
	cap->media_items = (uint32_t)settings->media.items;
	cap->arena_bytes = (uint64_t)settings->media.arena_mib << 20;
	memcpy(cap->address_be, settings->media_address_be, cap->addresses * sizeof(cap->address_be[0]));
}

int settings_find_trunk(const struct settings *settings, uint32_t address)
{
	for (int i = 0; i < settings->trunks; i++)
		if ((address & settings->trunk[i].range.mask) == settings->trunk[i].range.address)
			return i;
	return -1;
}
