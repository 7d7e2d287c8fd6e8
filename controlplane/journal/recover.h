/* Finding the good prefix of a journal: at opening, and for readers. */
#ifndef TG_JOURNAL_RECOVER_H
#define TG_JOURNAL_RECOVER_H

#include <stddef.h>
#include <stdint.h>

#include "controlplane/journal/segment.h"

struct journal_end {
	uint32_t segment;  /* the last one, 0: there is none */
	uint64_t bytes;    /* of its good prefix */
	uint64_t damaged;  /* bytes after that */
	uint64_t sequence; /* of the last good record */
};

/* Reads everything in order, or what follows a record: *end is all zero, or where journal_find_from() found
 * that record's end. Returns 0, -EUCLEAN for damage before the last segment, or another -errno; with
 * a sentence in why. */
int journal_find_end(const char *dir, const struct journal_sink *sink, struct journal_end *end, char *why,
	size_t why_bytes);
/* Finds where the records behind this one begin. Returns as journal_find(). */
int journal_find_from(const char *dir, const struct journal_mark *mark, struct journal_end *end);
/* The first record names the node that began the journal. Returns 0 if that is this one, or nobody knows;
 * -EPROTO with a sentence that has both names. Changes nothing. */
int journal_check_node(const char *dir, const char *node, char *why, size_t why_bytes);
/* Copies what follows the good prefix to a .damaged file and cuts it off, durably. */
int journal_cut(const char *dir, const struct journal_end *end, char *why, size_t why_bytes);

#endif
