/* Fills the next-hop tables from the kernel's routes and neighbours (netlink). On the main lcore.
 *
 * The kernel doesn't see our traffic, so it would let neighbours go stale: while a next hop is wanted its
 * neighbour is used every few seconds, which makes the kernel confirm it. */
#ifndef TG_DATAPLANE_NEIGHBOUR_H
#define TG_DATAPLANE_NEIGHBOUR_H

#include <stdint.h>

#include "contract/region.h"
#include "dataplane/port.h"

struct dp_neighbour;

/* port: opened, with their ifindex; stays the caller's. Returns 0 or -errno. */
int dp_neighbour_open(struct dp_neighbour **neighbour, struct tg_region *region, const struct dp_port *port,
	uint32_t ports);
void dp_neighbour_close(struct dp_neighbour *neighbour);
/* Readable when routes or neighbours have changed. */
int dp_neighbour_fd(const struct dp_neighbour *neighbour);
/* Looks after the entries that are due. Call every few milliseconds. */
void dp_neighbour_serve(struct dp_neighbour *neighbour, uint64_t mono_ns);

#endif
