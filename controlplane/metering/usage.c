#include "controlplane/metering/usage.h"

#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/journal/fact_value.h"
#include "controlplane/metering/usage_private.h"

static int by_row(const void *a, const void *b)
{
	const struct usage_row *x = a, *y = b;
	if (x->region != y->region)
		return x->region < y->region ? -1 : 1;
	return x->row < y->row ? -1 : x->row > y->row;
}

static int by_id(const void *a, const void *b)
{
	return strcmp(((const struct usage_session *)a)->id, ((const struct usage_session *)b)->id);
}

static struct usage_row *find_row(const struct usage *u, uint64_t region, uint32_t number)
{
	struct usage_row key = {.region = region, .row = number};
	struct usage_row **node = tfind(&key, &u->rows, by_row);
	return node ? *node : NULL;
}

static struct usage_session *find_session(const struct usage *u, const char *id)
{
	struct usage_session key = {.id = (char *)id};
	struct usage_session **node = tfind(&key, &u->sessions, by_id);
	return node ? *node : NULL;
}

static void session_free(struct usage_session *s)
{
	if (!s)
		return;
	free(s->entry);
	free(s->id);
	free(s);
}

static void row_free(struct usage_row *r)
{
	free(r->seen);
	free(r->kept);
	free(r);
}

static void leave_session(struct usage_row *r)
{
	if (!r->session)
		return;
	for (struct usage_row **at = &r->session->rows; *at; at = &(*at)->sibling)
		if (*at == r) {
			*at = r->sibling;
			break;
		}
	r->session = NULL;
}

/* Begins the next generation of a row. What was kept of the one before will find no leg any more, and if its
 * final record has not come, its session keeps counting it as open. */
static void row_reset(struct usage_row *r, uint32_t generation)
{
	leave_session(r);
	free(r->seen);
	free(r->kept);
	*r = (struct usage_row){
		.region = r->region, .row = r->row, .generation = generation, .next = r->next};
}

struct usage_row *usage_row_of(struct usage *u, uint64_t region, uint32_t number, uint32_t generation)
{
	struct usage_row *r = find_row(u, region, number);
	if (r)
		return r;
	r = calloc(1, sizeof(*r));
	if (!r)
		return NULL;
	*r = (struct usage_row){.region = region, .row = number, .generation = generation};
	if (!tsearch(r, &u->rows, by_row)) {
		free(r);
		return NULL;
	}
	r->next = u->all_rows;
	u->all_rows = r;
	return r;
}

struct usage_session *usage_session_of(struct usage *u, const char *id)
{
	struct usage_session *s = find_session(u, id);
	if (s)
		return s;
	s = calloc(1, sizeof(*s));
	if (s)
		s->id = strdup(id);
	if (!s || !s->id || !tsearch(s, &u->sessions, by_id)) {
		session_free(s);
		return NULL;
	}
	return s;
}

static struct usage_region *region_of(struct usage *u, uint64_t id)
{
	for (struct usage_region *r = u->regions; r; r = r->next)
		if (r->id == id)
			return r;
	struct usage_region *r = calloc(1, sizeof(*r));
	if (!r)
		return NULL;
	r->id = id;
	r->next = u->regions;
	u->regions = r;
	return r;
}

/* Serial numbers: a generation may wrap. */
static bool is_before(uint32_t generation, uint32_t than)
{
	return (int32_t)(generation - than) < 0;
}

static int claim(struct usage_row *r, struct usage_session *s, uint32_t leg)
{
	for (size_t i = 0; i < r->kept_n; i++) {
		int e = usage_session_add(s, leg, &r->kept[i]);
		if (e)
			return e;
	}
	if (!r->final)
		s->open_legs++;
	r->session = s;
	r->sibling = s->rows;
	s->rows = r;
	r->leg = leg;
	free(r->kept);
	r->kept = NULL;
	return 0;
}

static int feed_leg_media(struct usage *u, const json_t *payload)
{
	uint32_t leg, number, generation;
	uint64_t region;
	const char *id = fact_text(payload, "session", NULL);
	if (!id || !fact_u32(payload, "leg", &leg) || !fact_u32(payload, "row", &number) ||
		!fact_u32(payload, "generation", &generation))
		return -EINVAL;
	if (!fact_region(payload, "region", &region))
		region = u->region;
	struct usage_row *r = usage_row_of(u, region, number, generation);
	if (!r)
		return -ENOMEM;
	if (is_before(generation, r->generation))
		return 0;
	if (generation != r->generation)
		row_reset(r, generation);
	if (r->session || r->closed) /* the same leg again, with another codec or address */
		return 0;
	struct usage_session *s = usage_session_of(u, id);
	if (!s)
		return -ENOMEM;
	size_t kept = r->kept_n;
	int e = claim(r, s, leg);
	if (e)
		return e;
	u->unclaimed -= kept;
	r->kept_n = 0;
	return 0;
}

static bool was_seen(const struct usage_row *r, uint32_t stint, uint32_t part)
{
	for (size_t i = r->seen_n; i-- > 0;)
		if (r->seen[i].stint == stint && r->seen[i].part == part)
			return true;
	return false;
}

static int note_seen(struct usage_row *r, uint32_t stint, uint32_t part)
{
	if (r->seen_n == r->seen_room) {
		size_t room = r->seen_room ? 2 * r->seen_room : 2;
		struct usage_seen *bigger = reallocarray(r->seen, room, sizeof(*bigger));
		if (!bigger)
			return -ENOMEM;
		r->seen = bigger;
		r->seen_room = room;
	}
	r->seen[r->seen_n++] = (struct usage_seen){.stint = stint, .part = part};
	return 0;
}

static int keep(struct usage *u, struct usage_row *r, const struct usage_figures *f)
{
	u->unclaimed++;
	if (r->closed) /* nobody will ask for it any more */
		return 0;
	struct usage_figures *bigger = reallocarray(r->kept, r->kept_n + 1, sizeof(*bigger));
	if (!bigger)
		return -ENOMEM;
	r->kept = bigger;
	r->kept[r->kept_n++] = *f;
	return 0;
}

/* Its figures are lost, and whoever they were of must not look as if nothing were missing. */
static void note_unreadable(struct usage *u, const struct usage_part *p)
{
	struct usage_row *r = find_row(u, p->region, p->row);
	if (r && r->session && r->generation == p->generation)
		r->session->unreadable = true;
}

static int feed_meter(struct usage *u, const json_t *payload)
{
	struct usage_figures f;
	int e = usage_figures_read(&f, payload, u->region);
	if (e) {
		note_unreadable(u, &f.name);
		return e;
	}
	if (usage_has(u, &f.name))
		return 0;
	struct usage_row *r = usage_row_of(u, f.name.region, f.name.row, f.name.generation);
	struct usage_region *g = region_of(u, f.name.region);
	if (!r || !g)
		return -ENOMEM;
	if (r->generation != f.name.generation)
		row_reset(r, f.name.generation);
	e = note_seen(r, f.name.stint, f.name.part);
	if (!e)
		e = r->session ? usage_session_add(r->session, r->leg, &f) : keep(u, r, &f);
	if (e)
		return e;
	tg_meter_add(&g->sums[f.worker], &f.counts);
	if (f.final && !r->final) {
		r->final = true;
		if (r->session)
			r->session->open_legs--;
	}
	return 0;
}

static int feed_session_close(struct usage *u, const json_t *payload)
{
	const char *id = fact_text(payload, "session", NULL);
	if (!id)
		return -EINVAL;
	struct usage_session *s = find_session(u, id);
	if (!s)
		return 0;
	while (s->rows) {
		struct usage_row *r = s->rows;
		leave_session(r);
		r->closed = true;
	}
	tdelete(s, &u->sessions, by_id);
	session_free(s);
	return 0;
}

/* Rows of regions that are gone say nothing any more, except of sessions that are still open. */
static int feed_node_start(struct usage *u, const json_t *payload)
{
	uint64_t region;
	if (!fact_region(payload, "region", &region))
		return -EINVAL;
	u->region = region;
	for (struct usage_row **at = &u->all_rows, *r; (r = *at);) {
		if (r->region == region || r->session) {
			at = &r->next;
			continue;
		}
		*at = r->next;
		tdelete(r, &u->rows, by_row);
		row_free(r);
	}
	return 0;
}

int usage_feed(struct usage *u, enum fact fact, const json_t *payload)
{
	switch (fact) {
	case FACT_node_start:
		return feed_node_start(u, payload);
	case FACT_leg_media:
		return feed_leg_media(u, payload);
	case FACT_meter:
		return feed_meter(u, payload);
	case FACT_session_close:
		return feed_session_close(u, payload);
	default:
		return 0;
	}
}

int usage_create(struct usage **usage)
{
	*usage = calloc(1, sizeof(**usage));
	return *usage ? 0 : -ENOMEM;
}

static void forget_node(void *node)
{
	(void)node; /* rows are freed along their list */
}

static void free_session_node(void *node)
{
	session_free(node);
}

void usage_destroy(struct usage *u)
{
	if (!u)
		return;
	tdestroy(u->rows, forget_node);
	tdestroy(u->sessions, free_session_node);
	for (struct usage_row *r = u->all_rows, *next; r; r = next) {
		next = r->next;
		row_free(r);
	}
	for (struct usage_region *g = u->regions, *next; g; g = next) {
		next = g->next;
		free(g);
	}
	free(u);
}

const struct usage_entry *usage_of(const struct usage *u, const char *session, size_t *n)
{
	const struct usage_session *s = find_session(u, session);
	*n = s ? s->entries : 0;
	return *n ? s->entry : NULL;
}

unsigned usage_open_legs(const struct usage *u, const char *session)
{
	const struct usage_session *s = find_session(u, session);
	return s ? s->open_legs : 0;
}

bool usage_is_final(const struct usage *u, uint64_t region, uint32_t number, uint32_t generation)
{
	const struct usage_row *r = find_row(u, region, number);
	return r && (is_before(generation, r->generation) || (r->generation == generation && r->final));
}

bool usage_lacks(const struct usage *u, const char *session)
{
	const struct usage_session *s = find_session(u, session);
	return s && (s->open_legs || s->unreadable);
}

bool usage_has(const struct usage *u, const struct usage_part *p)
{
	const struct usage_row *r = find_row(u, p->region, p->row);
	if (!r || is_before(r->generation, p->generation))
		return false;
	return is_before(p->generation, r->generation) || was_seen(r, p->stint, p->part);
}

uint64_t usage_unclaimed(const struct usage *u)
{
	return u->unclaimed;
}

void metering_sums(const struct usage *u, uint64_t region, struct tg_meter sums[static TG_WORKERS_MAX])
{
	memset(sums, 0, TG_WORKERS_MAX * sizeof(*sums));
	for (const struct usage_region *g = u->regions; g; g = g->next)
		if (g->id == region)
			memcpy(sums, g->sums, sizeof(g->sums));
}
