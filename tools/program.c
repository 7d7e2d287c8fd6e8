#include "tools/program.h"

#include <errno.h>
#include <limits.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tools/tool.h"

extern char **environ;

static int find(const char *const *places, char path[static PATH_MAX])
{
	char own[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", own, sizeof(own) - 1);
	if (n < 0)
		return -errno;
	own[n] = '\0';
	char *slash = strrchr(own, '/');
	if (slash)
		slash[1] = '\0';
	for (; *places; places++)
		if (snprintf(path, PATH_MAX, "%s%s", own, *places) < PATH_MAX && !access(path, X_OK))
			return 0;
	return -ENOENT;
}

int program_run(const char *const *places, char **argv)
{
	char path[PATH_MAX];
	pid_t pid;
	int status, e = find(places, path);
	argv[0] = path;
	if (!e)
		e = -posix_spawn(&pid, path, NULL, NULL, argv, environ);
	if (e)
		return tool_fail(
			"cannot run %s, which belongs beside this program: %s", places[0], strerror(-e));
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return tool_fail("cannot wait for %s: %s", path, strerror(errno));
	if (WIFSIGNALED(status))
		return tool_fail("%s was ended by signal %d", path, WTERMSIG(status));
	return WEXITSTATUS(status);
}
