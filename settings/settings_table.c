#include "settings/settings_table.h"

#include "settings/settings.h"
#include "settings/settings_check.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* In the order of enum settings_port_kind. */
static const char *const port_kinds[] = {"af_xdp", "af_packet", "dpdk", NULL};

/* In the order of enum settings_media_family. */
static const char *const media_families[] = {"auto", "ipv4", "ipv6", NULL};

#define SECTION(name, text) static const struct settings_field name##_fields[] = {
#define INT(section, name, value, lowest, highest, text)           \
	{.key = #name,                                             \
		.type = SETTINGS_INT,                              \
		.offset = offsetof(struct settings, section.name), \
		.def = value,                                      \
		.min = lowest,                                     \
		.max = highest,                                    \
		.help = text},
#define BOOL(section, name, value, text)                           \
	{.key = #name,                                             \
		.type = SETTINGS_BOOL,                             \
		.offset = offsetof(struct settings, section.name), \
		.def = value,                                      \
		.help = text},
#define TEXT(section, name, size, value, allowed, text)            \
	{.key = #name,                                             \
		.type = SETTINGS_TEXT,                             \
		.offset = offsetof(struct settings, section.name), \
		.bytes = size,                                     \
		.def_text = value,                                 \
		.check = settings_##allowed,                       \
		.help = text},
#define LISTED(section, name) {.key = #name, .type = SETTINGS_OTHER},
#define SECTION_END(name) \
	}                 \
	;
#include "settings/settings.def"
#undef SECTION
#undef INT
#undef BOOL
#undef TEXT
#undef LISTED
#undef SECTION_END

const struct settings_section settings_sections[] = {
#define SECTION(name, text) {#name, text, name##_fields, COUNT(name##_fields)},
#define INT(section, name, value, lowest, highest, text)
#define BOOL(section, name, value, text)
#define TEXT(section, name, size, value, allowed, text)
#define LISTED(section, name)
#define SECTION_END(name)
#include "settings/settings.def"
#undef SECTION
};
const size_t settings_sections_n = COUNT(settings_sections);

const struct settings_field settings_top[] = {
#define SECTION(name, text) {.key = #name, .type = SETTINGS_OTHER, .help = text},
#include "settings/settings.def"
	{.key = "registry",
		.type = SETTINGS_TEXT,
		.offset = offsetof(struct settings, registry),
		.bytes = sizeof(((struct settings *)NULL)->registry),
		.def_text = "registry.conf",
		.check = settings_check_file,
		.help = "accounts, modules and numbers: a file, relative names are beside this one"},
};
const size_t settings_top_n = COUNT(settings_top);

#define ITEM_FIELDS(name)                            static const struct settings_field name##_fields[] = {
#define LIST(section, name, item, count, most, text) ITEM_FIELDS(item)
#define ITEM_TEXT(item, name, value, needed, allowed, text)              \
	{.key = #name,                                                   \
		.type = SETTINGS_TEXT,                                   \
		.offset = offsetof(struct settings_##item, name),        \
		.bytes = sizeof(((struct settings_##item *)NULL)->name), \
		.required = needed,                                      \
		.def_text = value,                                       \
		.check = settings_##allowed,                             \
		.help = text},
#define ITEM_INT(item, name, value, lowest, highest, text)        \
	{.key = #name,                                            \
		.type = SETTINGS_INT,                             \
		.offset = offsetof(struct settings_##item, name), \
		.def = value,                                     \
		.min = lowest,                                    \
		.max = highest,                                   \
		.help = text},
#define ITEM_CHOICE(item, name, value, allowed, text)             \
	{.key = #name,                                            \
		.type = SETTINGS_CHOICE,                          \
		.offset = offsetof(struct settings_##item, name), \
		.def_text = value,                                \
		.choices = allowed,                               \
		.help = text},
#define ITEM_RANGE(item, name, field, text)                        \
	{.key = #name,                                             \
		.type = SETTINGS_RANGE,                            \
		.offset = offsetof(struct settings_##item, field), \
		.required = true,                                  \
		.help = text},
#define LIST_END(item) \
	}              \
	;
#define ADDRESSES(section, name, most, sample, text)
#include "settings/settings_list.def"
#undef LIST
#undef ITEM_TEXT
#undef ITEM_INT
#undef ITEM_CHOICE
#undef ITEM_RANGE
#undef LIST_END

const struct settings_list settings_lists[] = {
#define LIST(section, name, item, count, most, text)                                                        \
	{#section, #name, text, item##_fields, COUNT(item##_fields), most, offsetof(struct settings, item), \
		sizeof(struct settings_##item), offsetof(struct settings, count)},
#define ITEM_TEXT(item, name, value, needed, allowed, text)
#define ITEM_INT(item, name, value, lowest, highest, text)
#define ITEM_CHOICE(item, name, value, allowed, text)
#define ITEM_RANGE(item, name, field, text)
#define LIST_END(item)
#include "settings/settings_list.def"
#undef LIST
#undef ADDRESSES
};
const size_t settings_lists_n = COUNT(settings_lists);

const struct settings_addresses settings_address_lists[] = {
#define LIST(section, name, item, count, most, text)
#define ADDRESSES(section, name, most, example, text) {#section, #name, example, text, most},
#include "settings/settings_list.def"
};
const size_t settings_address_lists_n = COUNT(settings_address_lists);
