/* Questions to the kernel about routes, neighbours and links: one socket, one answer each. */
#ifndef TG_DATAPLANE_RTNETLINK_H
#define TG_DATAPLANE_RTNETLINK_H

#include <stdbool.h>
#include <stdint.h>

#include "contract/address.h"

struct mnl_socket;

struct dp_rtnetlink {
	struct mnl_socket *socket;
	uint32_t sequence, port_id;
};

int dp_rtnetlink_open(struct dp_rtnetlink *rt);
void dp_rtnetlink_close(struct dp_rtnetlink *rt);

/* How the kernel would reach an address: the interface, and the address to ask for on it (the gateway's or
 * the address itself; the gateway of an IPv4 route may be IPv6, RFC 5549). -EHOSTUNREACH where it isn't
 * reached by a unicast route; else -errno. */
int dp_rtnetlink_route(
	struct dp_rtnetlink *rt, const struct tg_addr *to, unsigned *ifindex, struct tg_addr *via);

struct dp_rtnetlink_neighbour {
	uint8_t mac[6];
	bool lasting; /* entered by hand: the kernel doesn't ask for it, and isn't to be told that it is used
		       */
};

/* -ENOENT: the kernel doesn't know it, or not yet. */
int dp_rtnetlink_neighbour(struct dp_rtnetlink *rt, unsigned ifindex, const struct tg_addr *address,
	struct dp_rtnetlink_neighbour *neighbour);
/* Makes the kernel resolve or confirm it. Doesn't wait. */
int dp_rtnetlink_use(struct dp_rtnetlink *rt, unsigned ifindex, const struct tg_addr *address);

/* Is ifindex the VLAN interface for this id on top of parent? */
bool dp_rtnetlink_is_vlan(struct dp_rtnetlink *rt, unsigned ifindex, unsigned parent, uint16_t vlan);

#endif
