#include "dataplane/local.h"

#include <string.h>

/* As tg_capacity_worker() deals them out. */
static void find_own(
	struct dp_local_slot *s, const struct tg_capacity *cap, uint32_t address, uint32_t worker)
{
	uint32_t per = cap->ports / 2, from = 0, to = address % cap->workers == worker ? per : 0;
	if (cap->addresses < cap->workers) {
		from = (uint32_t)(((uint64_t)worker * per + cap->workers - 1) / cap->workers);
		to = (uint32_t)(((worker + 1ull) * per + cap->workers - 1) / cap->workers);
	}
	s->first_leg = address * per + from;
	s->first_port = (uint16_t)(cap->port_min + 2 * from);
	s->legs = (uint16_t)(to - from);
}

void dp_local_init(struct dp_local *l, const struct tg_capacity *cap, uint32_t worker)
{
	memset(l, 0, sizeof(*l));
	l->port_min = cap->port_min;
	l->ports = cap->ports;
	l->legs_per_address = cap->ports / 2;
	for (uint32_t a = 0; a < cap->addresses; a++) {
		uint32_t at = dp_local_hash(cap->address_be[a]);
		while (l->slot[at].number && l->slot[at].ip_be != cap->address_be[a])
			at = (at + 1) % DP_LOCAL_SLOTS;
		struct dp_local_slot *s = &l->slot[at];
		if (s->number) /* named twice: the first one counts, as in tg_capacity_leg() */
			continue;
		s->ip_be = cap->address_be[a];
		s->number = a + 1;
		find_own(s, cap, a, worker);
	}
}
