#include <stdio.h>

#include "tools/program.h"
#include "tools/tool.h"

/* The projection that must make the same bytes is the control plane's: it has a program of its own. */
int command_cdr_rebuild(const struct tool *tool)
{
	static const char *const places[] = {"tollgate-cdr-rebuild", NULL};
	char *argv[] = {NULL, tool->argv[0], tool->argv[1], NULL};
	if (program_run(places, argv)) /* it has said why */
		return TOOL_FAILED;
	if (tool->json)
		return tool_print(json_pack("{s:b}", "ok", 1));
	printf("ok\n");
	return tool_done();
}
