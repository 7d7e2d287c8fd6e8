/* Whether the rows of one session belong together: for cdr/verify.c. Pure. */
#ifndef TG_CDR_VERIFY_SESSION_H
#define TG_CDR_VERIFY_SESSION_H

#include <jansson.h>

#include "controlplane/cdr/row.h"

struct cdr_verify_row {
	json_t *object; /* a reference of ours: the row's texts are in it */
	struct cdr_row row;
	uint64_t line;
};

/* All zero is an empty one. The caller frees `row` at the end. */
struct cdr_verify_session {
	struct cdr_verify_row *row;
	size_t rows, room;
};

typedef void cdr_session_fault(void *ctx, uint64_t line, const char *sentence);

/* Takes a reference to the object. Returns 0 or -ENOMEM. */
int cdr_verify_session_add(
	struct cdr_verify_session *session, json_t *object, const struct cdr_row *row, uint64_t line);
void cdr_verify_session_clear(struct cdr_verify_session *session);
/* Of one with rows. */
const char *cdr_verify_session_id(const struct cdr_verify_session *session);
bool cdr_verify_session_has(const struct cdr_verify_session *session, const struct cdr_value *id);
/* The last row is the session's. */
void cdr_verify_session_judge(const struct cdr_verify_session *session, cdr_session_fault *fault, void *ctx);

#endif
