/* The segment files of a journal's directory: names, order, reading. */
#ifndef TG_JOURNAL_SEGMENT_H
#define TG_JOURNAL_SEGMENT_H

#include <stddef.h>
#include <stdint.h>

#include "controlplane/journal/journal.h"

/* "DIR/NNNNNNNNNN" + suffix. Returns 0 or -ENAMETOOLONG. */
int journal_segment_path(const char *dir, uint32_t number, const char *suffix, char *path, size_t bytes);
/* Numbers of the segments in dir, rising; *numbers is the caller's to free. Returns 0 or -errno. */
int journal_segment_list(const char *dir, uint32_t **numbers, size_t *count);

struct journal_sink {
	void (*record)(void *ctx, const struct journal_record *record); /* NULL: none */
	void *ctx;
	uint32_t segment; /* for the records' places */
};

/* Reads a segment from byte *good on. *sequence: of the last record before that; then of the last good one.
 * *good: then bytes of the good prefix. Returns 0 at a clean end, -EUCLEAN when something else follows the
 * good prefix, -EILSEQ when that is a whole record of another sequence, -EPROTO when a record of another
 * version of the format (record.h) follows, or another -errno. */
int journal_segment_read(int fd, const struct journal_sink *sink, uint64_t *sequence, uint64_t *good);

#endif
