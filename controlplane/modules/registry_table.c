#include "controlplane/modules/registry_check.h"
#include "controlplane/modules/registry_entry.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* In the order of the ENTRY_ enumerations and of methods in registry_connect.c. */
static const char *const account_status[] = {"active", "suspended", NULL};
static const char *const module_kinds[] = {"application", "routing", NULL};
static const char *const methods[] = {"POST", "GET", NULL};

#define GROUP(group, list, text) const struct settings_field registry_##group##_fields[] = {
#define TEXT(group, name, size, value, needed, allowed, text)   \
	{.key = #name,                                          \
		.type = SETTINGS_TEXT,                          \
		.offset = offsetof(struct entry_##group, name), \
		.bytes = size,                                  \
		.required = needed,                             \
		.def_text = value,                              \
		.check = registry_##allowed,                    \
		.help = text},
#define INT(group, name, value, lowest, highest, text)          \
	{.key = #name,                                          \
		.type = SETTINGS_INT,                           \
		.offset = offsetof(struct entry_##group, name), \
		.def = value,                                   \
		.min = lowest,                                  \
		.max = highest,                                 \
		.help = text},
#define CHOICE(group, name, value, allowed, text)               \
	{.key = #name,                                          \
		.type = SETTINGS_CHOICE,                        \
		.offset = offsetof(struct entry_##group, name), \
		.def_text = value,                              \
		.choices = allowed,                             \
		.help = text},
#define LISTED(group, name) {.key = #name, .type = SETTINGS_OTHER},
#define GROUP_END(group) \
	}                \
	;                \
	const size_t registry_##group##_fields_n = COUNT(registry_##group##_fields);
#include "controlplane/modules/registry.def"
#undef TEXT

#define TEXT(group, name, size, value, needed, allowed, text) \
	_Static_assert(sizeof(((struct entry_##group *)NULL)->name) == size, #group "." #name);
#undef GROUP
#undef INT
#undef CHOICE
#undef LISTED
#undef GROUP_END
#define GROUP(group, list, text)
#define INT(group, name, value, lowest, highest, text)
#define CHOICE(group, name, value, allowed, text)
#define LISTED(group, name)
#define GROUP_END(group)
#include "controlplane/modules/registry.def"
