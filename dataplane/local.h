/* Which leg a local media address and port belong to: an index, not a search. */
#ifndef TG_DATAPLANE_LOCAL_H
#define TG_DATAPLANE_LOCAL_H

#include <stdint.h>
#include <string.h>

#include "contract/region.h"

#define DP_LOCAL_SLOTS 256 /* for at most TG_ADDRS_MAX addresses: probes stay short */

/* A media address, and the worker's own legs there, whose RTP ports are every other one from first_port on.
 */
struct dp_local_slot {
	uint32_t ip_be;
	uint32_t number; /* of the address, from 1; 0: empty slot */
	uint32_t first_leg;
	uint16_t first_port;
	uint16_t legs;
};

struct dp_local {
	uint32_t port_min, ports;
	uint32_t legs_per_address;
	struct dp_local_slot slot[DP_LOCAL_SLOTS];
	uint8_t number6[DP_LOCAL_SLOTS]; /* of an IPv6 address, from 1; 0: empty slot */
	uint8_t ip6[TG_ADDRS_MAX][16];   /* by number from 0 */
};

/* worker: whose legs are its own. */
void dp_local_init(struct dp_local *local, const struct tg_capacity *cap, uint32_t worker);

static inline uint32_t dp_local_hash(uint32_t ip_be)
{
	return (ip_be * 0x9e3779b1u) >> 24;
}

static inline uint32_t dp_local_hash6(const uint8_t ip[16])
{
	uint32_t word[4];
	memcpy(word, ip, sizeof(word));
	return dp_local_hash(word[0] ^ word[1] * 31 ^ word[2] * 961 ^ word[3] * 29791);
}

/* Its slot, or an empty one. */
static inline const struct dp_local_slot *dp_local_find(const struct dp_local *l, uint32_t ip_be)
{
	const struct dp_local_slot *s = &l->slot[dp_local_hash(ip_be)];
	while (s->ip_be != ip_be && s->number)
		s = s + 1 == l->slot + DP_LOCAL_SLOTS ? l->slot : s + 1;
	return s;
}

/* Number of a media address from 0, or TG_NONE. */
static inline uint32_t dp_local_address(const struct dp_local *l, uint32_t ip_be)
{
	return dp_local_find(l, ip_be)->number - 1u;
}

static inline uint32_t dp_local_address6(const struct dp_local *l, const uint8_t ip[16])
{
	for (uint32_t at = dp_local_hash6(ip);; at = (at + 1) % DP_LOCAL_SLOTS) {
		if (!l->number6[at])
			return TG_NONE;
		if (!memcmp(l->ip6[l->number6[at] - 1], ip, sizeof(l->ip6[0])))
			return l->number6[at] - 1u;
	}
}

/* Leg of an RTP or RTCP port (host order) of address `number`, or TG_NONE where it is no media port. */
static inline uint32_t dp_local_leg(const struct dp_local *l, uint32_t number, uint16_t port)
{
	uint32_t offset = (uint32_t)port - l->port_min;
	return offset < l->ports ? number * l->legs_per_address + offset / 2 : TG_NONE;
}

/* The worker's leg of an RTP port; TG_NONE: there is none. */
static inline uint32_t dp_local_own_leg(const struct dp_local *l, uint32_t ip_be, uint16_t port)
{
	const struct dp_local_slot *s = dp_local_find(l, ip_be);
	uint16_t offset = (uint16_t)(port - s->first_port);
	uint16_t nth = (uint16_t)(offset >> 1 | offset << 15); /* an odd one becomes too large */
	return nth < s->legs ? s->first_leg + nth : TG_NONE;
}

#endif
