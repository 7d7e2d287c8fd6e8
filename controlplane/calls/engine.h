/* Runs the sessions: passes them what happens, carries out what they ask for. Everything on the SIP thread.
 *
 * State before action: a session's facts go to the journal as they come; whatever else it asked for waits in
 * one queue until the facts before it are durable. */
#ifndef TG_CALLS_ENGINE_H
#define TG_CALLS_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "contract/region.h"
#include "controlplane/calls/recovery.h"
#include "controlplane/journal/journal.h"
#include "controlplane/metering/usage.h"
#include "controlplane/modules/registry.h"
#include "controlplane/sip/loop.h"
#include "settings/settings.h"

struct engine;
struct shelf;

struct engine_options {
	const struct settings *settings;
	struct tg_region *region;
	struct journal *journal;
	struct loop *loop;
	struct registry *registry; /* one reference is taken over */
	struct shelf *shelf;       /* taken over: live sessions, kept for a successor */
	const char *media_socket;  /* of the media layer */
	const struct usage *usage; /* meter records that the journal held at opening; borrowed */
	struct recovery *recovery; /* what the journal says of sessions that were never closed; borrowed */
	/* Rows in the open CDR file and its age in ms, for closing it in time. */
	uint64_t (*cdr_open_rows)(void *ctx, uint64_t *age_ms);
	void *cdr_ctx;
	void (*stopped)(void *ctx); /* the last session is closed after engine_stop() */
	void *stopped_ctx;
};

int engine_create(struct engine **engine, const struct engine_options *options, char *why, size_t why_bytes);
void engine_destroy(struct engine *engine);

/* From the journal's thread: everything up to this is durable. */
void engine_synced(struct engine *engine, uint64_t sequence);
/* From the journal's thread: writing fails (errno) or works again (0). New calls are refused meanwhile. */
void engine_journal_trouble(struct engine *engine, int error);

/* New sessions use this registry. */
void engine_set_registry(struct engine *engine, struct registry *registry);
/* Draining: new calls are answered 503, those that are there go on. */
void engine_drain(struct engine *engine, bool draining);
/* No new calls; sessions are ended; `stopped` when all are closed (at once if there are none) or after
 * grace_ms. */
void engine_stop(struct engine *engine, unsigned grace_ms);

/* Takes a snapshot of every worker. done gets {"ok", "text", "workers": [...]}, borrowed, from the SIP
 * thread. */
void engine_audit(struct engine *engine, void (*done)(void *ctx, const json_t *result), void *ctx);
/* {"sessions", "legs", "rows_in_use", ...}: new reference. */
json_t *engine_status(struct engine *engine);

#endif
