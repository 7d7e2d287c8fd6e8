/* From a file's text to struct settings; settings_load() without the file. */
#ifndef TG_SETTINGS_SETTINGS_PARSE_H
#define TG_SETTINGS_SETTINGS_PARSE_H

#include <libconfig.h>
#include <stddef.h>

#include "settings/settings.h"
#include "settings/table.h"

/* name: of the file in errors. dir: what relative names in it are relative to. Returns 0 or -EINVAL with the
 * reason in why; *settings is set only on success. */
int settings_parse(const char *text, size_t len, const char *name, const char *dir, struct settings *settings,
	char *why, size_t why_bytes);

/* What no single value shows: pairs that must fit each other, and what must be there at all. */
int settings_check_all(
	const struct settings_source *source, const config_t *config, const struct settings *settings);

#endif
