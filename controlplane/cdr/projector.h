/* CDR files as a projection of the journal: the same records always make the same bytes.
 *
 * When a session is closed its rows are written: legs, stints, session (contract/cdr.def). Files are pairs,
 * NODE-yyyymmddThhmmssZ-NNNNNNNNNN.jsonl and .csv: time of the record that made the first row, number of the
 * file from 1. They have temp- before their names until they are closed, which only facts decide: a finished
 * session with max_rows (of FACT_node_start) rows or more in the file, or FACT_cdr_rotate.
 *
 * position.json remembers what was closed, so that a file is handed out once, also over a crash between its
 * renaming and anything else, and may be taken away by whoever bills. */
#ifndef TG_CDR_PROJECTOR_H
#define TG_CDR_PROJECTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/pack.h"
#include "controlplane/journal/journal.h"
#include "controlplane/metering/usage.h"

struct cdr_projector;

/* Makes dir if it isn't there and finishes what a predecessor left half renamed. Returns 0, or -errno with a
 * sentence in why. */
int cdr_projector_open(struct cdr_projector **projector, const char *dir, char *why, size_t why_bytes);
/* Writes what it can to the temp files and leaves them. NULL is allowed. */
void cdr_projector_close(struct cdr_projector *projector);

/* All that the records so far say, so that a successor may begin behind them. Only while no file is open and
 * none waits for the disk: else cdr_projector_can_save() says no. On the thread that feeds. */
bool cdr_projector_can_save(const struct cdr_projector *projector);
void cdr_projector_save(const struct cdr_projector *projector, struct pack *pack);
/* Into one that was just opened, and is to be closed when this fails: -EBADMSG where that isn't what
 * cdr_projector_save() writes, -ESTALE where position.json doesn't fit it, or -ENOMEM. */
int cdr_projector_load(struct cdr_projector *projector, struct unpack *unpack);
/* What the records so far add up to; changed by the thread that feeds. Borrowed. */
const struct usage *cdr_projector_usage(const struct cdr_projector *projector);

/* Takes the journal's records, every one from the first on (or from the one behind what was loaded), in
 * order; by one thread at a time. What the disk doesn't take is kept and tried again at the next record; it
 * is logged once. */
void cdr_projector_feed(struct cdr_projector *projector, const struct journal_record *record);
/* To be called when journal_open() has returned, before anything is appended: all that was there has been
 * fed. Finds out if the journal has lost records that files were already made of. */
void cdr_projector_replayed(struct cdr_projector *projector);

struct cdr_open_rows {
	uint64_t rows;     /* in the file that is open */
	uint64_t since_ns; /* time of the record that made the first; 0: no rows */
};
/* For the timer that appends FACT_cdr_rotate. Any thread. */
struct cdr_open_rows cdr_projector_open_rows(struct cdr_projector *projector);
/* What keeps files from being written: 0, or a positive errno. Any thread. */
int cdr_projector_trouble(struct cdr_projector *projector);

#endif
