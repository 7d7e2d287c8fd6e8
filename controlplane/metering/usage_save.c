#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/metering/usage_private.h"

static void save_counts(struct pack *p, const struct tg_meter *counts)
{
	for (int i = 0; i < TG_METERS; i++)
		pack_number(p, counts->v[i]);
}

static void load_counts(struct unpack *u, struct tg_meter *counts)
{
	for (int i = 0; i < TG_METERS; i++)
		counts->v[i] = unpack_number(u);
}

static void save_quality(struct pack *p, const struct usage_quality *q)
{
	pack_number(p, q->has_trip);
	pack_number(p, q->has_far);
	pack_number(p, q->has_from);
	pack_number(p, q->has_to);
	pack_number(p, q->round_trip_us);
	pack_number(p, q->round_trip_average_us);
	pack_number(p, q->far_lost);
	pack_number(p, q->far_jitter_us);
	pack_number(p, q->mos_from_x100);
	pack_number(p, q->mos_to_x100);
}

static void load_quality(struct unpack *u, struct usage_quality *q)
{
	q->has_trip = unpack_number_to(u, 1);
	q->has_far = unpack_number_to(u, 1);
	q->has_from = unpack_number_to(u, 1);
	q->has_to = unpack_number_to(u, 1);
	q->round_trip_us = (uint32_t)unpack_number_to(u, UINT32_MAX);
	q->round_trip_average_us = (uint32_t)unpack_number_to(u, UINT32_MAX);
	q->far_lost = (uint32_t)unpack_number_to(u, UINT32_MAX);
	q->far_jitter_us = (uint32_t)unpack_number_to(u, UINT32_MAX);
	q->mos_from_x100 = (uint32_t)unpack_number_to(u, UINT32_MAX);
	q->mos_to_x100 = (uint32_t)unpack_number_to(u, UINT32_MAX);
}

static void save_entry(struct pack *p, const struct usage_entry *e)
{
	pack_number(p, e->leg);
	pack_number(p, e->stint);
	pack_number(p, e->parts);
	pack_number(p, e->start_ns);
	pack_number(p, e->end_ns);
	save_counts(p, &e->counts);
	pack_number(p, e->lost);
	pack_number(p, e->jitter_us);
	pack_number(p, e->media_timeout);
	pack_number(p, e->outages);
	pack_number(p, e->outage_ms);
	pack_number(p, e->uncertain_packets);
	save_quality(p, &e->quality);
}

static void load_entry(struct unpack *u, struct usage_entry *e)
{
	e->leg = (uint32_t)unpack_number_to(u, UINT32_MAX);
	e->stint = (uint32_t)unpack_number_to(u, UINT32_MAX);
	e->parts = (uint32_t)unpack_number_to(u, UINT32_MAX);
	e->start_ns = unpack_number(u);
	e->end_ns = unpack_number(u);
	load_counts(u, &e->counts);
	e->lost = unpack_number(u);
	e->jitter_us = (uint32_t)unpack_number_to(u, UINT32_MAX);
	e->media_timeout = unpack_number_to(u, 1);
	e->outages = unpack_number(u);
	e->outage_ms = unpack_number(u);
	e->uncertain_packets = unpack_number(u);
	load_quality(u, &e->quality);
}

static void save_figures(struct pack *p, const struct usage_figures *f)
{
	pack_number(p, f->name.stint);
	pack_number(p, f->name.part);
	pack_number(p, f->worker);
	pack_number(p, f->jitter_us);
	pack_number(p, f->start_ns);
	pack_number(p, f->end_ns);
	pack_number(p, f->lost);
	pack_number(p, f->outages);
	pack_number(p, f->outage_ms);
	pack_number(p, f->uncertain_packets);
	pack_number(p, f->final);
	pack_number(p, f->media_timeout);
	save_quality(p, &f->quality);
	save_counts(p, &f->counts);
}

static void load_figures(struct unpack *u, const struct usage_row *r, struct usage_figures *f)
{
	f->name = (struct usage_part){.region = r->region, .row = r->row, .generation = r->generation};
	f->name.stint = (uint32_t)unpack_number_to(u, UINT32_MAX);
	f->name.part = (uint32_t)unpack_number_to(u, UINT32_MAX);
	f->worker = (uint32_t)unpack_number_to(u, TG_WORKERS_MAX - 1);
	f->jitter_us = (uint32_t)unpack_number_to(u, UINT32_MAX);
	f->start_ns = unpack_number(u);
	f->end_ns = unpack_number(u);
	f->lost = unpack_number(u);
	f->outages = unpack_number(u);
	f->outage_ms = unpack_number(u);
	f->uncertain_packets = unpack_number(u);
	f->final = unpack_number_to(u, 1);
	f->media_timeout = unpack_number_to(u, 1);
	load_quality(u, &f->quality);
	load_counts(u, &f->counts);
}

static void save_row(struct pack *p, const struct usage_row *r)
{
	pack_number(p, r->region);
	pack_number(p, r->row);
	pack_number(p, r->generation);
	pack_number(p, r->leg);
	pack_number(p, r->final);
	pack_number(p, r->closed);
	pack_number(p, r->seen_n);
	for (size_t i = 0; i < r->seen_n; i++) {
		pack_number(p, r->seen[i].stint);
		pack_number(p, r->seen[i].part);
	}
	pack_number(p, r->kept_n);
	for (size_t i = 0; i < r->kept_n; i++)
		save_figures(p, &r->kept[i]);
}

static int load_seen(struct unpack *u, struct usage_row *r)
{
	size_t n = unpack_count(u);
	r->seen = n ? calloc(n, sizeof(*r->seen)) : NULL;
	if (n && !r->seen)
		return -ENOMEM;
	r->seen_n = r->seen_room = n;
	for (size_t i = 0; i < n; i++) {
		r->seen[i].stint = (uint32_t)unpack_number_to(u, UINT32_MAX);
		r->seen[i].part = (uint32_t)unpack_number_to(u, UINT32_MAX);
	}
	return 0;
}

static int load_kept(struct unpack *u, struct usage_row *r)
{
	size_t n = unpack_count(u);
	r->kept = n ? calloc(n, sizeof(*r->kept)) : NULL;
	if (n && !r->kept)
		return -ENOMEM;
	r->kept_n = n;
	for (size_t i = 0; i < n; i++)
		load_figures(u, r, &r->kept[i]);
	return 0;
}

/* session: NULL for a row that has none. */
static int load_row(struct unpack *u, struct usage *usage, struct usage_session *session)
{
	uint64_t region = unpack_number(u);
	uint32_t number = (uint32_t)unpack_number_to(u, UINT32_MAX);
	uint32_t generation = (uint32_t)unpack_number_to(u, UINT32_MAX);
	struct usage_row *before = usage->all_rows;
	struct usage_row *r = u->failed ? NULL : usage_row_of(usage, region, number, generation);
	if (!r || usage->all_rows == before) /* a row that is there twice is none of ours */
		return u->failed || r ? -EBADMSG : -ENOMEM;
	r->leg = (uint32_t)unpack_number_to(u, UINT32_MAX);
	r->final = unpack_number_to(u, 1);
	r->closed = unpack_number_to(u, 1);
	int e = load_seen(u, r);
	if (!e)
		e = load_kept(u, r);
	if (!e && session) {
		struct usage_row **last = &session->rows;
		while (*last)
			last = &(*last)->sibling;
		*last = r;
		r->session = session;
	}
	return !e && u->failed ? -EBADMSG : e;
}

static void count_session(const void *node, VISIT visit, void *ctx)
{
	if (visit == postorder || visit == leaf)
		++*(size_t *)ctx;
}

static void save_session(const void *node, VISIT visit, void *ctx)
{
	if (visit != postorder && visit != leaf)
		return;
	const struct usage_session *s = *(struct usage_session *const *)node;
	struct pack *p = ctx;
	pack_text(p, s->id, strlen(s->id));
	pack_number(p, s->open_legs);
	pack_number(p, s->unreadable);
	pack_number(p, s->entries);
	for (size_t i = 0; i < s->entries; i++)
		save_entry(p, &s->entry[i]);
	size_t rows = 0;
	for (const struct usage_row *r = s->rows; r; r = r->sibling)
		rows++;
	pack_number(p, rows);
	for (const struct usage_row *r = s->rows; r; r = r->sibling)
		save_row(p, r);
}

static int load_session(struct unpack *u, struct usage *usage)
{
	size_t len;
	const char *id = unpack_text(u, &len);
	if (u->failed || strlen(id) != len)
		return -EBADMSG;
	struct usage_session *s = usage_session_of(usage, id);
	if (!s)
		return -ENOMEM;
	if (s->rows || s->entry)
		return -EBADMSG;
	s->open_legs = (unsigned)unpack_number_to(u, UINT32_MAX);
	s->unreadable = unpack_number_to(u, 1);
	size_t n = unpack_count(u);
	s->entry = n ? calloc(n, sizeof(*s->entry)) : NULL;
	if (n && !s->entry)
		return -ENOMEM;
	s->entries = s->room = n;
	for (size_t i = 0; i < n; i++)
		load_entry(u, &s->entry[i]);
	int e = 0;
	for (size_t rows = unpack_count(u); rows && !e; rows--)
		e = load_row(u, usage, s);
	return !e && u->failed ? -EBADMSG : e;
}

static void save_regions(const struct usage *u, struct pack *p)
{
	size_t n = 0;
	for (const struct usage_region *g = u->regions; g; g = g->next)
		n++;
	pack_number(p, n);
	for (const struct usage_region *g = u->regions; g; g = g->next) {
		pack_number(p, g->id);
		for (int i = 0; i < TG_WORKERS_MAX; i++)
			save_counts(p, &g->sums[i]);
	}
}

static int load_regions(struct unpack *u, struct usage *usage)
{
	struct usage_region **last = &usage->regions;
	for (size_t n = unpack_count(u); n && !u->failed; n--) {
		struct usage_region *g = calloc(1, sizeof(*g));
		if (!g)
			return -ENOMEM;
		*last = g;
		last = &g->next;
		g->id = unpack_number(u);
		for (int i = 0; i < TG_WORKERS_MAX; i++)
			load_counts(u, &g->sums[i]);
	}
	return u->failed ? -EBADMSG : 0;
}

static void save_lone_row(const void *node, VISIT visit, void *ctx)
{
	const struct usage_row *r = *(struct usage_row *const *)node;
	if ((visit == postorder || visit == leaf) && !r->session)
		save_row(ctx, r);
}

/* In an order that what it knows decides alone. */
void usage_save(const struct usage *u, struct pack *p)
{
	size_t sessions = 0, rows = 0;
	pack_number(p, TG_METERS);
	pack_number(p, TG_WORKERS_MAX);
	pack_number(p, u->region);
	pack_number(p, u->unclaimed);
	save_regions(u, p);
	twalk_r(u->sessions, count_session, &sessions);
	pack_number(p, sessions);
	twalk_r(u->sessions, save_session, p);
	for (const struct usage_row *r = u->all_rows; r; r = r->next)
		rows += !r->session;
	pack_number(p, rows);
	twalk_r(u->rows, save_lone_row, p);
}

int usage_load(struct usage *usage, struct unpack *u)
{
	if (unpack_number(u) != TG_METERS || unpack_number(u) != TG_WORKERS_MAX)
		return -EBADMSG;
	usage->region = unpack_number(u);
	usage->unclaimed = unpack_number(u);
	int e = load_regions(u, usage);
	for (size_t n = e ? 0 : unpack_count(u); n && !e; n--)
		e = load_session(u, usage);
	for (size_t n = e ? 0 : unpack_count(u); n && !e; n--)
		e = load_row(u, usage, NULL);
	return !e && u->failed ? -EBADMSG : e;
}
