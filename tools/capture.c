/* `tollgate capture`: asks the dataplane by DPDK's telemetry socket, so it works without the control plane.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "tools/text.h"
#include "tools/tool.h"

#define ANSWER_BYTES   16384
#define ANSWER_SECONDS 5

/* A socket to this path, or -1. */
static int connect_to(const char *directory, const char *prefix)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	struct timeval limit = {.tv_sec = ANSWER_SECONDS};
	int n = snprintf(a.sun_path, sizeof(a.sun_path), "%s/dpdk/%s/dpdk_telemetry.v2", directory, prefix);
	int fd = n > 0 && (size_t)n < sizeof(a.sun_path) ? socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0)
							 : -1;
	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	if (!connect(fd, (struct sockaddr *)&a, sizeof(a)))
		return fd;
	close(fd);
	return -1;
}

/* Where systemd has the dataplane make its socket, and where it is otherwise. */
static int connect_dataplane(const struct settings *s)
{
	int fd = connect_to(s->node.run_dir, s->region.name);
	return fd >= 0 ? fd : connect_to("/run", s->region.name);
}

/* One datagram each way; the first that comes is a greeting. Returns the object under the command's name. */
static json_t *ask(int fd, const char *endpoint, const char *question)
{
	char *answer = malloc(ANSWER_BYTES);
	json_t *all = NULL, *found = NULL;
	ssize_t n = answer ? recv(fd, answer, ANSWER_BYTES, 0) : -1;
	if (n > 0 && send(fd, question, strlen(question), MSG_NOSIGNAL) > 0) {
		n = recv(fd, answer, ANSWER_BYTES, 0);
		if (n > 0)
			all = json_loadb(answer, (size_t)n, 0, NULL);
	}
	free(answer);
	found = json_incref(json_object_get(all, endpoint));
	json_decref(all);
	return found;
}

static int say(const struct tool *tool, json_t *answer)
{
	char shown[512];
	const char *error = json_string_value(json_object_get(answer, "error"));
	const char *file = json_string_value(json_object_get(answer, "file"));
	const json_t *frames = json_object_get(answer, "frames");
	if (error) {
		tool_fail("%s", text_show(error, strlen(error), shown, sizeof(shown)));
		json_decref(answer);
		return TOOL_FAILED;
	}
	if (tool->json)
		return tool_print(answer);
	if (!file || !*file)
		printf("nothing has been captured\n");
	else {
		printf("%s", text_show(file, strlen(file), shown, sizeof(shown)));
		if (frames)
			printf(": %lld frames, %lld copies lost, %s", (long long)json_integer_value(frames),
				(long long)json_integer_value(json_object_get(answer, "lost")),
				json_integer_value(json_object_get(answer, "running")) ? "running" : "ended");
		printf("\n");
	}
	json_decref(answer);
	return tool_done();
}

/* The endpoint of the words, and what is asked of it; NULL where they are none. */
static const char *endpoint_of(const struct tool *tool, char *question, size_t n)
{
	const char *what = tool->argc ? tool->argv[0] : "", *leg = tool->argc > 1 ? tool->argv[1] : NULL;
	const char *endpoint = !*what                   ? "/tollgate/capture"
			       : !strcmp(what, "drops") ? "/tollgate/capture_drops"
			       : !strcmp(what, "stop")  ? "/tollgate/capture_stop"
			       : !strcmp(what, "leg")   ? "/tollgate/capture_leg"
							: NULL;
	if (!endpoint || !leg != !!strcmp(what, "leg"))
		return NULL;
	if (leg && (!*leg || strlen(leg) > 9 || leg[strspn(leg, "0123456789")]))
		return NULL;
	snprintf(question, n, "%s%s%s", endpoint, leg ? "," : "", leg ? leg : "");
	return endpoint;
}

int command_capture(const struct tool *tool)
{
	struct settings settings;
	char question[64];
	const char *endpoint = endpoint_of(tool, question, sizeof(question));
	if (!endpoint) {
		tool_fail("capture knows \"leg NUMBER\" (as `tollgate call ID` names it), \"drops\" and "
			  "\"stop\"");
		return TOOL_USAGE;
	}
	int failed = tool_settings(tool, &settings);
	if (failed)
		return failed;
	int fd = connect_dataplane(&settings);
	if (fd < 0)
		return tool_fail("nobody answers at %s/dpdk/%s nor below /run: is tollgate-dataplane "
				 "running, and are you root?",
			settings.node.run_dir, settings.region.name);
	json_t *answer = ask(fd, endpoint, question);
	close(fd);
	if (json_is_object(answer))
		return say(tool, answer);
	json_decref(answer);
	return tool_fail("the dataplane does not know that leg, or is another version");
}
