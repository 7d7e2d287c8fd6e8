#include "dataplane/port.h"

#include <errno.h>
#include <limits.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <rte_dev.h>
#include <rte_ethdev.h>

#include "base/log.h"
#include "dataplane/environment.h"
#include "dataplane/filter.h"
#include "dataplane/steer.h"

#define RX_DESCRIPTORS 1024
#define TX_DESCRIPTORS 1024
/* At 100,000 packets/s some 40 ms, which is longer than a worker loses its processor for. */
#define AF_PACKET_FRAMES 4096

/* An abstract socket lives in the network namespace, as interfaces do, and goes with its process. */
static int claim(const char *interface, int *fd, char *why, size_t n)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int len = snprintf(a.sun_path + 1, sizeof(a.sun_path) - 1, "tollgate-dataplane/port/%s", interface);
	int s = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (s < 0 || bind(s, (struct sockaddr *)&a,
			     (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)len))) {
		int e = -errno;
		if (s >= 0)
			close(s);
		snprintf(why, n, "interface %s: %s", interface,
			e == -EADDRINUSE ? "another tollgate-dataplane uses it: stop that first"
					 : strerror(-e));
		return e == -EADDRINUSE ? -EBUSY : e;
	}
	*fd = s;
	return 0;
}

static int find_interface(struct dp_port *p, char *why, size_t n)
{
	const char *name = p->settings->interface;
	p->ifindex = if_nametoindex(name);
	if (!p->ifindex) {
		snprintf(why, n,
			"interface %s does not exist in this network namespace: correct media.ports, or make "
			"it "
			"(`ip link show` lists those that are there)",
			name);
		return -ENODEV;
	}
	struct ifreq ifr = {0};
	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", name);
	int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (s >= 0 && !ioctl(s, SIOCGIFFLAGS, &ifr) && !(ifr.ifr_flags & IFF_UP))
		log_warn(port, NULL, "interface-down", "interface=%s repair=\"ip link set %s up\"", name,
			name);
	if (s >= 0)
		close(s);
	return claim(name, &p->claim, why, n);
}

/* AF_XDP binds to the interface's own queues: it needs a combined one for each worker. */
static int check_channels(const char *interface, uint32_t workers, char *why, size_t n)
{
	struct ethtool_channels channels = {.cmd = ETHTOOL_GCHANNELS};
	struct ifreq ifr = {.ifr_data = (char *)&channels};
	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", interface);
	int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool none = s < 0 || ioctl(s, SIOCETHTOOL, &ifr) || !channels.max_combined;
	if (s >= 0)
		close(s);
	uint32_t queues = none ? 1 : channels.combined_count;
	if (queues >= workers)
		return 0;
	snprintf(why, n,
		"interface %s has %u combined queues, media.workers = %u needs as many: `ethtool -L %s "
		"combined %u`%s, "
		"or fewer workers, or kind = \"af_packet\"",
		interface, queues, workers, interface, workers,
		none ? " (this driver has no such queues)" : "");
	return -ENOSPC;
}

/* A driver's name for a port, and its arguments. */
struct device {
	char name[RTE_ETH_NAME_MAX_LEN], args[PATH_MAX + 128];
};

static int device_of(const struct dp_port *p, uint32_t workers, struct device *d, char *why, size_t n)
{
	const struct settings_port *s = p->settings;
	char object[PATH_MAX] = "";
	size_t stem = strcspn(s->device, ",");
	int e = 0, len = 0;
	switch (s->kind) {
	case SETTINGS_PORT_AF_XDP:
		e = dp_filter_path("media_filter.bpf.o", object, sizeof(object), why, n);
		if (!e)
			e = check_channels(s->interface, workers, why, n);
		if (!e)
			e = dp_filter_xdp_clear(p->ifindex, s->interface, why, n);
		snprintf(d->name, sizeof(d->name), "net_af_xdp%u", p->index);
		len = snprintf(d->args, sizeof(d->args), "iface=%s,queue_count=%u,xdp_prog=%s", s->interface,
			workers, object);
		break;
	case SETTINGS_PORT_AF_PACKET:
		snprintf(d->name, sizeof(d->name), "net_af_packet%u", p->index);
		len = snprintf(d->args, sizeof(d->args), "iface=%s,qpairs=%u,framecnt=%u", s->interface,
			workers, AF_PACKET_FRAMES);
		break;
	case SETTINGS_PORT_DPDK:
		snprintf(d->name, sizeof(d->name), "%.*s", (int)stem, s->device);
		len = snprintf(d->args, sizeof(d->args), "%s", s->device[stem] ? s->device + stem + 1 : "");
		break;
	}
	if (!e && (len < 0 || (size_t)len >= sizeof(d->args))) {
		snprintf(why, n, "port %s: its arguments are too long", d->name);
		e = -E2BIG;
	}
	return e;
}

static int probe(struct dp_port *p, const struct device *d, char *why, size_t n)
{
	bool pci = p->settings->kind == SETTINGS_PORT_DPDK && dp_device_is_pci(p->settings->device);
	int e = pci ? 0 : rte_eal_hotplug_add("vdev", d->name, d->args);
	if (!e)
		e = rte_eth_dev_get_port_by_name(d->name, &p->id);
	if (e)
		snprintf(why, n, "port %s (%s) cannot be opened: %s%s", d->name, d->args,
			strerror(e < 0 ? -e : e),
			pci ? "; bind it with `dpdk-devbind.py --bind=vfio-pci ADDRESS`"
			    : "; DPDK's own lines above say more");
	return e;
}

static int configure_queues(
	struct dp_port *p, uint32_t workers, struct rte_mempool *const *pools, char *why, size_t n)
{
	struct rte_eth_dev_info info;
	struct rte_eth_conf conf = {0};
	uint16_t rx = RX_DESCRIPTORS, tx = TX_DESCRIPTORS;
	int e = rte_eth_dev_info_get(p->id, &info);
	if (e)
		return e;
	if (info.max_rx_queues < workers || info.max_tx_queues < workers) {
		snprintf(why, n,
			"it has %u receive and %u transmit queues, media.workers = %u needs as many: "
			"`ethtool -L "
			"INTERFACE rx %u tx %u` (or combined %u), or fewer workers",
			info.max_rx_queues, info.max_tx_queues, workers, workers, workers, workers);
		return -ENOSPC;
	}
	if (workers > 1 && info.flow_type_rss_offloads) {
		conf.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
		conf.rx_adv_conf.rss_conf.rss_hf = info.flow_type_rss_offloads &
						   (RTE_ETH_RSS_IP | RTE_ETH_RSS_UDP);
	}
	e = rte_eth_dev_configure(p->id, (uint16_t)workers, (uint16_t)workers, &conf);
	if (!e)
		e = rte_eth_dev_adjust_nb_rx_tx_desc(p->id, &rx, &tx);
	for (uint32_t q = 0; !e && q < workers; q++) {
		e = rte_eth_rx_queue_setup(p->id, (uint16_t)q, rx, SOCKET_ID_ANY, NULL, pools[q]);
		if (!e)
			e = rte_eth_tx_queue_setup(p->id, (uint16_t)q, tx, SOCKET_ID_ANY, NULL);
	}
	if (!e)
		e = rte_eth_dev_start(p->id);
	return e;
}

/* The kernel's word counts where it has the interface; DPDK's own is as of when the port was opened. */
void dp_port_refresh_mtu(struct dp_port *p)
{
	uint16_t mtu = RTE_ETHER_MTU;
	struct ifreq ifr = {0};
	rte_eth_dev_get_mtu(p->id, &mtu);
	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", p->settings->interface);
	int s = p->kernel_has_it ? socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0) : -1;
	if (s >= 0 && !ioctl(s, SIOCGIFMTU, &ifr) && ifr.ifr_mtu > 0)
		mtu = ifr.ifr_mtu < UINT16_MAX ? (uint16_t)ifr.ifr_mtu : UINT16_MAX;
	if (s >= 0)
		close(s);
	uint16_t before = atomic_load_explicit(&p->mtu, memory_order_relaxed);
	if (before && before != mtu)
		log_info(port, NULL, "mtu", "port=%u mtu=%u before=%u", p->index, mtu, before);
	atomic_store_explicit(&p->mtu, mtu, memory_order_relaxed);
}

static int attach_filter(struct dp_port *p, const struct tg_capacity *cap, char *why, size_t n)
{
	int e = 0;
	if (p->settings->kind == SETTINGS_PORT_AF_XDP)
		e = dp_filter_xdp_configure(p->ifindex, cap, p->vlan, why, n);
	if (p->settings->kind == SETTINGS_PORT_AF_PACKET) {
		e = dp_filter_tc_attach(p->ifindex, cap, p->vlan, why, n);
		p->shielded = !e;
	}
	return e;
}

int dp_port_open(struct dp_port *p, const struct tg_capacity *cap, struct rte_mempool *const *pools,
	char *why, size_t n)
{
	const struct settings_port *s = p->settings;
	struct device device;
	char cause[512] = "";
	struct rte_ether_addr mac;
	*p = (struct dp_port){.settings = s, .index = p->index, .vlan = (uint16_t)s->vlan, .claim = -1};
	p->kernel_has_it = s->kind != SETTINGS_PORT_DPDK;
	p->has_tap = !p->kernel_has_it && s->interface[0];
	int e = p->kernel_has_it ? find_interface(p, why, n) : 0;
	if (!e)
		e = device_of(p, cap->workers, &device, why, n);
	if (!e)
		e = probe(p, &device, why, n);
	if (e)
		goto fail;
	p->opened = true;
	e = configure_queues(p, cap->workers, pools, cause, sizeof(cause));
	if (!e)
		e = rte_eth_macaddr_get(p->id, &mac);
	if (e) {
		snprintf(why, n, "port %s: %s", device.name, cause[0] ? cause : strerror(e < 0 ? -e : e));
		goto fail;
	}
	memcpy(p->mac, &mac, sizeof(p->mac));
	dp_port_refresh_mtu(p);
	if (!p->kernel_has_it)
		dp_steer(p, cap);
	e = attach_filter(p, cap, cause, sizeof(cause));
	if (e) {
		snprintf(why, n, "port %s: %s", device.name, cause);
		goto fail;
	}
	return 0;
fail:
	dp_port_close(p);
	return e < 0 ? e : -e;
}

void dp_port_close(struct dp_port *p)
{
	if (p->shielded)
		dp_filter_tc_detach(p->ifindex);
	if (p->opened) {
		rte_eth_dev_stop(p->id);
		rte_eth_dev_close(p->id); /* AF_XDP: takes the XDP program off */
	}
	if (p->claim >= 0)
		close(p->claim);
	p->opened = p->shielded = false;
	p->claim = -1;
}
