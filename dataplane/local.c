#include "dataplane/local.h"

#include <string.h>

void dp_local_init(struct dp_local *l, const struct tg_capacity *cap)
{
	memset(l, 0, sizeof(*l));
	l->port_min = cap->port_min;
	l->ports = cap->ports;
	l->legs_per_address = cap->ports / 2;
	for (uint32_t a = 0; a < cap->addresses; a++) {
		uint32_t at = dp_local_hash(cap->address_be[a]);
		while (l->number[at] && l->ip_be[at] != cap->address_be[a])
			at = (at + 1) % DP_LOCAL_SLOTS;
		if (l->number[at]) /* named twice: the first one counts, as in tg_capacity_leg() */
			continue;
		l->ip_be[at] = cap->address_be[a];
		l->number[at] = (uint8_t)(a + 1);
	}
}
