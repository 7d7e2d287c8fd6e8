/* The tables that settings.def and settings_list.def make. */
#ifndef TG_SETTINGS_SETTINGS_TABLE_H
#define TG_SETTINGS_SETTINGS_TABLE_H

#include <stddef.h>

#include "settings/table.h"

struct settings_section {
	const char *name, *help;
	const struct settings_field *fields;
	size_t n;
};

/* A list of groups. */
struct settings_list {
	const char *section, *key, *help;
	const struct settings_field *fields;
	size_t n;
	int max;
	size_t items_offset, item_bytes, count_offset; /* in struct settings, int counter */
};

/* A list of texts. */
struct settings_addresses {
	const char *section, *key, *sample, *help;
	int max;
};

extern const struct settings_section settings_sections[];
extern const size_t settings_sections_n;
extern const struct settings_list settings_lists[];
extern const size_t settings_lists_n;
extern const struct settings_addresses settings_address_lists[];
extern const size_t settings_address_lists_n;
/* The keys outside sections. */
extern const struct settings_field settings_top[];
extern const size_t settings_top_n;

#endif
