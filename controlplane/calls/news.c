/* What the link passes on from the dataplane, brought to the session that it concerns. */
#include "base/log.h"
#include "controlplane/calls/engine_private.h"

struct place {
	struct call *call;
	int leg;
	struct session_env env;
};

static bool find(struct engine *e, struct link_row row, struct place *p)
{
	const struct row_owner *o = &e->by_row[row.row];
	if (!o->call || o->call->session->leg[o->leg]->row.generation != row.generation)
		return false;
	*p = (struct place){o->call, o->leg, engine_env(e, o->call->session)};
	return true;
}

static void on_digit(void *engine, struct link_row row, char digit)
{
	struct place p;
	if (!find(engine, row, &p))
		return;
	session_on_digit(p.call->session, p.leg, digit, &p.env);
	engine_process(engine, p.call);
}

static void on_play_done(void *engine, struct link_row row, uint32_t play_id, bool stopped)
{
	struct place p;
	if (!find(engine, row, &p))
		return;
	session_on_play_done(p.call->session, p.leg, play_id, stopped, &p.env);
	engine_process(engine, p.call);
}

static void on_media_timeout(void *engine, struct link_row row)
{
	struct place p;
	if (!find(engine, row, &p))
		return;
	session_on_media_timeout(p.call->session, p.leg, &p.env);
	engine_process(engine, p.call);
}

static void on_latched(void *engine, struct link_row row, const struct tg_addr *source, uint16_t port)
{
	struct place p;
	char text[TG_ADDR_PORT_TEXT];
	if (find(engine, row, &p))
		log_info(calls, p.call->session->text, "latched", "leg=%d source=%s", p.leg,
			tg_addr_format_port(source, port, text));
}

static void on_play_refused(void *engine, struct link_row row, uint32_t play_id)
{
	struct place p;
	if (!find(engine, row, &p))
		return;
	session_on_play_refused(p.call->session, p.leg, play_id, &p.env);
	engine_process(engine, p.call);
}

static void on_refused(void *engine, struct link_row row, int refusal)
{
	struct place p;
	if (!find(engine, row, &p))
		return;
	session_end(p.call->session, RELEASED_BY_GATEWAY, 41, "dataplane-refused", tg_refusal_text(refusal),
		&p.env);
	engine_process(engine, p.call);
}

static void on_released(void *engine, struct link_row row)
{
	struct engine *e = engine;
	struct place p;
	if (!find(e, row, &p))
		return;
	e->by_row[row.row].call = NULL;
	session_on_row_released(p.call->session, p.leg, &p.env);
	engine_process(e, p.call);
}

static void on_snapshot(void *engine, uint32_t tag, uint32_t worker, bool ok, const json_t *fact)
{
	audit_answer(engine, tag, worker, ok, fact);
}

const struct link_handler engine_news = {.digit = on_digit,
	.play_done = on_play_done,
	.media_timeout = on_media_timeout,
	.latched = on_latched,
	.play_refused = on_play_refused,
	.refused = on_refused,
	.released = on_released,
	.snapshot = on_snapshot};

bool engine_has_seen(void *engine, const struct tg_meter_record *record)
{
	const struct engine *e = engine;
	struct usage_part part = {
		tg_region_id(e->region), record->leg, record->generation, record->stint, record->part};
	return usage_has(e->usage, &part);
}
