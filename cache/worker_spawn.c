#include "cache/worker_spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stddef.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

static int set_files(posix_spawn_file_actions_t *fa, int body_fd, int out_fd)
{
	int e = posix_spawn_file_actions_adddup2(fa, body_fd, STDIN_FILENO);
	if (!e)
		e = posix_spawn_file_actions_adddup2(fa, out_fd, STDOUT_FILENO);
	if (!e) /* libraries print what hostile files make them print */
		e = posix_spawn_file_actions_addopen(fa, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
	if (!e)
		e = posix_spawn_file_actions_addclosefrom_np(fa, STDERR_FILENO + 1);
	return e;
}

static int set_attributes(posix_spawnattr_t *at)
{
	sigset_t all, none;
	sigfillset(&all);
	sigemptyset(&none);
	int e = posix_spawnattr_setsigdefault(at, &all);
	if (!e)
		e = posix_spawnattr_setsigmask(at, &none);
	if (!e)
		e = posix_spawnattr_setpgroup(at, 0);
	if (!e)
		e = posix_spawnattr_setflags(
			at, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
	return e;
}

static int spawn(const char *path, const struct cache_worker_args *args, int body_fd, int out_fd, pid_t *pid)
{
	char text[CACHE_WORKER_ARGS][CACHE_WORKER_ARG_BYTES];
	char *argv[CACHE_WORKER_ARGS + 2] = {(char *)path}, *envp[] = {NULL};
	cache_worker_args_format(args, text);
	for (int i = 0; i < CACHE_WORKER_ARGS; i++)
		argv[i + 1] = text[i];
	posix_spawn_file_actions_t fa;
	posix_spawnattr_t at;
	int e = posix_spawn_file_actions_init(&fa);
	if (e)
		return -e;
	e = posix_spawnattr_init(&at);
	if (!e) {
		e = set_files(&fa, body_fd, out_fd);
		if (!e)
			e = set_attributes(&at);
		if (!e)
			e = posix_spawn(pid, path, &fa, &at, argv, envp);
		posix_spawnattr_destroy(&at);
	}
	posix_spawn_file_actions_destroy(&fa);
	return -e;
}

int cache_worker_spawn(
	const char *path, const struct cache_worker_args *args, int body_fd, struct cache_child *child)
{
	int fd[2];
	pid_t pid;
	if (pipe2(fd, O_CLOEXEC))
		return -errno;
	/* The reading side only: the child's end stays blocking. */
	int e = fcntl(fd[0], F_SETFL, O_NONBLOCK) ? -errno : spawn(path, args, body_fd, fd[1], &pid);
	close(fd[1]);
	if (e) {
		close(fd[0]);
		return e;
	}
	int pid_fd = pidfd_open(pid, 0);
	if (pid_fd < 0) {
		e = -errno;
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		close(fd[0]);
		return e;
	}
	*child = (struct cache_child){pid_fd, fd[0]};
	return 0;
}
