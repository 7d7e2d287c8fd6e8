#include "cache/listen.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG 256

/* What a killed predecessor left: a socket file that refuses connections. */
static bool is_stale(const struct sockaddr_un *a)
{
	struct stat st;
	if (lstat(a->sun_path, &st) || !S_ISSOCK(st.st_mode))
		return false;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return false;
	bool stale = connect(fd, (const struct sockaddr *)a, sizeof(*a)) && errno == ECONNREFUSED;
	close(fd);
	return stale;
}

static int bind_at(int fd, const struct sockaddr_un *a)
{
	if (!bind(fd, (const struct sockaddr *)a, sizeof(*a)))
		return 0;
	if (errno != EADDRINUSE)
		return -errno;
	if (!is_stale(a))
		return -EADDRINUSE;
	if (unlink(a->sun_path) || bind(fd, (const struct sockaddr *)a, sizeof(*a)))
		return -errno;
	return 0;
}

int cache_listen(const char *path, char *why, size_t why_bytes)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	if (strlen(path) >= sizeof(a.sun_path)) {
		snprintf(why, why_bytes,
			"media socket %s: the path is longer than %zu bytes: shorten node.run_dir", path,
			sizeof(a.sun_path) - 1);
		return -ENAMETOOLONG;
	}
	strcpy(a.sun_path, path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int e = fd < 0 ? -errno : bind_at(fd, &a);
	/* Nobody can connect before listen(), so the mode is right from the first connection on. */
	if (!e && (chmod(path, 0660) || listen(fd, BACKLOG)))
		e = -errno;
	if (!e)
		return fd;
	snprintf(why, why_bytes, "media socket %s: %s%s", path, strerror(-e),
		e == -EADDRINUSE ? ": another process listens there, stop it first"
		: e == -ENOENT   ? ": make the directory that node.run_dir names"
				 : "");
	if (fd >= 0)
		close(fd);
	return e;
}
