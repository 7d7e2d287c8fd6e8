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
	static const enum tg_family order[] = {TG_FAMILY_IPV4, TG_FAMILY_IPV6};
	uint32_t n = 0;
	for (size_t f = 0; f < sizeof(order) / sizeof(order[0]); f++)
		for (uint32_t i = 0; i < cap->addresses; i++)
			if (settings->media_address[i].family == order[f])
				cap->address[n++] = settings->media_address[i];
	while (n > cap->ipv6_addresses && cap->address[n - 1 - cap->ipv6_addresses].family == TG_FAMILY_IPV6)
		cap->ipv6_addresses++;
}

bool settings_in_range(const struct settings_range *range, const struct tg_addr *address)
{
	return tg_addr_within(address, &range->first, range->bits);
}

const struct settings_trunk *settings_trunk(const struct settings *settings, const char *name)
{
	for (int i = 0; i < settings->trunks; i++)
		if (!strcmp(settings->trunk[i].name, name))
			return &settings->trunk[i];
	return NULL;
}
