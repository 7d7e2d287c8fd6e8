#include "controlplane/cdr/session.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/journal/fact_value.h"

int cdr_session_create(struct cdr_session **session, const json_t *open)
{
	const char *id = fact_text(open, "session", NULL);
	if (!id || !*id)
		return -EINVAL;
	struct cdr_session *s = calloc(1, sizeof(*s));
	if (s)
		s->id = strdup(id);
	if (!s || !s->id) {
		free(s);
		return -ENOMEM;
	}
	s->open = json_incref((json_t *)open);
	*session = s;
	return 0;
}

void cdr_session_free(struct cdr_session *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->legs; i++) {
		json_decref(s->leg[i].open);
		json_decref(s->leg[i].media);
		json_decref(s->leg[i].ended);
	}
	for (size_t i = 0; i < s->stints; i++) {
		json_decref(s->stint[i].open);
		json_decref(s->stint[i].close);
	}
	json_decref(s->open);
	free(s->leg);
	free(s->stint);
	free(s->id);
	free(s);
}

/* Makes room for one more and returns where number i begins; the caller fills it. */
static void *insert(void **list, size_t *n, size_t *room, size_t bytes, size_t i)
{
	if (*n == *room) {
		size_t more = *room ? 2 * *room : 4;
		void *bigger = reallocarray(*list, more, bytes);
		if (!bigger)
			return NULL;
		*list = bigger;
		*room = more;
	}
	char *at = (char *)*list + i * bytes;
	memmove(at + bytes, at, (*n - i) * bytes);
	memset(at, 0, bytes);
	++*n;
	return at;
}

struct cdr_leg *cdr_session_leg(struct cdr_session *s, uint32_t number)
{
	size_t i = s->legs;
	while (i > 0 && s->leg[i - 1].number > number)
		i--;
	if (i > 0 && s->leg[i - 1].number == number)
		return &s->leg[i - 1];
	void *list = s->leg;
	struct cdr_leg *leg = insert(&list, &s->legs, &s->leg_room, sizeof(*leg), i);
	s->leg = list;
	if (leg)
		leg->number = number;
	return leg;
}

struct cdr_stint *cdr_session_stint(struct cdr_session *s, uint32_t number)
{
	size_t i = s->stints;
	while (i > 0 && s->stint[i - 1].number > number)
		i--;
	if (i > 0 && s->stint[i - 1].number == number)
		return &s->stint[i - 1];
	void *list = s->stint;
	struct cdr_stint *stint = insert(&list, &s->stints, &s->stint_room, sizeof(*stint), i);
	s->stint = list;
	if (stint)
		stint->number = number;
	return stint;
}

static void take(json_t **to, const json_t *payload)
{
	json_decref(*to);
	*to = json_incref((json_t *)payload);
}

static int feed_leg(struct cdr_session *s, enum fact fact, const json_t *payload)
{
	uint32_t number;
	uint64_t at_ns = 0;
	if (!fact_u32(payload, "leg", &number))
		return -EINVAL;
	struct cdr_leg *leg = cdr_session_leg(s, number);
	if (!leg)
		return -ENOMEM;
	fact_u64(payload, "at_ns", &at_ns);
	if (fact == FACT_leg_open)
		take(&leg->open, payload);
	else if (fact == FACT_leg_media)
		take(&leg->media, payload);
	else if (fact == FACT_leg_ended)
		take(&leg->ended, payload);
	else if (fact == FACT_leg_ringing && !leg->ringing_ns)
		leg->ringing_ns = at_ns;
	else if (fact == FACT_leg_answered && !leg->answered_ns)
		leg->answered_ns = at_ns;
	return 0;
}

static int feed_stint(struct cdr_session *s, enum fact fact, const json_t *payload)
{
	uint32_t number;
	if (!fact_u32(payload, "stint", &number))
		return -EINVAL;
	struct cdr_stint *stint = cdr_session_stint(s, number);
	if (!stint)
		return -ENOMEM;
	take(fact == FACT_stint_open ? &stint->open : &stint->close, payload);
	return 0;
}

int cdr_session_feed(struct cdr_session *s, enum fact fact, const json_t *payload)
{
	switch (fact) {
	case FACT_leg_open:
	case FACT_leg_media:
	case FACT_leg_ringing:
	case FACT_leg_answered:
	case FACT_leg_ended:
		return feed_leg(s, fact, payload);
	case FACT_stint_open:
	case FACT_stint_close:
		return feed_stint(s, fact, payload);
	default:
		return 0;
	}
}
