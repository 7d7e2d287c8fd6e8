#include "controlplane/cdr/session.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/journal/fact_value.h"

static void release(struct cdr_payload *p)
{
	json_decref(p->value);
	free(p->text);
	*p = (struct cdr_payload){0};
}

static int take(struct cdr_payload *to, const struct journal_record *record)
{
	char *text = record->text ? malloc(record->len + 1) : NULL;
	if (record->text && !text)
		return -ENOMEM;
	if (text) {
		memcpy(text, record->text, record->len);
		text[record->len] = '\0';
	}
	release(to);
	*to = (struct cdr_payload){
		.value = json_incref((json_t *)record->payload), .text = text, .len = record->len};
	return 0;
}

int cdr_session_create(struct cdr_session **session, const struct journal_record *open)
{
	const char *id = fact_text(open->payload, "session", NULL);
	if (!id || !*id)
		return -EINVAL;
	struct cdr_session *s = calloc(1, sizeof(*s));
	if (s)
		s->id = strdup(id);
	if (!s || !s->id || take(&s->open, open)) {
		cdr_session_free(s);
		return -ENOMEM;
	}
	*session = s;
	return 0;
}

void cdr_session_free(struct cdr_session *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->legs; i++) {
		release(&s->leg[i].open);
		release(&s->leg[i].media);
		release(&s->leg[i].ended);
	}
	for (size_t i = 0; i < s->stints; i++) {
		release(&s->stint[i].open);
		release(&s->stint[i].close);
	}
	release(&s->open);
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

static int feed_leg(struct cdr_session *s, const struct journal_record *record)
{
	uint32_t number;
	uint64_t at_ns = 0;
	if (!fact_u32(record->payload, "leg", &number))
		return -EINVAL;
	struct cdr_leg *leg = cdr_session_leg(s, number);
	if (!leg)
		return -ENOMEM;
	fact_u64(record->payload, "at_ns", &at_ns);
	switch (record->fact) {
	case FACT_leg_open:
		return take(&leg->open, record);
	case FACT_leg_media:
		return take(&leg->media, record);
	case FACT_leg_ended:
		return take(&leg->ended, record);
	case FACT_leg_ringing:
		if (!leg->ringing_ns)
			leg->ringing_ns = at_ns;
		return 0;
	default:
		if (!leg->answered_ns)
			leg->answered_ns = at_ns;
		return 0;
	}
}

static int feed_stint(struct cdr_session *s, const struct journal_record *record)
{
	uint32_t number;
	if (!fact_u32(record->payload, "stint", &number))
		return -EINVAL;
	struct cdr_stint *stint = cdr_session_stint(s, number);
	if (!stint)
		return -ENOMEM;
	return take(record->fact == FACT_stint_open ? &stint->open : &stint->close, record);
}

int cdr_session_feed(struct cdr_session *s, const struct journal_record *record)
{
	switch (record->fact) {
	case FACT_leg_open:
	case FACT_leg_media:
	case FACT_leg_ringing:
	case FACT_leg_answered:
	case FACT_leg_ended:
		return feed_leg(s, record);
	case FACT_stint_open:
	case FACT_stint_close:
		return feed_stint(s, record);
	default:
		return 0;
	}
}
