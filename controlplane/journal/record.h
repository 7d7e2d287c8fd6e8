/* One record of the journal as bytes (journal.h has the format): pure. */
#ifndef TG_JOURNAL_RECORD_H
#define TG_JOURNAL_RECORD_H

#include <stddef.h>
#include <stdint.h>

#include "controlplane/journal/journal.h"

#define JOURNAL_MAGIC        0x314c4e4au /* "JNL1" */
#define JOURNAL_HEADER_BYTES 28
#define JOURNAL_VERSION      1 /* last byte of the magic, as a digit */

/* Writes JOURNAL_HEADER_BYTES + len bytes to out. Returns their CRC. */
uint32_t journal_encode(uint64_t sequence, uint64_t time_ns, const char *payload, size_t len, uint8_t *out);

/* Reads the record at the start of data; it must have this sequence. On success *record has a payload that
 * the caller gives back with json_decref, its text in data and its crc, and *used the bytes that it took.
 * Returns 0; -EAGAIN when data ends too early, then *used is how many bytes are needed at least; -EUCLEAN
 * when it is damaged; -EILSEQ when it is whole but has another sequence; -ENOMEM. */
int journal_decode(const uint8_t *data, size_t len, uint64_t sequence, struct journal_record *record,
	json_t **payload, size_t *used);

/* Version of the format that data begins a record of, where it isn't JOURNAL_VERSION; else 0. A record of
 * ours whose magic is damaged is none of another version. */
unsigned journal_other_version(const uint8_t *data, size_t len);

/* Whole records in a damaged stretch, found by their magic: how much a repair by hand could win back. */
unsigned journal_count_whole(const uint8_t *data, size_t len);

#endif
