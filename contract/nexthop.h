/* The next-hop table: Ethernet destination of an address, as the kernel would send to it.
 *
 * Each worker has its own slice of TG_NEXT_HOPS entries, so that adding needs no lock. The worker takes a
 * free entry (refs 0), writes the address and stores WANTED with release; the main lcore of the dataplane
 * asks the kernel over netlink, keeps the neighbour fresh and stores `link` as one word, so that a worker
 * reads address, port and VLAN of one moment. */
#ifndef TG_CONTRACT_NEXTHOP_H
#define TG_CONTRACT_NEXTHOP_H

#include <stdatomic.h>
#include <stdint.h>

#include "contract/address.h"

#define TG_NEXT_HOPS 512 /* per worker */

enum tg_next_hop_state { TG_NEXT_HOP_FREE, TG_NEXT_HOP_WANTED };

struct tg_next_hop {
	_Atomic uint32_t state; /* by the worker */
	uint32_t refs;          /* legs of the worker that use it; by the worker */
	struct tg_addr address; /* by the worker while FREE */
	uint32_t pad;
	/* By the main lcore. 0: unknown. Else bits 0-47 MAC as a big-endian number, 48-51 port + 1,
	 * 52-63 VLAN id or 0. */
	_Atomic uint64_t link;
	_Atomic uint64_t checked_ns;
};
_Static_assert(sizeof(struct tg_next_hop) == 48, "next hop");

#endif
