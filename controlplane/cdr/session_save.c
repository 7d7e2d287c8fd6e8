#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/cdr/session.h"

static void save_payload(struct pack *p, const struct cdr_payload *payload)
{
	if (payload->text || !payload->value) {
		pack_text(p, payload->text, payload->len);
		return;
	}
	char *text = json_dumps(payload->value, JSON_COMPACT | JSON_SORT_KEYS);
	if (text)
		pack_text(p, text, strlen(text));
	else
		p->failed = true;
	free(text);
}

static int load_payload(struct unpack *u, struct cdr_payload *payload)
{
	size_t len;
	const char *text = unpack_text(u, &len);
	if (!len)
		return 0;
	payload->text = malloc(len + 1);
	if (!payload->text)
		return -ENOMEM;
	memcpy(payload->text, text, len + 1);
	payload->len = len;
	return 0;
}

static int parse(struct cdr_payload *payload)
{
	json_error_t error;
	if (payload->value || !payload->text)
		return 0;
	payload->value = json_loadb(
		payload->text, payload->len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
	if (payload->value)
		return 0;
	return json_error_code(&error) == json_error_out_of_memory ? -ENOMEM : -EBADMSG;
}

static int worse(int a, int b)
{
	return a == -ENOMEM || !b ? a : b;
}

int cdr_session_parse(struct cdr_session *s)
{
	int e = parse(&s->open);
	for (size_t i = 0; i < s->legs; i++) {
		e = worse(e, parse(&s->leg[i].open));
		e = worse(e, parse(&s->leg[i].media));
		e = worse(e, parse(&s->leg[i].ended));
	}
	for (size_t i = 0; i < s->stints; i++) {
		e = worse(e, parse(&s->stint[i].open));
		e = worse(e, parse(&s->stint[i].close));
	}
	return e;
}

void cdr_session_save(const struct cdr_session *s, struct pack *p)
{
	pack_text(p, s->id, strlen(s->id));
	save_payload(p, &s->open);
	pack_number(p, s->legs);
	for (size_t i = 0; i < s->legs; i++) {
		const struct cdr_leg *leg = &s->leg[i];
		pack_number(p, leg->number);
		save_payload(p, &leg->open);
		save_payload(p, &leg->media);
		save_payload(p, &leg->ended);
		pack_number(p, leg->ringing_ns);
		pack_number(p, leg->answered_ns);
	}
	pack_number(p, s->stints);
	for (size_t i = 0; i < s->stints; i++) {
		pack_number(p, s->stint[i].number);
		save_payload(p, &s->stint[i].open);
		save_payload(p, &s->stint[i].close);
	}
}

static int load_legs(struct cdr_session *s, struct unpack *u)
{
	int e = 0;
	for (size_t n = unpack_count(u); n && !e; n--) {
		size_t before = s->legs;
		struct cdr_leg *leg = cdr_session_leg(s, (uint32_t)unpack_number_to(u, UINT32_MAX));
		if (!leg || s->legs == before)
			return leg ? -EBADMSG : -ENOMEM;
		e = load_payload(u, &leg->open);
		if (!e)
			e = load_payload(u, &leg->media);
		if (!e)
			e = load_payload(u, &leg->ended);
		leg->ringing_ns = unpack_number(u);
		leg->answered_ns = unpack_number(u);
	}
	return e;
}

static int load_stints(struct cdr_session *s, struct unpack *u)
{
	int e = 0;
	for (size_t n = unpack_count(u); n && !e; n--) {
		size_t before = s->stints;
		struct cdr_stint *stint = cdr_session_stint(s, (uint32_t)unpack_number_to(u, UINT32_MAX));
		if (!stint || s->stints == before)
			return stint ? -EBADMSG : -ENOMEM;
		e = load_payload(u, &stint->open);
		if (!e)
			e = load_payload(u, &stint->close);
	}
	return e;
}

int cdr_session_load(struct cdr_session **session, struct unpack *u)
{
	size_t len;
	const char *id = unpack_text(u, &len);
	if (!len || strlen(id) != len)
		return -EBADMSG;
	struct cdr_session *s = calloc(1, sizeof(*s));
	if (s)
		s->id = strdup(id);
	int e = s && s->id ? load_payload(u, &s->open) : -ENOMEM;
	if (!e)
		e = load_legs(s, u);
	if (!e)
		e = load_stints(s, u);
	if (!e && u->failed)
		e = -EBADMSG;
	if (e)
		cdr_session_free(s);
	else
		*session = s;
	return e;
}
