#include "controlplane/metering/usage_session.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/journal/fact_value.h"

int usage_figures_read(struct usage_figures *f, const json_t *payload, uint64_t region)
{
	memset(f, 0, sizeof(*f));
	if (!fact_region(payload, "region", &f->name.region))
		f->name.region = region;
	if (!fact_u32(payload, "row", &f->name.row) ||
		!fact_u32(payload, "generation", &f->name.generation) ||
		!fact_u32(payload, "stint", &f->name.stint) || !fact_u32(payload, "part", &f->name.part) ||
		!fact_u32(payload, "worker", &f->worker) || f->worker >= TG_WORKERS_MAX ||
		!fact_u64(payload, "start_ns", &f->start_ns) || !fact_u64(payload, "end_ns", &f->end_ns))
		return -EINVAL;
	for (int i = 0; i < TG_METERS; i++)
		if (!fact_u64(payload, tg_meter_name[i], &f->counts.v[i]))
			return -EINVAL;
	fact_u64(payload, "lost", &f->lost);
	fact_u32(payload, "jitter_us", &f->jitter_us);
	fact_u64(payload, "outages", &f->outages);
	fact_u64(payload, "outage_ms", &f->outage_ms);
	fact_u64(payload, "uncertain_packets", &f->uncertain_packets);
	f->final = fact_true(payload, "final");
	f->media_timeout = fact_true(payload, "media_timeout");
	return 0;
}

/* The entry of a leg and stint, made where it belongs in the order. */
static struct usage_entry *entry_of(struct usage_session *s, uint32_t leg, uint32_t stint)
{
	size_t i = s->entries;
	while (i > 0 &&
		(s->entry[i - 1].leg > leg || (s->entry[i - 1].leg == leg && s->entry[i - 1].stint > stint)))
		i--;
	if (i > 0 && s->entry[i - 1].leg == leg && s->entry[i - 1].stint == stint)
		return &s->entry[i - 1];
	if (s->entries == s->room) {
		size_t room = s->room ? 2 * s->room : 4;
		struct usage_entry *bigger = reallocarray(s->entry, room, sizeof(*bigger));
		if (!bigger)
			return NULL;
		s->entry = bigger;
		s->room = room;
	}
	memmove(&s->entry[i + 1], &s->entry[i], (s->entries - i) * sizeof(*s->entry));
	s->entry[i] = (struct usage_entry){.leg = leg, .stint = stint, .start_ns = UINT64_MAX};
	s->entries++;
	return &s->entry[i];
}

int usage_session_add(struct usage_session *s, uint32_t leg, const struct usage_figures *f)
{
	struct usage_entry *e = entry_of(s, leg, f->name.stint);
	if (!e)
		return -ENOMEM;
	e->parts++;
	if (f->start_ns < e->start_ns)
		e->start_ns = f->start_ns;
	if (f->end_ns >= e->end_ns) {
		e->end_ns = f->end_ns;
		e->media_timeout = f->media_timeout;
	}
	tg_meter_add(&e->counts, &f->counts);
	e->lost += f->lost;
	e->outages += f->outages;
	e->outage_ms += f->outage_ms;
	e->uncertain_packets += f->uncertain_packets;
	if (f->jitter_us > e->jitter_us)
		e->jitter_us = f->jitter_us;
	return 0;
}
