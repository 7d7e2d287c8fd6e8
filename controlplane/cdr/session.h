/* The facts of one open session, and the rows that they make when it is closed. Pure. */
#ifndef TG_CDR_SESSION_H
#define TG_CDR_SESSION_H

#include <jansson.h>

#include "controlplane/cdr/row.h"
#include "controlplane/journal/fact.h"
#include "controlplane/metering/usage.h"

struct cdr_leg {
	uint32_t number;
	json_t *open, *media, *ended;     /* payloads; NULL: not there. media: the last */
	uint64_t ringing_ns, answered_ns; /* 0: never */
};

struct cdr_stint {
	uint32_t number;
	json_t *open, *close;
};

struct cdr_session {
	char *id;
	json_t *open;
	struct cdr_leg *leg;
	size_t legs, leg_room;
	struct cdr_stint *stint;
	size_t stints, stint_room;
};

/* Takes a reference to the payload of FACT_session_open. Returns 0, -EINVAL or -ENOMEM. */
int cdr_session_create(struct cdr_session **session, const json_t *open);
void cdr_session_free(struct cdr_session *session);

/* Takes a fact of this session; those that no row needs are passed over. Returns 0, -EINVAL or -ENOMEM. */
int cdr_session_feed(struct cdr_session *session, enum fact fact, const json_t *payload);

/* Gets legs or stints by number, made if they aren't there; NULL when memory is out. */
struct cdr_leg *cdr_session_leg(struct cdr_session *session, uint32_t number);
struct cdr_stint *cdr_session_stint(struct cdr_session *session, uint32_t number);

typedef void cdr_emit(void *ctx, struct cdr_row *row);

/* Makes the rows of a session that ends by this FACT_session_close: legs, stints, session. The emitter fills
 * schema, node and record. Returns 0 or -ENOMEM, then before the first row. */
int cdr_session_rows(struct cdr_session *session, const json_t *close, const struct usage *usage,
	cdr_emit *emit, void *ctx);

#endif
