
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
	uint32_t per = legs_per_address(cap), number = leg / per, port = leg % per;
	uint32_t ipv4 = cap->addresses - cap->ipv6_addresses, of_family = ipv4;
	if (number >= ipv4) {
		number -= ipv4;
		of_family = cap->ipv6_addresses;
	}
	if (of_family >= cap->workers)
		return number % cap->workers;
	return (uint32_t)((uint64_t)port * cap->workers / per);
}

const struct tg_addr *tg_capacity_address(const struct tg_capacity *cap, uint32_t leg, uint16_t *port)
{
	uint32_t per = legs_per_address(cap);
	*port = (uint16_t)(cap->port_min + 2 * (leg % per));
	return &cap->address[leg / per];
}

enum tg_family tg_capacity_family(const struct tg_capacity *cap, uint32_t leg)
{
	return leg / legs_per_address(cap) + cap->ipv6_addresses < cap->addresses ? TG_FAMILY_IPV4
										  : TG_FAMILY_IPV6;
}

uint32_t tg_capacity_leg(const struct tg_capacity *cap, const struct tg_addr *address, uint16_t port)
{
	if (port < cap->port_min || port >= cap->port_min + cap->ports)
		return TG_NONE;
	for (uint32_t a = 0; a < cap->addresses; a++)
		if (tg_addr_equal(&cap->address[a], address))
			return a * legs_per_address(cap) + (port - cap->port_min) / 2;
	return TG_NONE;
}
