#include "dataplane/local.h"

/* Named twice: the first one counts, as in tg_capacity_leg(). */
static void add(struct dp_local *l, uint32_t ip_be, uint32_t number)
{
	uint32_t at = dp_local_hash(ip_be);
	while (l->number[at] && l->ip_be[at] != ip_be)
		at = (at + 1) % DP_LOCAL_SLOTS;
	if (l->number[at])
		return;
	l->ip_be[at] = ip_be;
	l->number[at] = (uint8_t)(number + 1);
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

void dp_local_init(struct dp_local *l, const struct tg_capacity *cap)
{
	memset(l, 0, sizeof(*l));
	l->port_min = cap->port_min;
	l->ports = cap->ports;
	l->legs_per_address = cap->ports / 2;
	for (uint32_t a = 0; a < cap->addresses; a++) {
		if (cap->address[a].family == TG_FAMILY_IPV6)
			add6(l, cap->address[a].b, a);
		else
			add(l, tg_addr_ipv4_be(&cap->address[a]), a);
	}
}
