#include "dataplane/nexthop.h"

#include <string.h>

/* Free entries to keep at hand; below this, unused ones are given up. */
#define SPARE 32

static uint32_t state_of(const struct tg_next_hop *h)
{
	return atomic_load_explicit(&h->state, memory_order_relaxed);
}

static void set_state(struct tg_next_hop *h, enum tg_next_hop_state state)
{
	atomic_store_explicit(&h->state, state, memory_order_release);
}

void dp_nexthops_attach(struct dp_nexthops *hops, struct tg_next_hop *entry)
{
	hops->entry = entry;
	hops->idle = 0;
	for (uint32_t i = 0; i < TG_NEXT_HOPS; i++) {
		entry[i].refs = 0;
		if (state_of(&entry[i]) == TG_NEXT_HOP_WANTED)
			hops->idle++;
		else
			set_state(&entry[i], TG_NEXT_HOP_FREE);
	}
}

/* Gives up some entries that nobody uses. They can be taken when the main lcore has seen it and cleared their
 * link: it may be writing the old neighbour's link at this moment. */
static void give_up_idle(struct dp_nexthops *hops, uint32_t from)
{
	for (uint32_t i = 0, given = 0; i < TG_NEXT_HOPS && given < SPARE && hops->idle; i++) {
		struct tg_next_hop *h = &hops->entry[(from + i) % TG_NEXT_HOPS];
		if (state_of(h) != TG_NEXT_HOP_WANTED || h->refs)
			continue;
		set_state(h, TG_NEXT_HOP_FREE);
		hops->idle--;
		given++;
	}
}

/* Where to begin to look. */
static uint32_t start_of(const struct tg_addr *address)
{
	uint32_t word[4];
	memcpy(word, address->b, sizeof(word));
	return ((word[0] ^ word[1] * 31 ^ word[2] * 961 ^ word[3] * 29791) * 0x9e3779b1u) >> 16;
}

uint32_t dp_nexthops_ref(struct dp_nexthops *hops, const struct tg_addr *address)
{
	uint32_t start = start_of(address), take = TG_NONE, available = 0;
	for (uint32_t i = 0; i < TG_NEXT_HOPS; i++) {
		uint32_t at = (start + i) % TG_NEXT_HOPS;
		struct tg_next_hop *h = &hops->entry[at];
		if (state_of(h) == TG_NEXT_HOP_WANTED) {
			if (!tg_addr_equal(&h->address, address))
				continue;
			if (!h->refs++ && hops->idle)
				hops->idle--;
			return at;
		}
		if (atomic_load_explicit(&h->link, memory_order_acquire))
			continue;
		available++;
		if (take == TG_NONE)
			take = at;
	}
	if (available < SPARE)
		give_up_idle(hops, start);
	if (take == TG_NONE)
		return TG_NONE;
	hops->entry[take].address = *address;
	hops->entry[take].refs = 1;
	set_state(&hops->entry[take], TG_NEXT_HOP_WANTED);
	return take;
}

void dp_nexthops_unref(struct dp_nexthops *hops, uint32_t index)
{
	if (index >= TG_NEXT_HOPS || !hops->entry[index].refs)
		return;
	if (!--hops->entry[index].refs)
		hops->idle++;
}
