#include "base/notify.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SAY_BYTES       256
#define WATCHDOG_US_MAX (24ull * 3600 * 1000000)

/* A path, or with a leading "@" a name in the abstract namespace. Returns a socket, or -1. Sent to by name
 * each time: a listener that was closed and bound again is heard again. */
static int socket_to(struct notify *n, const char *name)
{
	size_t len = strlen(name);
	if ((name[0] != '/' && name[0] != '@') || len < 2 || len >= sizeof(n->to.sun_path))
		return -1;
	n->to.sun_family = AF_UNIX;
	memcpy(n->to.sun_path, name, len);
	if (name[0] == '@')
		n->to.sun_path[0] = 0;
	n->to_bytes = (uint32_t)(offsetof(struct sockaddr_un, sun_path) + len);
	return socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

/* Decimal digits and nothing else; 0: none, or more than max. */
static uint64_t number(const char *text, uint64_t max)
{
	if (!text || !*text || strspn(text, "0123456789") != strlen(text))
		return 0;
	errno = 0;
	unsigned long long v = strtoull(text, NULL, 10);
	return errno || v > max ? 0 : v;
}

void notify_open(struct notify *n)
{
	*n = (struct notify){.fd = -1};
	const char *name = getenv("NOTIFY_SOCKET"), *pid = getenv("WATCHDOG_PID");
	if (name)
		n->fd = socket_to(n, name);
	bool ours = !pid || number(pid, INT32_MAX) == (uint64_t)getpid();
	if (n->fd >= 0 && ours)
		n->watchdog_ns = number(getenv("WATCHDOG_USEC"), WATCHDOG_US_MAX) * 1000;
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_PID");
	unsetenv("WATCHDOG_USEC");
}

void notify_close(struct notify *n)
{
	if (n->fd >= 0)
		close(n->fd);
	n->fd = -1;
}

void notify_say(const struct notify *n, const char *fmt, ...)
{
	char text[SAY_BYTES];
	if (n->fd < 0)
		return;
	va_list ap;
	va_start(ap, fmt);
	int len = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (len <= 0)
		return;
	if ((size_t)len >= sizeof(text))
		len = sizeof(text) - 1;
	int e = errno;
	(void)!sendto(n->fd, text, (size_t)len, MSG_NOSIGNAL | MSG_DONTWAIT, (const struct sockaddr *)&n->to,
		n->to_bytes);
	errno = e;
}

void notify_alive(struct notify *n, uint64_t now_ns, const char *status)
{
	if (!n->watchdog_ns || now_ns - n->pinged_ns < n->watchdog_ns / 2)
		return;
	n->pinged_ns = now_ns;
	notify_say(n, "WATCHDOG=1\nSTATUS=%s", status);
}
