#include "cache/worker_path.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int try_path(const char *dir, size_t dir_n, const char *between, const char *name, char *out, size_t n)
{
	struct stat st;
	if (snprintf(out, n, "%.*s%s%s", (int)dir_n, dir, between, name) >= (int)n)
		return -ENAMETOOLONG;
	return !stat(out, &st) && S_ISREG(st.st_mode) && !access(out, X_OK) ? 0 : -ENOENT;
}

static int beside_self(const char *name, char *out, size_t n)
{
	char self[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);
	if (len < 0)
		return -errno;
	self[len] = '\0';
	char *slash = strrchr(self, '/');
	if (!slash)
		return -ENOENT;
	size_t dir_n = (size_t)(slash - self);
	int e = try_path(self, dir_n, "/", name, out, n);
	return e ? try_path(self, dir_n, "/../cache/", name, out, n) : 0;
}

int cache_worker_path(const char *name, char *path, size_t path_bytes)
{
	if (strchr(name, '/'))
		return try_path(name, strlen(name), "", "", path, path_bytes);
	if (!*name)
		return -ENOENT;
	int e = beside_self(name, path, path_bytes);
	const char *dir = getenv("PATH");
	while (e && dir && *dir) {
		size_t n = strcspn(dir, ":");
		if (n)
			e = try_path(dir, n, "/", name, path, path_bytes);
		dir += n;
		dir += *dir == ':';
	}
	return e;
}
