/* The facts of one open session, and the rows that they make when it is closed. Pure. */
#ifndef TG_CDR_SESSION_H
#define TG_CDR_SESSION_H

#include <jansson.h>

#include "base/pack.h"
#include "controlplane/cdr/row.h"
#include "controlplane/journal/journal.h"
#include "controlplane/metering/usage.h"

/* The payload of a fact. One that was loaded is text only until rows are made of it. */
struct cdr_payload {
	json_t *value; /* NULL: not there, or not read yet */
	char *text;    /* as the journal has it; NULL: not known, or not there */
	size_t len;
};

struct cdr_leg {
	uint32_t number;
	struct cdr_payload open, media, ended; /* media: the last */
	uint64_t ringing_ns, answered_ns;      /* 0: never */
};

struct cdr_stint {
	uint32_t number;
	struct cdr_payload open, close;
};

struct cdr_session {
	char *id;
	struct cdr_payload open;
	struct cdr_leg *leg;
	size_t legs, leg_room;
	struct cdr_stint *stint;
	size_t stints, stint_room;
};

/* Takes a reference to the payload of FACT_session_open. Returns 0, -EINVAL or -ENOMEM. */
int cdr_session_create(struct cdr_session **session, const struct journal_record *open);
void cdr_session_free(struct cdr_session *session);

/* Takes a fact of this session; those that no row needs are passed over. Returns 0, -EINVAL or -ENOMEM. */
int cdr_session_feed(struct cdr_session *session, const struct journal_record *record);

/* All that was fed. Loading returns 0, -EBADMSG where that isn't what cdr_session_save() writes, or -ENOMEM.
 */
void cdr_session_save(const struct cdr_session *session, struct pack *pack);
int cdr_session_load(struct cdr_session **session, struct unpack *unpack);
/* Reads what was loaded. Returns 0, -EBADMSG (what can't be read counts as not there) or -ENOMEM. */
int cdr_session_parse(struct cdr_session *session);

/* Gets legs or stints by number, made if they aren't there; NULL when memory is out. */
struct cdr_leg *cdr_session_leg(struct cdr_session *session, uint32_t number);
struct cdr_stint *cdr_session_stint(struct cdr_session *session, uint32_t number);

typedef void cdr_emit(void *ctx, struct cdr_row *row);

/* Makes the rows of a session that ends by this FACT_session_close: legs, stints, session. It is parsed. The
 * emitter fills schema, node and record. Returns 0 or -ENOMEM, then before the first row. */
int cdr_session_rows(struct cdr_session *session, const json_t *close, const struct usage *usage,
	cdr_emit *emit, void *ctx);

#endif
