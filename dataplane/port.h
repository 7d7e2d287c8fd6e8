/* The ports that carry media: ethdevs, each with one queue pair per worker. */
#ifndef TG_DATAPLANE_PORT_H
#define TG_DATAPLANE_PORT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "contract/region.h"
#include "settings/settings.h"

struct rte_mempool;

struct dp_port {
	const struct settings_port *settings;
	uint32_t index; /* in the settings' order */
	uint16_t id;    /* of the ethdev */
	uint8_t mac[6];
	uint16_t vlan;        /* 0: untagged */
	bool kernel_has_it;   /* what isn't media has not been taken from the kernel */
	bool has_tap;         /* it is handed to the kernel through a tap */
	_Atomic uint16_t mtu; /* of IP packets; followed by the main lcore */
	unsigned ifindex;     /* kernel interface that stands for the port: routes, neighbours; 0: none */
	int claim;            /* socket that keeps a second dataplane off the interface, or -1 */
	bool opened, shielded;
};

/* Only settings and index are set before. pools: one per worker. On failure nothing stays open; why says what
 * to do. */
int dp_port_open(struct dp_port *port, const struct tg_capacity *cap, struct rte_mempool *const *pools,
	char *why, size_t why_bytes);
/* Looks up the MTU again: the operator may change it while traffic runs. */
void dp_port_refresh_mtu(struct dp_port *port);
static inline uint16_t dp_port_mtu(const struct dp_port *port)
{
	uint16_t mtu = atomic_load_explicit(&port->mtu, memory_order_relaxed);
	return mtu ? mtu : UINT16_MAX; /* of a port that nobody has asked */
}
/* Stops the port and takes our programs off the interface. */
void dp_port_close(struct dp_port *port);

/* Packet buffers that a port keeps in its queues, per worker. */
#define DP_PORT_BUFFERS 4096u

#endif
