#include "dataplane/local.h"

/* As tg_capacity_worker() deals them out. */
static void find_own(
	struct dp_local_slot *s, const struct tg_capacity *cap, uint32_t address, uint32_t worker)
{
	uint32_t per = cap->ports / 2, ipv4 = cap->addresses - cap->ipv6_addresses;
	uint32_t from = 0, to = address % cap->workers == worker ? per : 0;
	if (ipv4 < cap->workers) {
		from = (uint32_t)(((uint64_t)worker * per + cap->workers - 1) / cap->workers);
		to = (uint32_t)(((worker + 1ull) * per + cap->workers - 1) / cap->workers);
	}
	s->first_leg = address * per + from;
	s->first_port = (uint16_t)(cap->port_min + 2 * from);
	s->legs = (uint16_t)(to - from);
}

/* Named twice: the first one counts, as in tg_capacity_leg(). */
static void add(struct dp_local *l, const struct tg_capacity *cap, uint32_t address, uint32_t worker)
{
	uint32_t ip_be = tg_addr_ipv4_be(&cap->address[address]), at = dp_local_hash(ip_be);
	while (l->slot[at].number && l->slot[at].ip_be != ip_be)
		at = (at + 1) % DP_LOCAL_SLOTS;
	struct dp_local_slot *s = &l->slot[at];
	if (s->number)
		return;
	s->ip_be = ip_be;
	s->number = address + 1;
	find_own(s, cap, address, worker);
}

static void add6(struct dp_local *l, const uint8_t ip[16], uint32_t number)
{
	uint32_t at = dp_local_hash6(ip);
	if (dp_local_address6(l, ip) != TG_NONE)
		return;
	while (l->number6[at])
		at = (at + 1) % DP_LOCAL_SLOTS;
	memcpy(l->ip6[number], ip, sizeof(l->ip6[number]));
	l->number6[at] = (uint8_t)(number + 1);
}

void dp_local_init(struct dp_local *l, const struct tg_capacity *cap, uint32_t worker)
{
	memset(l, 0, sizeof(*l));
	l->port_min = cap->port_min;
	l->ports = cap->ports;
	l->legs_per_address = cap->ports / 2;
	for (uint32_t a = 0; a < cap->addresses; a++) {
		if (cap->address[a].family == TG_FAMILY_IPV6)
			add6(l, cap->address[a].b, a);
		else
			add(l, cap, a, worker);
	}
}
