/* What recovery.c keeps, for it and for whoever saves and loads it (recovery_save.c). */
#ifndef TG_CALLS_RECOVERY_PRIVATE_H
#define TG_CALLS_RECOVERY_PRIVATE_H

#include "controlplane/calls/recovery.h"

#define RECOVERY_BUCKETS 4096u

struct recovery {
	struct recovery_session *first; /* a list: few sessions are open at a time when a process dies */
	struct recovery_session *bucket[RECOVERY_BUCKETS];
	struct id closed[RECOVERY_CLOSED];
	unsigned closed_n; /* so far */
	bool failed;       /* memory was out */
};

/* Where the sessions begin that share a bucket with this one. */
struct recovery_session **recovery_bucket(struct recovery *recovery, const struct id *id);

#endif
