#include <stdio.h>
#include <string.h>

#include "tools/program.h"
#include "tools/text.h"
#include "tools/tool.h"

/* The registry's parser is the control plane's: it is asked, and says itself what is wrong. */
static int check_registry(const char *path)
{
	static const char *const places[] = {
		"tollgate-control", "../sbin/tollgate-control", "../controlplane/tollgate-control", NULL};
	char *argv[] = {NULL, "--check", "--settings", (char *)path, NULL};
	return program_run(places, argv) ? TOOL_FAILED : TOOL_OK;
}

int command_check_config(const struct tool *tool)
{
	char why[1024] = "", shown[2048];
	struct settings settings;
	const char *path = tool->argv[0];
	int e = settings_load(path, &settings, why, sizeof(why));
	text_show(why, strlen(why), shown, sizeof(shown));
	int status = e ? TOOL_FAILED : check_registry(path);
	if (tool->json) {
		const char *error = e ? shown : status ? "the registry is refused: see standard error" : NULL;
		int printed = tool_print(json_pack("{s:b, s:s?}", "ok", status == TOOL_OK, "error", error));
		return printed ? printed : status;
	}
	if (e)
		return tool_fail("%s", shown);
	if (status)
		return status;
	printf("%s: ok\n", text_show(path, strlen(path), shown, sizeof(shown)));
	return tool_done();
}

int command_sample_config(const struct tool *tool)
{
	(void)tool;
	settings_print_sample(stdout);
	return tool_done();
}
