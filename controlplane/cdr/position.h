/* position.json: up to where of the journal CDR files have been handed out. */
#ifndef TG_CDR_POSITION_H
#define TG_CDR_POSITION_H

#include <stddef.h>
#include <stdint.h>

#include "controlplane/cdr/file_pair.h"

struct cdr_position {
	uint64_t file;             /* highest closed file, 0: none */
	char stem[CDR_STEM_BYTES]; /* of it */
	uint64_t sequence;         /* journal record that closed it */
	uint64_t time_ns;          /* time of that record */
	uint64_t journal_ns;       /* time of the journal's first record: tells one journal from another */
};

#define CDR_POSITION_NAME "position.json"

/* Returns 0, all zero when there is no such file, -EUCLEAN when it isn't one, or another -errno; then with a
 * sentence in why. */
int cdr_position_read(const char *dir, struct cdr_position *position, char *why, size_t why_bytes);
/* Durably. Returns 0 or -errno. */
int cdr_position_write(const char *dir, const struct cdr_position *position);

#endif
