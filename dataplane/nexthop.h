/* A worker's side of its next-hop table (contract/nexthop.h): who needs which neighbour. */
#ifndef TG_DATAPLANE_NEXTHOP_H
#define TG_DATAPLANE_NEXTHOP_H

#include <endian.h>
#include <stdint.h>
#include <string.h>

#include "contract/region.h"
#include "dataplane/rewrite.h"

struct dp_nexthops {
	struct tg_next_hop *entry; /* TG_NEXT_HOPS in the region */
	uint32_t idle;             /* entries that are known and not used */
};

/* Forgets who used what: legs take their references anew. */
void dp_nexthops_attach(struct dp_nexthops *hops, struct tg_next_hop *entry);

/* The entry for an address, one reference more; TG_NONE if the table is full. An address that nobody uses any
 * more stays known until its entry is needed, so that the next call to it needn't wait for a neighbour. */
uint32_t dp_nexthops_ref(struct dp_nexthops *hops, const struct tg_addr *address);
/* TG_NONE is allowed. */
void dp_nexthops_unref(struct dp_nexthops *hops, uint32_t index);

/* Packed link of an entry (0: unknown or TG_NONE). */
static inline uint64_t dp_nexthops_link(const struct dp_nexthops *hops, uint32_t index)
{
	if (index >= TG_NEXT_HOPS)
		return 0;
	return atomic_load_explicit(&hops->entry[index].link, memory_order_relaxed);
}

/* The packing of tg_next_hop.link; those from here on have a tag. */
#define DP_LINK_TAGGED (1ull << 52)
static inline uint64_t dp_link_pack(const uint8_t mac[static 6], uint32_t port, uint16_t vlan)
{
	uint64_t v = 0;
	for (int i = 0; i < 6; i++)
		v = v << 8 | mac[i];
	return v | (uint64_t)(port + 1) << 48 | (uint64_t)(vlan & 0xfff) << 52;
}

/* Writes the neighbour's MAC. */
static inline void dp_put_mac(uint8_t *to, uint64_t link)
{
	uint32_t high = htobe32((uint32_t)(link >> 16));
	uint16_t low = htobe16((uint16_t)link);
	memcpy(to, &high, sizeof(high));
	memcpy(to + 4, &low, sizeof(low));
}

/* Port of a link that isn't 0; to and vlan are filled, from is not, and it is for IPv4. */
static inline uint32_t dp_link_unpack(uint64_t packed, struct dp_link *link)
{
	for (int i = 0; i < 6; i++)
		link->to[i] = (uint8_t)(packed >> (40 - 8 * i));
	link->vlan = (uint16_t)(packed >> 52);
	link->ipv6 = 0;
	return ((uint32_t)(packed >> 48) & 0xf) - 1;
}

#endif
