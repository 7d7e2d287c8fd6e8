#include "controlplane/calls/recovery_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/journal/fact_value.h"

static const char *text_of(const json_t *o, const char *name)
{
	const char *s = json_string_value(json_object_get(o, name));
	return s ? s : "";
}

static uint64_t number_of(const json_t *o, const char *name)
{
	return (uint64_t)json_integer_value(json_object_get(o, name));
}

int recovery_create(struct recovery **recovery)
{
	*recovery = calloc(1, sizeof(**recovery));
	return *recovery ? 0 : -ENOMEM;
}

void recovery_destroy(struct recovery *r)
{
	if (!r)
		return;
	for (unsigned b = 0; b < RECOVERY_BUCKETS; b++) {
		while (r->bucket[b]) {
			struct recovery_session *s = r->bucket[b];
			r->bucket[b] = s->next;
			free(s);
		}
	}
	while (r->first) {
		struct recovery_session *s = r->first;
		r->first = s->next;
		free(s);
	}
	free(r);
}

struct recovery_session **recovery_bucket(struct recovery *r, const struct id *id)
{
	return &r->bucket[(unsigned)(id->b[0] << 8 | id->b[1]) % RECOVERY_BUCKETS];
}

/* The place that points to the session, or NULL where the text is no session's id. */
static struct recovery_session **find(struct recovery *r, const char *text)
{
	struct id id;
	if (id_parse(text, ID_KIND_SESSION, &id))
		return NULL;
	struct recovery_session **at = recovery_bucket(r, &id);
	while (*at && !id_equal(&(*at)->id, &id))
		at = &(*at)->next;
	return at;
}

static void open_session(struct recovery *r, const json_t *f)
{
	struct recovery_session *s = calloc(1, sizeof(*s));
	r->failed = r->failed || !s;
	if (!s || id_parse(text_of(f, "session"), ID_KIND_SESSION, &s->id)) {
		free(s);
		return;
	}
	id_format(&s->id, ID_KIND_SESSION, s->text);
	snprintf(s->call, sizeof(s->call), "%s", text_of(f, "call"));
	s->facts = 1;
	s->clock_step_ns = fact_clock_step_ns(f);
	struct recovery_session **bucket = recovery_bucket(r, &s->id);
	s->next = *bucket;
	*bucket = s;
}

static void close_session(struct recovery *r, const char *text)
{
	struct recovery_session **at = find(r, text), *s = at ? *at : NULL;
	if (!s)
		return;
	*at = s->next;
	r->closed[r->closed_n++ % RECOVERY_CLOSED] = s->id;
	free(s);
}

static void of_session(struct recovery_session *s, enum fact fact, const json_t *f)
{
	uint64_t leg = number_of(f, "leg");
	s->facts++;
	if (leg >= RECOVERY_LEGS_MAX)
		return;
	switch (fact) {
	case FACT_leg_open:
		if ((int)leg >= s->legs)
			s->legs = (int)leg + 1;
		break;
	case FACT_leg_media:
		s->row[leg] = (struct recovery_row){number_of(f, "region"), (uint32_t)number_of(f, "row"),
			(uint32_t)number_of(f, "generation")};
		break;
	case FACT_leg_answered:
		s->leg_answered[leg] = true;
		break;
	case FACT_leg_ended:
		s->leg_ended[leg] = true;
		break;
	case FACT_stint_open:
		s->stint_open = true;
		s->stint = (uint32_t)number_of(f, "stint");
		break;
	case FACT_stint_close:
		s->stint_open = false;
		break;
	default:
		break;
	}
}

void recovery_feed(struct recovery *r, const struct journal_record *record)
{
	const json_t *f = record->payload;
	switch (record->fact) {
	case FACT_session_open:
		open_session(r, f);
		return;
	case FACT_session_close:
		close_session(r, text_of(f, "session"));
		return;
	default:
		break;
	}
	struct recovery_session **at = find(r, text_of(f, "session"));
	if (at && *at)
		of_session(*at, record->fact, f);
}

bool recovery_is_whole(const struct recovery *r)
{
	return !r->failed;
}

bool recovery_elsewhere(const struct recovery_session *s, uint64_t region)
{
	for (int i = 0; i < s->legs; i++)
		if (s->row[i].generation && s->row[i].region != region)
			return true;
	return false;
}

struct recovery_session *recovery_find(struct recovery *r, const char *session)
{
	struct recovery_session **at = find(r, session);
	return at ? *at : NULL;
}

bool recovery_was_closed(const struct recovery *r, const char *session)
{
	struct id id;
	if (id_parse(session, ID_KIND_SESSION, &id))
		return false;
	for (unsigned i = 0; i < r->closed_n && i < RECOVERY_CLOSED; i++)
		if (id_equal(&r->closed[i], &id))
			return true;
	return false;
}

struct recovery_session *recovery_first(struct recovery *r)
{
	/* Moves the buckets' chains into one list; once, after the last record. */
	for (unsigned b = 0; b < RECOVERY_BUCKETS; b++) {
		while (r->bucket[b]) {
			struct recovery_session *s = r->bucket[b];
			r->bucket[b] = s->next;
			s->next = r->first;
			r->first = s;
		}
	}
	return r->first;
}
