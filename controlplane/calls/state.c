#include "controlplane/calls/state.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Bytes of text from outside need not be UTF-8: beyond ASCII they are kept as Latin-1. */
static json_t *text(const char *s)
{
	if (!s)
		return json_null();
	json_t *j = json_string(s);
	if (j)
		return j;
	char *utf8 = malloc(2 * strlen(s) + 1), *p = utf8;
	if (!utf8)
		return NULL;
	for (const unsigned char *c = (const unsigned char *)s; *c; c++) {
		if (*c >= 0x80) {
			*p++ = (char)(0xc0 | *c >> 6);
			*p++ = (char)(0x80 | (*c & 0x3f));
		} else {
			*p++ = (char)*c;
		}
	}
	*p = '\0';
	j = json_string(utf8);
	free(utf8);
	return j;
}

/* What is nothing is left out, and read as nothing: most of a session's members are, and each that is there
 * costs a start its time, ten thousand times. */
static void put_text(json_t *o, const char *name, const char *s)
{
	if (s)
		json_object_set_new(o, name, text(s));
}

static void put(json_t *o, const char *name, uint64_t v)
{
	if (v)
		json_object_set_new(o, name, json_integer((json_int_t)v));
}

static uint64_t get(const json_t *o, const char *name)
{
	return (uint64_t)json_integer_value(json_object_get(o, name));
}

static const char *get_text(const json_t *o, const char *name)
{
	return json_string_value(json_object_get(o, name));
}

static void copy_text(const json_t *o, const char *name, char *to, size_t room)
{
	const char *s = get_text(o, name);
	snprintf(to, room, "%s", s ? s : "");
}

static char *own_text(const json_t *o, const char *name)
{
	const char *s = get_text(o, name);
	return s ? strdup(s) : NULL;
}

/* Numbers that are members of the same name in a struct: written once, for both directions. */
/* clang-format off */
#define SESSION_NUMBERS(N) \
	N(state) N(stint) N(stint_open) N(stint_ns) N(interpreting) N(fallback) N(documents) N(media_timeout_ms) \
	N(latch) N(region)
#define PLAY_NUMBERS(N) \
	N(resolving) N(playing) N(waiting) N(stop_on_digit) N(id) N(loops) N(item) N(generation)
#define DIAL_NUMBERS(N) \
	N(active) N(bridged) N(first) N(callee) N(last_status) N(bridged_ns) N(hangup_on_star) N(time_limit_s)
#define LEG_NUMBERS(N) \
	N(state) N(outbound) N(acked) N(late_offer) N(hold) N(row_open) N(row_pending) N(cancelled) N(ssrc) N(dscp) \
	N(have_remote) N(setup_ns) N(answered_ns) N(ringing_recorded) N(ended_recorded) N(final_status)
#define LEG_TEXTS(T) T(sid) T(from) T(to) T(target) T(display) T(call_id) T(trunk) T(source)
#define MEDIA_NUMBERS(N) \
	N(session_id) N(session_version) N(port) N(direction) N(ptime) N(streams) N(audio) \
	N(rtcp_port) N(rtcp_mux) N(xr)
#define AGREED_NUMBERS(N) \
	N(payload_type_rx) N(payload_type_tx) N(event_rx) N(event_tx) N(remote_port) N(direction) \
	N(ptime) N(rtcp_port) N(rtcp_mux) N(xr)
#define INTERPRETER_NUMBERS(N) N(verb) N(nested) N(waits) N(answered) N(gathering) N(digits_n)
/* clang-format on */

static json_t *codec_of(const struct media_codec *c)
{
	return json_pack("[i, i, i]", (int)c->encoding, (int)c->payload_type, (int)c->rate);
}

static int restore_codec(const json_t *a, struct media_codec *c)
{
	int encoding, pt, rate;
	if (json_unpack((json_t *)a, "[i, i, i]", &encoding, &pt, &rate) || encoding < MEDIA_OTHER ||
		encoding > MEDIA_TELEPHONE_EVENT || pt < 0 || pt > 255 || rate < 0)
		return -EINVAL;
	*c = (struct media_codec){(enum media_encoding)encoding, (uint8_t)pt, (uint32_t)rate};
	return 0;
}

static json_t *address_of(const struct tg_addr *a)
{
	char out[TG_ADDR_TEXT];
	return json_string(tg_addr_format(a, out));
}

/* "": none. */
static int restore_address(const json_t *o, const char *name, struct tg_addr *a)
{
	const char *s = get_text(o, name);
	*a = (struct tg_addr){.family = TG_FAMILY_NONE};
	return s && (!*s || tg_addr_parse(s, a)) ? 0 : -EINVAL;
}

static json_t *media_of(const struct media_description *m)
{
	json_t *o = json_object(), *codecs = json_array(), *refused = json_array();
#define N(name) put(o, #name, (uint64_t)m->name);
	MEDIA_NUMBERS(N)
#undef N
	for (int i = 0; i < m->codecs; i++)
		json_array_append_new(codecs, codec_of(&m->codec[i]));
	for (int i = 0; i < m->streams; i++)
		json_array_append_new(refused, text(m->refused[i]));
	json_object_set_new(o, "address", address_of(&m->address));
	json_object_set_new(o, "codecs", codecs);
	json_object_set_new(o, "refused", refused);
	return o;
}

static int restore_media(const json_t *o, struct media_description *m)
{
#define N(name) m->name = (__typeof__(m->name))get(o, #name);
	MEDIA_NUMBERS(N)
#undef N
	const json_t *codecs = json_object_get(o, "codecs"), *refused = json_object_get(o, "refused");
	size_t n = json_array_size(codecs);
	if (restore_address(o, "address", &m->address) || n > MEDIA_CODECS_MAX || m->streams < 0 ||
		m->streams > MEDIA_STREAMS_MAX || m->audio >= MEDIA_STREAMS_MAX ||
		m->direction > MEDIA_SENDRECV)
		return -EINVAL;
	for (size_t i = 0; i < n; i++)
		if (restore_codec(json_array_get(codecs, i), &m->codec[i]))
			return -EINVAL;
	m->codecs = (int)n;
	for (int i = 0; i < m->streams; i++) {
		const char *s = json_string_value(json_array_get(refused, (size_t)i));
		snprintf(m->refused[i], sizeof(m->refused[i]), "%s", s ? s : "");
	}
	return 0;
}

static json_t *leg_of(const struct leg *l)
{
	json_t *o = json_object(), *agreed = json_object();
#define N(name) put(o, #name, (uint64_t)l->name);
	LEG_NUMBERS(N)
#undef N
#define T(name) put_text(o, #name, l->name);
	LEG_TEXTS(T)
#undef T
	put(o, "row", l->row.row);
	put(o, "generation", l->row.generation);
#define N(name) put(agreed, #name, (uint64_t)l->agreed.name);
	AGREED_NUMBERS(N)
#undef N
	json_object_set_new(agreed, "codec", codec_of(&l->agreed.codec));
	json_object_set_new(agreed, "remote", address_of(&l->agreed.remote));
	json_object_set_new(o, "agreed", agreed);
	json_object_set_new(o, "local", media_of(&l->local));
	json_object_set_new(o, "remote", media_of(&l->remote));
	return o;
}

static int restore_leg(const json_t *o, struct leg *l)
{
#define N(name) l->name = (__typeof__(l->name))get(o, #name);
	LEG_NUMBERS(N)
#undef N
#define T(name) copy_text(o, #name, l->name, sizeof(l->name));
	LEG_TEXTS(T)
#undef T
	l->row = (struct link_row){(uint32_t)get(o, "row"), (uint32_t)get(o, "generation")};
	const json_t *agreed = json_object_get(o, "agreed");
#define N(name) l->agreed.name = (__typeof__(l->agreed.name))get(agreed, #name);
	AGREED_NUMBERS(N)
#undef N
	if (l->state > LEG_GONE || id_parse(l->sid, ID_KIND_CALL, &l->call) ||
		restore_codec(json_object_get(agreed, "codec"), &l->agreed.codec) ||
		restore_address(agreed, "remote", &l->agreed.remote) ||
		restore_media(json_object_get(o, "local"), &l->local) ||
		restore_media(json_object_get(o, "remote"), &l->remote))
		return -EINVAL;
	return 0;
}

static json_t *play_of(const struct session_play *p)
{
	json_t *o = json_object();
#define N(name) put(o, #name, (uint64_t)p->name);
	PLAY_NUMBERS(N)
#undef N
	put_text(o, "url", p->url);
	/* Not the lease: it dies with the process whose media layer gave it. */
	put_text(o, "address", p->address);
	return o;
}

static json_t *dial_of(const struct session_dial *d)
{
	json_t *o = json_object();
#define N(name) put(o, #name, (uint64_t)d->name);
	DIAL_NUMBERS(N)
#undef N
	return o;
}

static json_t *interpreter_of(const struct interpreter *in)
{
	json_t *o = json_object();
#define N(name) put(o, #name, (uint64_t)in->name);
	INTERPRETER_NUMBERS(N)
#undef N
	put_text(o, "digits", in->digits);
	return o;
}

static json_t *stack_of(const struct session *s)
{
	json_t *a = json_array();
	for (int i = 0; i < s->depth; i++) {
		json_t *o = json_object();
		put_text(o, "module", s->stack[i].module->code);
		put_text(o, "return_url", s->stack[i].return_url);
		put(o, "since_ns", s->stack[i].since_ns);
		json_array_append_new(a, o);
	}
	return a;
}

json_t *state_of(const struct session *s)
{
	json_t *o = json_object(), *legs = json_array(), *deadlines = json_array(), *headers = json_array();
	put(o, "version", STATE_VERSION);
	put_text(o, "session", s->text);
#define N(name) put(o, #name, (uint64_t)s->name);
	SESSION_NUMBERS(N)
#undef N
	put_text(o, "owner", s->owner ? s->owner->sid : NULL);
	put_text(o, "module", s->module ? s->module->code : NULL);
	put_text(o, "number", s->number);
	put_text(o, "url", s->url);
	put_text(o, "wanted_url", s->wanted_url);
	put_text(o, "wanted_method", s->wanted_method);
	if (s->wanted_extra)
		json_object_set(o, "wanted_extra", s->wanted_extra);
	put_text(o, "cause", s->cause);
	put_text(o, "reason", s->reason);
	put_text(o, "document", s->body);
	put_text(o, "content_type", s->content_type);
	for (int i = 0; i < s->legs; i++)
		json_array_append_new(legs, leg_of(s->leg[i]));
	for (int t = 0; t < TIMERS; t++)
		json_array_append_new(deadlines, json_integer((json_int_t)s->deadline[t]));
	for (int i = 0; i < s->headers; i++) {
		json_array_append_new(headers, text(s->header_name[i]));
		json_array_append_new(headers, text(s->header_value[i]));
	}
	json_object_set_new(o, "legs", legs);
	json_object_set_new(o, "deadlines", deadlines);
	json_object_set_new(o, "headers", headers);
	json_object_set_new(o, "stack", stack_of(s));
	json_object_set_new(o, "play", play_of(&s->play));
	json_object_set_new(o, "dial", dial_of(&s->dial));
	json_object_set_new(o, "interpreter", interpreter_of(&s->interpreter));
	return o;
}

static int restore_legs(const json_t *legs, struct session *s)
{
	size_t i, n = json_array_size(legs);
	if (n < 1 || n > SESSION_LEGS_MAX)
		return -EINVAL;
	for (i = 0; i < n; i++) {
		struct leg *l = calloc(1, sizeof(*l));
		if (!l)
			return -ENOMEM;
		s->leg[s->legs++] = l;
		if (restore_leg(json_array_get(legs, i), l))
			return -EINVAL;
	}
	return 0;
}

static int restore_stack(const json_t *stack, struct session *s)
{
	size_t n = json_array_size(stack);
	if (n > SESSION_STACK_MAX)
		return -EINVAL;
	for (size_t i = 0; i < n; i++) {
		const json_t *o = json_array_get(stack, i);
		const char *code = get_text(o, "module");
		const struct registry_module *m = code ? registry_module(s->registry, code) : NULL;
		char *url = own_text(o, "return_url");
		if (!m || !url) {
			free(url);
			return m ? -EINVAL : -ENOENT;
		}
		s->stack[s->depth++] = (struct session_frame){m, url, get(o, "since_ns")};
	}
	return 0;
}

static void restore_play(const json_t *o, struct session_play *p)
{
#define N(name) p->name = (__typeof__(p->name))get(o, #name);
	PLAY_NUMBERS(N)
#undef N
	p->url = own_text(o, "url");
	p->address = own_text(o, "address");
}

static int restore_document(const json_t *o, struct session *s)
{
	s->body = own_text(o, "document");
	s->content_type = own_text(o, "content_type");
	const json_t *in = json_object_get(o, "interpreter");
#define N(name) s->interpreter.name = (__typeof__(s->interpreter.name))get(in, #name);
	INTERPRETER_NUMBERS(N)
#undef N
	copy_text(in, "digits", s->interpreter.digits, sizeof(s->interpreter.digits));
	if (s->interpreter.digits_n > strlen(s->interpreter.digits))
		return -EINVAL;
	if (!s->body)
		return s->interpreting ? -EINVAL : 0;
	struct document_error error;
	if (document_parse(s->body, strlen(s->body), s->content_type ? s->content_type : "text/xml", s->url,
		    &s->document, &error))
		return -EINVAL;
	return s->interpreter.verb < -1 || s->interpreter.verb > document_verbs(s->document) ? -EINVAL : 0;
}

static int restore_rest(const json_t *o, struct session *s)
{
#define N(name) s->name = (__typeof__(s->name))get(o, #name);
	SESSION_NUMBERS(N)
#undef N
	const char *owner = get_text(o, "owner"), *module = get_text(o, "module");
	s->owner = owner ? registry_account(s->registry, owner) : NULL;
	s->module = module ? registry_module(s->registry, module) : NULL;
	if (!s->owner || !s->module)
		return -ENOENT;
	if (s->state > SESSION_CLOSED)
		return -EINVAL;
	copy_text(o, "number", s->number, sizeof(s->number));
	copy_text(o, "reason", s->reason, sizeof(s->reason));
	copy_text(o, "cause", s->cause, sizeof(s->cause));
	s->url = own_text(o, "url");
	s->wanted_url = own_text(o, "wanted_url");
	s->wanted_method = own_text(o, "wanted_method");
	s->wanted_extra = json_deep_copy(json_object_get(o, "wanted_extra"));
	for (int t = 0; t < TIMERS; t++)
		s->deadline[t] = (uint64_t)json_integer_value(
			json_array_get(json_object_get(o, "deadlines"), (size_t)t));
	const json_t *headers = json_object_get(o, "headers");
	for (size_t i = 0; i + 1 < json_array_size(headers) && s->headers < UA_HEADERS_MAX; i += 2) {
		const char *name = json_string_value(json_array_get(headers, i));
		const char *value = json_string_value(json_array_get(headers, i + 1));
		s->header_name[s->headers] = strdup(name ? name : "");
		s->header_value[s->headers++] = strdup(value ? value : "");
	}
	const json_t *dial = json_object_get(o, "dial");
#define N(name) s->dial.name = (__typeof__(s->dial.name))get(dial, #name);
	DIAL_NUMBERS(N)
#undef N
	if (s->dial.callee >= s->legs || s->dial.callee < -1 || s->dial.first < 0 || s->dial.first > s->legs)
		return -EINVAL;
	restore_play(json_object_get(o, "play"), &s->play);
	return 0;
}

int state_restore(const json_t *o, struct registry *registry, struct session **session)
{
	const char *text_id = get_text(o, "session");
	struct id id;
	if (get(o, "version") != STATE_VERSION || !text_id || id_parse(text_id, ID_KIND_SESSION, &id))
		return -EINVAL;
	struct session *s = session_recover(registry, &id);
	if (!s)
		return -ENOMEM;
	int e = restore_legs(json_object_get(o, "legs"), s);
	if (!e)
		e = restore_rest(o, s);
	if (!e)
		e = restore_stack(json_object_get(o, "stack"), s);
	if (!e)
		e = restore_document(o, s);
	if (e) {
		s->registry = NULL; /* stays the caller's */
		session_destroy(s);
		return e;
	}
	*session = s;
	return 0;
}
