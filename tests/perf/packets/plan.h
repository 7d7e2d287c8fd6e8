/* Which legs the packet benches have, and where their far ends are: the same for whoever writes frames, gives
 * commands or answers for next hops. Leg 2n hears leg 2n+1 and the other way round. */
#ifndef TG_TESTS_PERF_PACKETS_PLAN_H
#define TG_TESTS_PERF_PACKETS_PLAN_H

#include <endian.h>
#include <stdint.h>

#include "contract/region.h"

#define PLAN_PORT_MIN 10000u
#define PLAN_PORTS    50000u /* per media address: 25,000 legs */
/* Far ends are this many hosts, each with many ports: one next hop each. */
#define PLAN_HOSTS    200u
#define PLAN_FAR_PORT 10000u
#define PLAN_SSRC     0x10000000u

/* A media address: 198.18.n.1. */
static inline uint32_t plan_address_be(uint32_t number)
{
	return htobe32(0xc6120001u + (number << 8));
}

static inline uint32_t plan_far_ip_be(uint32_t leg)
{
	return htobe32(0xc6136401u + leg % PLAN_HOSTS); /* 198.19.100.1 and on */
}

static inline uint16_t plan_far_port_be(uint32_t leg)
{
	return htobe16((uint16_t)(PLAN_FAR_PORT + 2 * (leg / PLAN_HOSTS)));
}

static inline uint32_t plan_addresses(uint32_t legs)
{
	return (legs + PLAN_PORTS / 2 - 1) / (PLAN_PORTS / 2);
}

static inline struct tg_leg_program plan_program(uint32_t leg)
{
	return (struct tg_leg_program){.remote = tg_addr_ipv4(plan_far_ip_be(leg)),
		.remote_port_be = plan_far_port_be(leg),
		.frame_ms = 20,
		/* Events have another number on each side, so every packet's type is mapped. */
		.rx = {0, leg & 1 ? 101 : 96},
		.tx = {0, leg & 1 ? 101 : 96},
		.clock_khz = 8,
		.dscp = 46,
		.ssrc = PLAN_SSRC + leg};
}

/* xorshift: the order of legs, noise for payloads; the same in every run. */
static inline uint64_t plan_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}
#define PLAN_SEED 88172645463325252ull

#endif
