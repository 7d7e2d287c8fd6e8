#include "tools/tool.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "contract/region_open.h"

#define WHY_BYTES 1024

int tool_fail(const char *fmt, ...)
{
	va_list ap;
	fflush(stdout);
	fputs("tollgate: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	return TOOL_FAILED;
}

int tool_settings(const struct tool *tool, struct settings *settings)
{
	char why[WHY_BYTES] = "";
	if (settings_load(tool->settings_path, settings, why, sizeof(why)))
		return tool_fail("%s%s", why,
			access(tool->settings_path, F_OK) ? "; name yours: --settings FILE" : "");
	return TOOL_OK;
}

int tool_region(const struct tool *tool, struct tg_region **region)
{
	char why[WHY_BYTES] = "";
	struct settings settings;
	int status = tool_settings(tool, &settings);
	if (status)
		return status;
	if (tg_region_open_or_fallback(region, settings.region.dir, settings.region.name, NULL,
		    TG_ROLE_READER, why, sizeof(why)))
		return tool_fail("%s", why);
	return TOOL_OK;
}

int tool_done(void)
{
	if (fflush(stdout) || ferror(stdout))
		return tool_fail("cannot write to standard output");
	return TOOL_OK;
}

int tool_print(json_t *value)
{
	if (!value)
		return tool_fail("out of memory");
	json_dumpf(value, stdout, JSON_INDENT(1));
	fputc('\n', stdout);
	json_decref(value);
	return tool_done();
}

json_t *tool_u64(uint64_t v)
{
	return json_integer(v <= INT64_MAX ? (json_int_t)v : INT64_MAX);
}

json_t *tool_time(uint64_t utc_ns)
{
	char text[CLOCK_TEXT_BYTES];
	if (!utc_ns)
		return json_null();
	clock_format_utc(utc_ns, text);
	return json_string(text);
}
