/* A session as JSON, and back: what a process that takes over must know. Pure. Dialogs are the user agent's
 * part and are kept beside it (shelf.h). */
#ifndef TG_CALLS_STATE_H
#define TG_CALLS_STATE_H

#include <jansson.h>

#include "controlplane/calls/session.h"

#define STATE_VERSION 2

/* New reference, or NULL when memory is out. */
json_t *state_of(const struct session *session);
/* A session as it was, with no actions waiting. registry: one reference is taken over on success. Returns 0;
 * -EINVAL: not a state, another version, or a module or account that the registry no longer has; -ENOMEM. */
int state_restore(const json_t *state, struct registry *registry, struct session **session);

#endif
