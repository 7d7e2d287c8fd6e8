#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tools/text.h"
#include "tools/tool.h"

/* What the registry says is checked by the control plane, whose parser it is; that it is there is checked
 * here. */
static int check(const char *path, struct settings *settings, char *why, size_t why_bytes)
{
	int e = settings_load(path, settings, why, why_bytes);
	if (e || !access(settings->registry, R_OK))
		return e;
	e = -errno;
	snprintf(why, why_bytes, "%s: registry: %s: %s; allowed: the file of accounts, modules and numbers",
		path, settings->registry, strerror(-e));
	return e;
}

int command_check_config(const struct tool *tool)
{
	char why[1024] = "", shown[2048];
	struct settings settings;
	const char *path = tool->argv[0];
	int e = check(path, &settings, why, sizeof(why));
	text_show(why, strlen(why), shown, sizeof(shown));
	if (tool->json) {
		json_t *o = json_pack("{s:b, s:s?}", "ok", e == 0, "error", e ? shown : NULL);
		int status = tool_print(o);
		return status ? status : e ? TOOL_FAILED : TOOL_OK;
	}
	if (e)
		return tool_fail("%s", shown);
	printf("%s: ok\n", text_show(path, strlen(path), shown, sizeof(shown)));
	e = tool_done();
	fprintf(stderr, "%s is read by tollgate-control only, when it starts and at SIGHUP\n",
		text_show(settings.registry, strlen(settings.registry), shown, sizeof(shown)));
	return e;
}

int command_sample_config(const struct tool *tool)
{
	(void)tool;
	settings_print_sample(stdout);
	return tool_done();
}
