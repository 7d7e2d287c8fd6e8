#include <errno.h>
#include <limits.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tools/tool.h"

#define PROGRAM "tollgate-cdr-rebuild"

extern char **environ;

/* The projection that must make the same bytes is the control plane's: its program lies beside this one. */
static int program_path(char path[static PATH_MAX])
{
	ssize_t n = readlink("/proc/self/exe", path, PATH_MAX - 1);
	if (n < 0)
		return -errno;
	path[n] = '\0';
	char *slash = strrchr(path, '/');
	if (!slash || (size_t)(slash + 1 - path) + sizeof(PROGRAM) > PATH_MAX)
		return -ENAMETOOLONG;
	strcpy(slash + 1, PROGRAM);
	return 0;
}

int command_cdr_rebuild(const struct tool *tool)
{
	char path[PATH_MAX];
	char *argv[] = {path, tool->argv[0], tool->argv[1], NULL};
	pid_t pid;
	int status, e = program_path(path);
	if (!e)
		e = -posix_spawn(&pid, path, NULL, NULL, argv, environ);
	if (e)
		return tool_fail(
			"cannot run " PROGRAM ", which belongs beside this program: %s", strerror(-e));
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return tool_fail("cannot wait for " PROGRAM ": %s", strerror(errno));
	if (WIFSIGNALED(status))
		return tool_fail(PROGRAM " was ended by signal %d", WTERMSIG(status));
	if (WEXITSTATUS(status)) /* it has said why */
		return TOOL_FAILED;
	if (tool->json)
		return tool_print(json_pack("{s:b}", "ok", 1));
	printf("ok\n");
	return tool_done();
}
