#include "controlplane/sip/sofia_send.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

#define TELL_NS (10 * CLOCK_NS_PER_S)

static _Atomic uint64_t lost, told_ns;

uint64_t sofia_send_lost(void)
{
	return atomic_load_explicit(&lost, memory_order_relaxed);
}

static bool has_no_way(int error)
{
	return error == ENETUNREACH || error == ENETDOWN || error == EHOSTUNREACH;
}

static void tell(int error)
{
	uint64_t now = clock_mono_ns(), before = atomic_load_explicit(&told_ns, memory_order_relaxed);
	uint64_t n = atomic_fetch_add_explicit(&lost, 1, memory_order_relaxed) + 1;
	if (before && now - before < TELL_NS)
		return;
	atomic_store_explicit(&told_ns, now, memory_order_relaxed);
	log_warn(sip, NULL, "no-way-out",
		"errno=%d lost=%llu effect=\"sent again as if lost on the way\" advice=\"look at the SIP "
		"interface and "
		"its routes\"",
		error, (unsigned long long)n);
}

/* In place of the C library's, for the whole program: only datagrams with an address of their own are
 * concerned, which are the stack's. */
ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
	ssize_t n = syscall(SYS_sendmsg, fd, message, flags);
	if (n >= 0 || !message->msg_name || !has_no_way(errno))
		return n;
	tell(errno);
	n = 0;
	for (size_t i = 0; i < message->msg_iovlen; i++)
		n += (ssize_t)message->msg_iov[i].iov_len;
	return n;
}
