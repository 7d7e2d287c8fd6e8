/* The exception path of ports that DPDK owns whole: what isn't media goes to the kernel through a persistent
 * tap, and back. Served by the main lcore; workers only see rings. */
#ifndef TG_DATAPLANE_KERNEL_H
#define TG_DATAPLANE_KERNEL_H

#include <stddef.h>
#include <stdint.h>

#include "dataplane/exchange.h"
#include "dataplane/port.h"

struct rte_mempool;

struct dp_kernel {
	struct dp_exchange *exchange;
	struct rte_mempool *pool;
	struct dp_port *port;
	uint32_t ports;
	int fd[SETTINGS_PORTS_MAX]; /* of each port's tap, or -1 */
	uint32_t taps;
};

/* Makes, or finds, the taps of all ports that have one: persistent, with the port's MAC, up. Addresses are
 * the operator's to give; they stay on the tap while the dataplane is away. Sets the ports' ifindex.
 * exchange, pool, port and ports are set before. */
int dp_kernel_open(struct dp_kernel *kernel, char *why, size_t why_bytes);
void dp_kernel_close(struct dp_kernel *kernel);

/* Moves what waits, in both directions. Returns the number of frames. */
uint32_t dp_kernel_serve(struct dp_kernel *kernel);

#endif
