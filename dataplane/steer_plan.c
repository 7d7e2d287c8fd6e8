#include "dataplane/steer_plan.h"

/* The largest block that begins at `from`, is aligned to its size and does not go beyond `to`. */
static uint32_t block_at(uint32_t from, uint32_t to)
{
	uint32_t size = 1;
	while (!(from & size) && from + 2 * size - 1 <= to)
		size *= 2;
	return size;
}

static uint32_t add_range(struct dp_steer_rule *rule, const struct tg_addr *address, uint32_t from,
	uint32_t to, uint32_t worker)
{
	uint32_t n = 0;
	while (from <= to) {
		uint32_t size = block_at(from, to);
		rule[n++] = (struct dp_steer_rule){*address, (uint16_t)from, (uint16_t) ~(size - 1), worker};
		from += size;
	}
	return n;
}

uint32_t dp_steer_plan(const struct tg_capacity *cap, struct dp_steer_rule rule[static DP_STEER_RULES_MAX])
{
	uint32_t per = tg_capacity_legs(cap) / cap->addresses, n = 0;
	if (cap->workers == 1)
		return 0;
	for (uint32_t a = 0; a < cap->addresses; a++) {
		uint32_t owner = tg_capacity_worker(cap, a * per);
		if (owner == tg_capacity_worker(cap, a * per + per - 1)) {
			rule[n++] = (struct dp_steer_rule){cap->address[a], 0, 0, owner};
			continue;
		}
		for (uint32_t first = 0, end; first < per; first = end) {
			uint32_t worker = tg_capacity_worker(cap, a * per + first);
			for (end = first + 1; end < per && tg_capacity_worker(cap, a * per + end) == worker;)
				end++;
			n += add_range(&rule[n], &cap->address[a], cap->port_min + 2 * first,
				cap->port_min + 2 * end - 1, worker);
		}
	}
	return n;
}
