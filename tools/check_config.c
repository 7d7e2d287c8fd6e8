#include <stdio.h>
#include <string.h>

#include "tools/text.h"
#include "tools/tool.h"

int command_check_config(const struct tool *tool)
{
	char why[1024] = "", shown[2048];
	struct settings settings;
	const char *path = tool->argv[0];
	int e = settings_load(path, &settings, why, sizeof(why));
	text_show(why, strlen(why), shown, sizeof(shown));
	if (tool->json) {
		json_t *o = json_pack("{s:b, s:s?}", "ok", e == 0, "error", e ? shown : NULL);
		int status = tool_print(o);
		return status ? status : e ? TOOL_FAILED : TOOL_OK;
	}
	if (e)
		return tool_fail("%s", shown);
	printf("%s: ok\n", text_show(path, strlen(path), shown, sizeof(shown)));
	return tool_done();
}
