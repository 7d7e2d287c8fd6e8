#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "controlplane/calls/engine_private.h"

#define AUDIT_WAIT_NS (3 * CLOCK_NS_PER_S)

static void finish(struct audit *a, const char *text)
{
	json_t *result = json_pack("{s:b, s:s, s:o}", "ok", (int)a->ok, "text", text, "workers", a->workers);
	a->workers = NULL;
	a->tag = 0;
	a->done(a->ctx, result);
	json_decref(result);
}

static void refuse(void (*done)(void *ctx, const json_t *result), void *ctx, const char *text)
{
	json_t *result = json_pack("{s:b, s:s}", "ok", 0, "text", text);
	done(ctx, result);
	json_decref(result);
}

/* Without one, questions would only gather in its ring. */
static bool dataplane_runs(const struct engine *e)
{
	int pid;
	uint64_t beat = tg_region_last_beat(e->region, TG_ROLE_DATAPLANE, &pid);
	return beat && engine_now(e) < beat + AUDIT_WAIT_NS;
}

void engine_audit(struct engine *e, void (*done)(void *ctx, const json_t *result), void *ctx)
{
	if (!dataplane_runs(e)) {
		refuse(done, ctx,
			"no sign of life from the dataplane for 3 s: is tollgate-dataplane running?");
		return;
	}
	for (int i = 0; i < AUDITS_MAX; i++) {
		struct audit *a = &e->audit[i];
		if (a->tag)
			continue;
		if (++e->audit_tag == 0)
			e->audit_tag = 1;
		*a = (struct audit){.tag = e->audit_tag,
			.ok = true,
			.workers = json_array(),
			.done = done,
			.ctx = ctx,
			.deadline_ns = engine_now(e) + AUDIT_WAIT_NS};
		a->waiting = link_snapshot(e->link, a->tag);
		return;
	}
	refuse(done, ctx, "four audits run already: try again in a few seconds");
}

void audit_answer(struct engine *e, uint32_t tag, uint32_t worker, bool ok, const json_t *fact)
{
	for (int i = 0; i < AUDITS_MAX; i++) {
		struct audit *a = &e->audit[i];
		if (!a->tag || a->tag != tag || (a->answered & 1u << worker))
			continue;
		a->answered |= 1u << worker;
		a->ok = a->ok && ok;
		json_array_append_new(a->workers, json_deep_copy(fact));
		if (--a->waiting == 0)
			finish(a, a->ok ? "ok"
					: "a worker's total differs from closed + open, or its closed "
					  "records from the journal's");
		return;
	}
}

void audit_tick(struct engine *e)
{
	uint64_t now = engine_now(e);
	for (int i = 0; i < AUDITS_MAX; i++) {
		struct audit *a = &e->audit[i];
		if (!a->tag || now < a->deadline_ns)
			continue;
		a->ok = false;
		finish(a, "a worker did not answer within 3 s: is tollgate-dataplane running?");
	}
}
