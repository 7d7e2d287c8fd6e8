/* What projector.c keeps, for it and for whoever saves and loads it (projector_save.c). */
#ifndef TG_CDR_PROJECTOR_PRIVATE_H
#define TG_CDR_PROJECTOR_PRIVATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "controlplane/cdr/file_pair.h"
#include "controlplane/cdr/position.h"
#include "controlplane/cdr/projector.h"
#include "controlplane/cdr/session.h"
#include "controlplane/metering/usage.h"

#define CDR_NODE_BYTES 64

struct cdr_projector {
	char *dir;
	int dir_fd;
	bool rebuild;
	struct cdr_position position;
	/* What the records so far say. */
	char node[CDR_NODE_BYTES];
	uint64_t max_rows;
	void *sessions; /* tsearch tree of struct cdr_session */
	struct usage *usage;
	uint64_t first_ns, last_sequence;
	uint64_t files, rows;                /* made so far */
	uint64_t closed_sequence, closed_ns; /* of the record that closed the last file; 0: none was */
	uint64_t open_rows, open_since_ns;
	/* Files that are not done with: closed ones that wait for the disk, then the open one. */
	struct cdr_file_pair *head, **tail;
	struct cdr_file_pair *open;
	bool broken; /* memory was out: what is known is not whole any more */
	_Atomic int trouble;
	pthread_mutex_t lock;
	struct cdr_open_rows shown; /* under the lock */
};

/* Takes the session over. Returns 0, -EEXIST, or -ENOMEM; then the session is still the caller's. */
int cdr_projector_add(struct cdr_projector *projector, struct cdr_session *session);

#endif
