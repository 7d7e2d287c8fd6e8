#include "dataplane/neighbour.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <libmnl/libmnl.h>

#include "dataplane/nexthop.h"
#include "dataplane/rtnetlink.h"

#define MS 1000000ull
/* How often an entry is looked at, known or not; how often its neighbour is used. */
#define RECHECK_NS   (3000 * MS)
#define UNKNOWN_NS   (50 * MS)
#define USE_NS       (5000 * MS)
#define USE_AGAIN_NS (1000 * MS) /* while it is not known */
/* After a change everything is looked at, but no more often than this; no more than so many in one go. */
#define CHANGE_NS   (20 * MS)
#define LOOKS_A_RUN 64

/* Beside each entry of the region. */
struct care {
	uint64_t next_look_ns, last_use_ns;
	struct tg_addr address;
};

struct dp_neighbour {
	struct tg_region *region;
	const struct dp_port *port;
	uint32_t ports, workers;
	struct dp_rtnetlink rt;
	struct mnl_socket *news;
	bool changed;
	uint64_t changed_ns;    /* when everything was last made due by a change */
	uint32_t worker, entry; /* where the last run stopped */
	struct care care[TG_WORKERS_MAX][TG_NEXT_HOPS];
};

int dp_neighbour_open(
	struct dp_neighbour **neighbour, struct tg_region *region, const struct dp_port *port, uint32_t ports)
{
	struct dp_neighbour *n = calloc(1, sizeof(*n));
	if (!n)
		return -ENOMEM;
	n->region = region;
	n->port = port;
	n->ports = ports;
	n->workers = tg_region_capacity(region)->workers;
	int e = dp_rtnetlink_open(&n->rt);
	if (e)
		goto out;
	n->news = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (!n->news || mnl_socket_bind(n->news,
				RTMGRP_NEIGH | RTMGRP_LINK | RTMGRP_IPV4_ROUTE | RTMGRP_IPV4_IFADDR |
					RTMGRP_IPV6_ROUTE | RTMGRP_IPV6_IFADDR,
				MNL_SOCKET_AUTOPID) < 0) {
		e = -errno;
		goto out;
	}
	*neighbour = n;
	return 0;
out:
	dp_neighbour_close(n);
	return e;
}

void dp_neighbour_close(struct dp_neighbour *n)
{
	if (!n)
		return;
	if (n->news)
		mnl_socket_close(n->news);
	dp_rtnetlink_close(&n->rt);
	free(n);
}

int dp_neighbour_fd(const struct dp_neighbour *n)
{
	return mnl_socket_get_fd(n->news);
}

/* Our port behind a kernel interface, or NULL. */
static const struct dp_port *port_of(struct dp_neighbour *n, unsigned ifindex)
{
	for (uint32_t p = 0; p < n->ports; p++) {
		const struct dp_port *port = &n->port[p];
		if (!port->ifindex)
			continue;
		if (port->vlan ? dp_rtnetlink_is_vlan(&n->rt, ifindex, port->ifindex, port->vlan)
			       : ifindex == port->ifindex)
			return port;
	}
	return NULL;
}

/* The link to the entry's address, or 0. Asks the kernel to resolve or confirm the neighbour when it is time.
 */
static uint64_t look_up(struct dp_neighbour *n, struct care *care, uint64_t now)
{
	unsigned ifindex;
	struct tg_addr via;
	struct dp_rtnetlink_neighbour found = {.lasting = false};
	if (dp_rtnetlink_route(&n->rt, &care->address, &ifindex, &via))
		return 0;
	const struct dp_port *port = port_of(n, ifindex);
	if (!port)
		return 0;
	bool known = !dp_rtnetlink_neighbour(&n->rt, ifindex, &via, &found);
	/* Linux makes an entry that was to stay one that has to be asked for, when it is told that it is
	 * used. */
	if (!found.lasting && now - care->last_use_ns >= (known ? USE_NS : USE_AGAIN_NS)) {
		dp_rtnetlink_use(&n->rt, ifindex, &via);
		care->last_use_ns = now;
	}
	return known ? dp_link_pack(found.mac, port->index, port->vlan) : 0;
}

static void store(struct tg_next_hop *h, const struct tg_addr *address, uint64_t link)
{
	if (atomic_load_explicit(&h->link, memory_order_relaxed) != link)
		atomic_store_explicit(&h->link, link, memory_order_release);
	/* If the worker has used the entry for another address meanwhile, this link isn't that one's. */
	atomic_thread_fence(memory_order_seq_cst);
	if (atomic_load_explicit(&h->state, memory_order_acquire) != TG_NEXT_HOP_WANTED ||
		!tg_addr_equal(&h->address, address))
		atomic_store_explicit(&h->link, 0, memory_order_release);
}

/* Returns 1 if the kernel was asked. */
static int look_after(struct dp_neighbour *n, struct tg_next_hop *h, struct care *care, uint64_t now)
{
	if (atomic_load_explicit(&h->state, memory_order_acquire) != TG_NEXT_HOP_WANTED) {
		if (atomic_load_explicit(&h->link, memory_order_relaxed))
			atomic_store_explicit(&h->link, 0, memory_order_release);
		care->address.family = TG_FAMILY_NONE;
		return 0;
	}
	if (!tg_addr_equal(&h->address, &care->address))
		*care = (struct care){.address = h->address};
	if (now < care->next_look_ns)
		return 0;
	uint64_t link = look_up(n, care, now);
	store(h, &care->address, link);
	atomic_store_explicit(
		&h->checked_ns, tg_timebase_now(tg_region_timebase(n->region)), memory_order_relaxed);
	care->next_look_ns = now + (link ? RECHECK_NS : UNKNOWN_NS);
	return 1;
}

static void read_news(struct dp_neighbour *n)
{
	char buf[8192];
	/* What changed doesn't matter, nor that some of it was lost: all entries are looked at again. */
	while (mnl_socket_recvfrom(n->news, buf, sizeof(buf)) > 0 || errno == ENOBUFS)
		n->changed = true;
}

static void make_all_due(struct dp_neighbour *n, uint64_t now)
{
	if (!n->changed || now - n->changed_ns < CHANGE_NS)
		return;
	n->changed = false;
	n->changed_ns = now;
	for (uint32_t w = 0; w < n->workers; w++)
		for (uint32_t i = 0; i < TG_NEXT_HOPS; i++)
			n->care[w][i].next_look_ns = 0;
}

void dp_neighbour_serve(struct dp_neighbour *n, uint64_t now)
{
	int looks = 0;
	read_news(n);
	make_all_due(n, now);
	for (uint32_t left = n->workers * TG_NEXT_HOPS; left && looks < LOOKS_A_RUN; left--) {
		looks += look_after(n, &tg_region_next_hops(n->region, n->worker)[n->entry],
			&n->care[n->worker][n->entry], now);
		if (++n->entry < TG_NEXT_HOPS)
			continue;
		n->entry = 0;
		n->worker = (n->worker + 1) % n->workers;
	}
}
