#include "tools/program.h"
#include "tools/tool.h"

/* Rows are read by the code that writes them, which is the control plane's: it has a program of its own. */
int command_cdr_verify(const struct tool *tool)
{
	static const char *const places[] = {"tollgate-cdr-verify", NULL};
	char json[] = "--json";
	char *argv[5] = {NULL};
	int n = 1;
	if (tool->json)
		argv[n++] = json;
	for (int i = 0; i < tool->argc; i++)
		argv[n++] = tool->argv[i];
	return program_run(places, argv); /* it has said what it found */
}
