/* A checkpoint of a journal: what all records up to one of them add up to, so that a start reads only those
 * behind it.
 *
 * Beside the segments lie DIR/checkpoint and DIR/checkpoint.before, the one that it replaced:
 *
 *   u32 magic, u32 CRC-32C of what follows, u64 its length; packed (base/pack.h): node, sequence, time,
 * segment, offset and CRC of the record that it stands behind, then what the caller puts there
 *
 * the first three in little endian. It says nothing that the segments don't say: one that is damaged, older
 * than them, or of another version is left alone, and everything is read. What it stands for is made sure of
 * by that record: the journal must still have it, byte for byte. */
#ifndef TG_JOURNAL_CHECKPOINT_H
#define TG_JOURNAL_CHECKPOINT_H

#include <stddef.h>

#include "base/pack.h"
#include "controlplane/journal/journal.h"

#define CHECKPOINT_NAME   "checkpoint"
#define CHECKPOINT_BEFORE "checkpoint.before"
#define CHECKPOINT_MAGIC \
	0x31504b43u /* "CKP1": the last byte is the version, also of what callers put there */
#define CHECKPOINT_HEADER 16

struct checkpoint {
	char *data; /* the file's */
	const char *node;
	struct journal_mark mark;
	struct unpack rest; /* what the caller put there */
};

/* Begins a file in an empty pack; what the caller puts there follows. */
void checkpoint_begin(struct pack *file, const char *node, const struct journal_mark *mark);
/* Ends the file and writes it durably. keep: the one that is there becomes the one before, else (it is none
 * that can be used) it is gone. Whenever this ends, and however, one of the files that were good is there and
 * whole. Returns 0 or -errno. */
int checkpoint_write(const char *dir, struct pack *file, bool keep);

/* Takes a file's bytes over. Returns 0, or -EBADMSG with a sentence in why. */
int checkpoint_parse(struct checkpoint *checkpoint, char *data, size_t len, char *why, size_t why_bytes);
/* Reads DIR/name. Returns 0, -ENOENT, or another -errno with a sentence in why. */
int checkpoint_read(
	struct checkpoint *checkpoint, const char *dir, const char *name, char *why, size_t why_bytes);
void checkpoint_release(struct checkpoint *checkpoint);

#endif
