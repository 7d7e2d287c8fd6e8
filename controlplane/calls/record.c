#include "controlplane/calls/session.h"

#include <stdio.h>
#include <string.h>

/* Text from outside need not be UTF-8, and JSON must be: what isn't becomes '?', byte by byte. */
static json_t *text(const char *s)
{
	json_t *j = json_string(s ? s : "");
	if (j)
		return j;
	char clean[LEG_TEXT_BYTES];
	size_t n = 0;
	for (; n < sizeof(clean) - 1 && s[n]; n++)
		clean[n] = (unsigned char)s[n] < 0x80 ? s[n] : '?';
	clean[n] = '\0';
	return json_string(clean);
}

static json_t *number(uint64_t v)
{
	return json_integer((json_int_t)v);
}

/* A far end that gave no address has none of the other's family either. */
static const char *host_and_port(
	const struct tg_addr *address, uint16_t port, char out[static TG_ADDR_PORT_TEXT])
{
	static const struct tg_addr nowhere = {.family = TG_FAMILY_IPV4};
	return tg_addr_format_port(address->family ? address : &nowhere, port, out);
}

json_t *record_session_open(const struct session *s)
{
	const struct leg *a = s->leg[0];
	json_t *f = json_object();
	json_object_set_new(f, "session", text(s->text));
	json_object_set_new(f, "call", text(a->sid));
	json_object_set_new(f, "account", text(s->owner->sid));
	json_object_set_new(f, "number", text(s->number));
	json_object_set_new(f, "from", text(a->from));
	json_object_set_new(f, "to", text(a->to));
	json_object_set_new(f, "source", text(a->source));
	json_object_set_new(f, "trunk", text(a->trunk));
	json_object_set_new(f, "call_id", text(a->call_id));
	json_object_set_new(f, "setup_ns", number(a->setup_ns));
	if (s->clock_step_ms)
		json_object_set_new(f, "clock_step_ms", json_integer(s->clock_step_ms));
	return f;
}

json_t *record_leg_open(const struct session *s, int leg)
{
	const struct leg *l = s->leg[leg];
	json_t *f = json_object();
	json_object_set_new(f, "session", text(s->text));
	json_object_set_new(f, "call", text(l->sid));
	json_object_set_new(f, "leg", json_integer(leg));
	json_object_set_new(f, "direction", text(l->outbound ? "out" : "in"));
	if (l->outbound)
		json_object_set_new(f, "parent", text(s->leg[0]->sid));
	json_object_set_new(f, "account", text(s->module ? s->module->account->sid : s->owner->sid));
	json_object_set_new(f, "module", text(s->module ? s->module->code : ""));
	json_object_set_new(f, "from", text(l->from));
	json_object_set_new(f, "to", text(l->to));
	json_object_set_new(f, "target", text(l->target));
	if (l->trunk[0])
		json_object_set_new(f, "trunk", text(l->trunk));
	json_object_set_new(f, "call_id", text(l->call_id));
	json_object_set_new(f, "setup_ns", number(l->setup_ns));
	return f;
}

static json_t *leg_base(const struct session *s, int leg)
{
	json_t *f = json_object();
	json_object_set_new(f, "session", text(s->text));
	json_object_set_new(f, "leg", json_integer(leg));
	return f;
}

json_t *record_leg_media(const struct session *s, int leg, const struct session_env *env)
{
	const struct leg *l = s->leg[leg];
	char at[TG_ADDR_PORT_TEXT];
	json_t *f = leg_base(s, leg);
	json_object_set_new(f, "region", number(s->region));
	json_object_set_new(f, "row", number(l->row.row));
	json_object_set_new(f, "generation", number(l->row.generation));
	json_object_set_new(f, "local", text(host_and_port(&l->local.address, l->local.port, at)));
	json_object_set_new(f, "remote", text(host_and_port(&l->remote.address, l->remote.port, at)));
	json_object_set_new(f, "codec", text(l->agreed.codec.encoding == MEDIA_PCMA ? "PCMA" : "PCMU"));
	json_object_set_new(f, "stint", number(s->stint));
	json_object_set_new(f, "at_ns", number(env->now_ns));
	return f;
}

json_t *record_leg_ringing(const struct session *s, int leg, int status, const struct session_env *env)
{
	json_t *f = leg_base(s, leg);
	json_object_set_new(f, "at_ns", number(env->now_ns));
	json_object_set_new(f, "status", json_integer(status));
	return f;
}

json_t *record_leg_answered(const struct session *s, int leg)
{
	json_t *f = leg_base(s, leg);
	json_object_set_new(f, "at_ns", number(s->leg[leg]->answered_ns));
	return f;
}

json_t *record_stint(const struct session *s, const char *why, bool open, const struct session_env *env)
{
	json_t *f = json_object();
	json_object_set_new(f, "session", text(s->text));
	json_object_set_new(f, "call", text(s->legs ? s->leg[0]->sid : ""));
	json_object_set_new(f, "stint", number(s->stint));
	if (open) {
		json_object_set_new(f, "module", text(s->module->code));
		json_object_set_new(f, "account", text(s->module->account->sid));
	}
	json_object_set_new(f, open ? "trigger" : "reason", text(why));
	json_object_set_new(f, "at_ns", number(env->now_ns));
	return f;
}

json_t *record_error(const struct session *s, int error, const char *sentence, const struct session_env *env)
{
	json_t *f = record_text(s, -1, env);
	json_object_set_new(f, "number", json_integer(error));
	json_object_set_new(f, "sentence", text(sentence));
	return f;
}

json_t *record_text(const struct session *s, int leg, const struct session_env *env)
{
	json_t *f = json_object();
	json_object_set_new(f, "session", text(s->text));
	if (leg >= 0)
		json_object_set_new(f, "leg", json_integer(leg));
	json_object_set_new(f, "stint", number(s->stint));
	json_object_set_new(f, "at_ns", number(env->now_ns));
	return f;
}
