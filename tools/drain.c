#include <stdio.h>
#include <string.h>
#include <time.h>

#include "tools/control.h"
#include "tools/tool.h"

static json_int_t sessions_of(const json_t *status)
{
	return json_integer_value(json_object_get(status, "sessions"));
}

static int say(const struct tool *tool, json_t *status, bool off)
{
	if (tool->json)
		return tool_print(status);
	json_int_t left = sessions_of(status);
	json_decref(status);
	if (off)
		printf("taking calls\n");
	else if (left)
		printf("draining: new calls are answered 503; %" JSON_INTEGER_FORMAT " %s left\n", left,
			left == 1 ? "session" : "sessions");
	else
		printf("drained: no session is left; it is safe to stop or upgrade\n");
	return tool_done();
}

int command_drain(const struct tool *tool)
{
	struct settings settings;
	const char *how = tool->argc ? tool->argv[0] : "";
	bool wait = !strcmp(how, "wait"), off = !strcmp(how, "off");
	if (*how && !wait && !off) {
		tool_fail("drain knows \"wait\" and \"off\"");
		return TOOL_USAGE;
	}
	int failed = tool_settings(tool, &settings);
	if (failed)
		return failed;
	json_t *status = control_post(settings.node.run_dir, off ? "/take-calls" : "/drain");
	while (status && wait && sessions_of(status)) {
		struct timespec second = {.tv_sec = 1};
		json_decref(status);
		nanosleep(&second, NULL);
		status = control_get(settings.node.run_dir, "/status");
	}
	return status ? say(tool, status, off) : TOOL_FAILED;
}
