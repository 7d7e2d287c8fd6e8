
#include "contract/region.h"

static uint32_t legs_per_address(const struct tg_capacity *cap)
{
	return cap->ports / 2;
}

uint32_t tg_capacity_legs(const struct tg_capacity *cap)
{
	return cap->addresses * legs_per_address(cap);
}

uint32_t tg_capacity_worker(const struct tg_capacity *cap, uint32_t leg)
{
	uint32_t per = legs_per_address(cap);
	if (cap->addresses >= cap->workers)
		return leg / per % cap->workers;
	return (uint32_t)((uint64_t)(leg % per) * cap->workers / per);
}

void tg_capacity_address(const struct tg_capacity *cap, uint32_t leg, uint32_t *ip_be, uint16_t *port)
{
	uint32_t per = legs_per_address(cap);
	*ip_be = cap->address_be[leg / per];
	*port = (uint16_t)(cap->port_min + 2 * (leg % per));
}

uint32_t tg_capacity_leg(const struct tg_capacity *cap, uint32_t ip_be, uint16_t port)
{
	if (port < cap->port_min || port >= cap->port_min + cap->ports)
		return TG_NONE;
	for (uint32_t a = 0; a < cap->addresses; a++)
		if (cap->address_be[a] == ip_be)
			return a * legs_per_address(cap) + (port - cap->port_min) / 2;
	return TG_NONE;
}
