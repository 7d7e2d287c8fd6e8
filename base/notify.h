/* Signs of life for whoever started the process, as systemd wants them (sd_notify(3)): plain datagrams to the
 * socket that NOTIFY_SOCKET names. Where nobody asked for them, nothing is sent. */
#ifndef TG_BASE_NOTIFY_H
#define TG_BASE_NOTIFY_H

#include <stdint.h>
#include <sys/un.h>

struct notify {
	int fd; /* -1: nobody listens */
	struct sockaddr_un to;
	uint32_t to_bytes;
	uint64_t watchdog_ns; /* a sign of life is wanted at least this often; 0: not */
	uint64_t pinged_ns;   /* monotonic time of the last one */
};

/* Reads NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID and takes them out of the environment, so that children
 * don't speak for us: before there are threads. What can't be understood is taken for not there. */
void notify_open(struct notify *n);
void notify_close(struct notify *n);

/* Sends lines of "NAME=value", cut at 256 bytes. Never blocks; what finds no room or no listener is lost. */
void notify_say(const struct notify *n, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Sends "WATCHDOG=1" and the status if half of the watchdog's time is over since the last one. now_ns:
 * monotonic. */
void notify_alive(struct notify *n, uint64_t now_ns, const char *status);

#endif
