#include <stdio.h>

#include "tools/tool.h"

int command_version(const struct tool *tool)
{
	if (tool->json)
		return tool_print(
			json_pack("{s:s, s:i}", "version", TG_VERSION, "layout", (int)TG_LAYOUT_VERSION));
	printf("tollgate %s, region layout %u\n", TG_VERSION, TG_LAYOUT_VERSION);
	return tool_done();
}
