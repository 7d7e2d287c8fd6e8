/* What the commands of `tollgate` share: options, errors, the region, output. */
#ifndef TG_TOOLS_TOOL_H
#define TG_TOOLS_TOOL_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "contract/region.h"
#include "settings/settings.h"

#define TOOL_SETTINGS "/etc/tollgate/gateway.conf"

enum { TOOL_OK = 0, TOOL_FAILED = 1, TOOL_USAGE = 2 };

struct tool {
	const char *settings_path;
	bool json;
	int argc; /* arguments after the command's name */
	char **argv;
};

/* The commands (command.def). Each returns an exit status. */
#define COMMAND(name, function, least, most, args, help) int function(const struct tool *tool);
#include "tools/command.def"
#undef COMMAND

/* Writes "tollgate: " and the sentence to standard error. Returns TOOL_FAILED. */
int tool_fail(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Reads the settings; then opens the region that they name, as a reader. The error has been written when
 * these return something else than TOOL_OK. Close with tg_region_close(). */
int tool_settings(const struct tool *tool, struct settings *settings);
int tool_region(const struct tool *tool, struct tg_region **region);

/* Prints and releases a value (NULL: memory is out). Returns an exit status. */
int tool_print(json_t *value);
/* Flushes standard output: a full disk or a closed pipe is a failure too. */
int tool_done(void);

/* An integer of the region, which may hold anything. */
json_t *tool_u64(uint64_t v);
json_t *tool_time(uint64_t utc_ns); /* null for 0 */

#endif
