#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/calls/recovery_private.h"

static void save_session(struct pack *p, const struct recovery_session *s)
{
	pack_text(p, s->text, strlen(s->text));
	pack_text(p, s->call, strlen(s->call));
	pack_number(p, (uint64_t)s->legs);
	pack_number(p, s->stint_open);
	pack_number(p, s->stint);
	pack_number(p, (uint64_t)s->clock_step_ns);
	pack_number(p, s->facts);
	/* Facts may be of legs that were never opened. */
	int n = RECOVERY_LEGS_MAX;
	while (n && !s->leg_ended[n - 1] && !s->leg_answered[n - 1] && !s->row[n - 1].generation &&
		!s->row[n - 1].region && !s->row[n - 1].row)
		n--;
	pack_number(p, (uint64_t)n);
	for (int i = 0; i < n; i++) {
		pack_number(p, s->leg_answered[i]);
		pack_number(p, s->leg_ended[i]);
		pack_number(p, s->row[i].region);
		pack_number(p, s->row[i].row);
		pack_number(p, s->row[i].generation);
	}
}

static void load_legs(struct unpack *u, struct recovery_session *s)
{
	size_t n = unpack_number_to(u, RECOVERY_LEGS_MAX);
	for (size_t i = 0; i < n; i++) {
		s->leg_answered[i] = unpack_number_to(u, 1);
		s->leg_ended[i] = unpack_number_to(u, 1);
		s->row[i].region = unpack_number(u);
		s->row[i].row = (uint32_t)unpack_number_to(u, UINT32_MAX);
		s->row[i].generation = (uint32_t)unpack_number_to(u, UINT32_MAX);
	}
}

static int load_session(struct unpack *u, struct recovery *r)
{
	size_t len;
	struct recovery_session *s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	if (id_parse(unpack_text(u, &len), ID_KIND_SESSION, &s->id)) {
		free(s);
		return -EBADMSG;
	}
	id_format(&s->id, ID_KIND_SESSION, s->text);
	snprintf(s->call, sizeof(s->call), "%s", unpack_text(u, &len));
	s->legs = (int)unpack_number_to(u, RECOVERY_LEGS_MAX);
	s->stint_open = unpack_number_to(u, 1);
	s->stint = (uint32_t)unpack_number_to(u, UINT32_MAX);
	s->clock_step_ns = (int64_t)unpack_number(u);
	s->facts = (unsigned)unpack_number_to(u, UINT32_MAX);
	load_legs(u, s);
	/* In the order in which they were found: of two with one id the first counts. */
	struct recovery_session **last = recovery_bucket(r, &s->id);
	while (*last)
		last = &(*last)->next;
	*last = s;
	return u->failed ? -EBADMSG : 0;
}

void recovery_save(const struct recovery *r, struct pack *p)
{
	size_t n = 0;
	for (unsigned b = 0; b < RECOVERY_BUCKETS; b++)
		for (const struct recovery_session *s = r->bucket[b]; s; s = s->next)
			n++;
	pack_number(p, n);
	for (unsigned b = 0; b < RECOVERY_BUCKETS; b++)
		for (const struct recovery_session *s = r->bucket[b]; s; s = s->next)
			save_session(p, s);
	n = r->closed_n < RECOVERY_CLOSED ? r->closed_n : RECOVERY_CLOSED;
	pack_number(p, n);
	for (size_t i = r->closed_n - n; i < r->closed_n; i++)
		pack_text(p, r->closed[i % RECOVERY_CLOSED].b, ID_BYTES);
}

int recovery_load(struct recovery *r, struct unpack *u)
{
	int e = 0;
	for (size_t n = unpack_count(u); n && !e; n--)
		e = load_session(u, r);
	size_t closed = e ? 0 : unpack_number_to(u, RECOVERY_CLOSED);
	for (size_t i = 0; i < closed && !e; i++) {
		size_t len;
		const char *id = unpack_text(u, &len);
		if (len == ID_BYTES)
			memcpy(r->closed[r->closed_n++].b, id, ID_BYTES);
		else
			e = -EBADMSG;
	}
	return !e && u->failed ? -EBADMSG : e;
}
