#include "controlplane/link/row_is.h"

#include <string.h>

/* What the worker keeps of a program: terms, and an IPv6 address beside them. */
static bool keeps(const struct tg_region *r, const struct tg_egress *e, const struct tg_command *c)
{
	struct tg_leg_terms terms = tg_leg_terms_of(&c->program);
	bool ipv6 = tg_capacity_family(tg_region_capacity(r), c->leg) == TG_FAMILY_IPV6;
	return !memcmp(&e->program, &terms, sizeof(terms)) &&
	       (!ipv6 || !memcmp(tg_region_ipv6(r, c->leg)->remote, c->program.remote.b,
				 sizeof(c->program.remote.b)));
}

static bool is_programmed(const struct tg_region *r, const struct tg_desired *d, const struct tg_egress *e,
	const struct tg_command *c)
{
	return d->stint == c->stint && e->stint == c->stint &&
	       !memcmp(&d->program, &c->program, sizeof(c->program)) && keeps(r, e, c);
}

static bool hears(const struct tg_region *r, const struct tg_desired *d, const struct tg_egress *e,
	const struct tg_leg_source *s)
{
	if (memcmp(&d->source, s, sizeof(*s)) || e->source != s->kind)
		return false;
	switch (s->kind) {
	case TG_SOURCE_NONE:
		return true;
	case TG_SOURCE_RELAY:
		return s->peer < tg_region_legs(r) && e->feeder == s->peer &&
		       atomic_load_explicit(&tg_region_egress(r, s->peer)->generation,
			       memory_order_acquire) == s->generation;
	default: /* a play may have come to its end by now: that is the worker's to say */
		return false;
	}
}

bool row_is(const struct tg_region *r, const struct tg_command *c)
{
	if (c->leg >= tg_region_legs(r))
		return false;
	const struct tg_desired *d = tg_region_desired(r, c->leg);
	const struct tg_egress *e = tg_region_egress(r, c->leg);
	/* An odd version: a predecessor died while it wrote the row. */
	if (atomic_load_explicit(&d->version, memory_order_relaxed) % 2 || d->generation != c->generation ||
		atomic_load_explicit(&e->generation, memory_order_acquire) != c->generation)
		return false;
	switch (c->kind) {
	case TG_CMD_PROGRAM:
		return is_programmed(r, d, e, c);
	case TG_CMD_SOURCE:
		return hears(r, d, e, &c->source);
	default:
		return false;
	}
}
