#include "dataplane/kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <rte_ring.h>

#define BURST 32

static int attach(int fd, const char *name)
{
	struct ifreq ifr = {.ifr_flags = IFF_TAP | IFF_NO_PI};
	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", name);
	if (!ioctl(fd, TUNSETIFF, &ifr))
		return 0;
	if (errno != EINVAL)
		return -errno;
	/* One that was made beforehand may have several queues. */
	ifr.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_MULTI_QUEUE;
	return ioctl(fd, TUNSETIFF, &ifr) ? -errno : 0;
}

static int bring_up(const char *name, const struct dp_port *port)
{
	struct ifreq ifr = {0};
	uint16_t mtu;
	int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (s < 0)
		return -errno;
	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", name);
	ifr.ifr_hwaddr.sa_family = ARPHRD_ETHER;
	memcpy(ifr.ifr_hwaddr.sa_data, port->mac, sizeof(port->mac));
	int e = ioctl(s, SIOCSIFHWADDR, &ifr) ? -errno : 0;
	if (!e && !rte_eth_dev_get_mtu(port->id, &mtu)) {
		ifr.ifr_mtu = mtu;
		e = ioctl(s, SIOCSIFMTU, &ifr) ? -errno : 0;
	}
	if (!e && !ioctl(s, SIOCGIFFLAGS, &ifr)) {
		ifr.ifr_flags |= IFF_UP;
		e = ioctl(s, SIOCSIFFLAGS, &ifr) ? -errno : 0;
	}
	close(s);
	return e;
}

static int open_tap(struct dp_kernel *k, struct dp_port *port, char *why, size_t n)
{
	const char *name = port->settings->interface;
	int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	int e = fd < 0 ? -errno : attach(fd, name);
	if (!e && ioctl(fd, TUNSETPERSIST, 1))
		e = -errno;
	if (!e)
		e = bring_up(name, port);
	if (e) {
		if (fd >= 0)
			close(fd);
		snprintf(why, n, "tap %s: %s%s", name, strerror(-e),
			e == -EBUSY    ? "; another process has it: stop that first"
			: e == -ENOENT ? "; load the module: `modprobe tun`"
			: e == -EINVAL
				? "; an interface of that name is no tap: choose another in media.ports"
			: e == -EPERM ? "; run as root or with CAP_NET_ADMIN"
				      : "");
		return e;
	}
	k->fd[port->index] = fd;
	k->taps++;
	port->ifindex = if_nametoindex(name);
	return 0;
}

int dp_kernel_open(struct dp_kernel *k, char *why, size_t n)
{
	for (uint32_t p = 0; p < SETTINGS_PORTS_MAX; p++)
		k->fd[p] = -1;
	for (uint32_t p = 0; p < k->ports; p++) {
		int e = k->port[p].has_tap ? open_tap(k, &k->port[p], why, n) : 0;
		if (e) {
			dp_kernel_close(k);
			return e;
		}
	}
	return 0;
}

void dp_kernel_close(struct dp_kernel *k)
{
	for (uint32_t p = 0; p < SETTINGS_PORTS_MAX; p++) {
		if (k->fd[p] >= 0)
			close(k->fd[p]);
		k->fd[p] = -1;
	}
}

static int fd_of(const struct dp_kernel *k, uint16_t ethdev)
{
	for (uint32_t p = 0; p < k->ports; p++)
		if (k->port[p].id == ethdev)
			return k->fd[p];
	return -1;
}

static uint32_t to_taps(struct dp_kernel *k)
{
	struct rte_mbuf *m[BURST];
	uint32_t total = 0;
	for (uint32_t w = 0; w < k->exchange->workers; w++) {
		uint32_t n = rte_ring_sc_dequeue_burst(k->exchange->to_kernel[w], (void **)m, BURST, NULL);
		for (uint32_t i = 0; i < n; i++) {
			/* A tap that is down or full loses frames, as any interface does. */
			ssize_t unused = write(fd_of(k, m[i]->port), rte_pktmbuf_mtod(m[i], void *),
				rte_pktmbuf_data_len(m[i]));
			(void)unused;
			rte_pktmbuf_free(m[i]);
		}
		total += n;
	}
	return total;
}

/* Reads only as much as the worker's ring has room for: the rest waits in the kernel. */
static uint32_t from_tap(struct dp_kernel *k, uint32_t port)
{
	uint32_t n = 0, room = rte_ring_free_count(k->exchange->from_kernel);
	for (; n < BURST && n < room; n++) {
		struct rte_mbuf *m = rte_pktmbuf_alloc(k->pool);
		if (!m)
			break;
		ssize_t got = read(k->fd[port], rte_pktmbuf_mtod(m, void *), rte_pktmbuf_tailroom(m));
		if (got <= 0) {
			rte_pktmbuf_free(m);
			break;
		}
		m->data_len = (uint16_t)got;
		m->pkt_len = (uint32_t)got;
		m->port = (uint16_t)port;
		rte_ring_sp_enqueue(k->exchange->from_kernel, m);
	}
	return n;
}

uint32_t dp_kernel_serve(struct dp_kernel *k)
{
	uint32_t total = k->taps ? to_taps(k) : 0;
	for (uint32_t p = 0; p < k->ports; p++)
		if (k->fd[p] >= 0)
			total += from_tap(k, p);
	return total;
}
