/* Which sessions a journal leaves open: what a process that died had begun and not finished. Fed with every
 * record of the journal in order. */
#ifndef TG_CALLS_RECOVERY_H
#define TG_CALLS_RECOVERY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/id.h"
#include "base/pack.h"
#include "controlplane/journal/journal.h"

struct recovery;

struct recovery_row {
	uint64_t region;
	uint32_t row, generation;
};

#define RECOVERY_LEGS_MAX 64
#define RECOVERY_CLOSED   4096 /* more than can be closed between the last word of a process and its death */

struct recovery_session {
	struct recovery_session *next;
	bool taken; /* by whoever takes it up */
	char text[ID_TEXT_BYTES];
	struct id id;
	char call[ID_TEXT_BYTES];
	bool leg_answered[RECOVERY_LEGS_MAX], leg_ended[RECOVERY_LEGS_MAX];
	int legs;
	struct recovery_row row[RECOVERY_LEGS_MAX]; /* of leg i; generation 0: none */
	bool stint_open;
	uint32_t stint;
	int64_t clock_step_ns; /* of its clock; see fact.def */
	unsigned facts;        /* of it in the journal, the first one included */
};

int recovery_create(struct recovery **recovery);
void recovery_destroy(struct recovery *recovery);
void recovery_feed(struct recovery *recovery, const struct journal_record *record);
/* Everything that it knows; before recovery_first(). Loading is for one that was just created, and leaves it
 * to be destroyed when it fails: with -EBADMSG where that isn't what recovery_save() writes, or -ENOMEM. */
void recovery_save(const struct recovery *recovery, struct pack *pack);
int recovery_load(struct recovery *recovery, struct unpack *unpack);
/* False: memory was out, and something isn't known. */
bool recovery_is_whole(const struct recovery *recovery);
/* An open session, or NULL. Before recovery_first(). */
struct recovery_session *recovery_find(struct recovery *recovery, const char *session);
/* Whether it is among the last RECOVERY_CLOSED that were closed. */
bool recovery_was_closed(const struct recovery *recovery, const char *session);
/* Whether its rows were in another region than this. */
bool recovery_elsewhere(const struct recovery_session *session, uint64_t region);
/* All open sessions, in no order. Borrowed. */
struct recovery_session *recovery_first(struct recovery *recovery);

#endif
