/* What is made of the journal's records: the CDR files, what a start needs of the past (usage, open
 * sessions), and checkpoints of all that, so that the next start needs less of it.
 *
 * A checkpoint is made at each new segment, after so many records, and at the end, as soon as no CDR
 * file is open. It is packed on the thread that feeds, and written by another. */
#ifndef TG_RECORDS_RECORDS_H
#define TG_RECORDS_RECORDS_H

#include <stddef.h>
#include <stdint.h>

#include "controlplane/calls/recovery.h"
#include "controlplane/cdr/projector.h"
#include "controlplane/journal/journal.h"
#include "controlplane/metering/usage.h"

struct records;

struct records_options {
	const char *journal_dir, *cdr_dir;
	const char *node;
	unsigned every; /* records from one checkpoint to the next */
};

/* Loads the newest checkpoint that is good; of others it logs why they aren't. Returns 0, or -errno with a
 * sentence in why. */
int records_open(
	struct records **records, const struct records_options *options, char *why, size_t why_bytes);
/* The record behind which the journal is to be read; NULL: all of it. Until records_replayed(). */
const struct journal_mark *records_mark(const struct records *records);
/* Takes the journal's records in order, by one thread at a time. */
void records_feed(struct records *records, const struct journal_record *record);
/* All that was there has been fed. Gives the caller what the past says, to keep; from now on checkpoints are
 * made. Returns 0, or -ENOMEM. */
int records_replayed(struct records *records, struct usage **usage, struct recovery **recovery);
/* Any thread. */
struct cdr_open_rows records_open_rows(struct records *records);
/* When nothing is fed any more. Makes a last checkpoint. NULL is allowed. */
void records_close(struct records *records);

#endif
