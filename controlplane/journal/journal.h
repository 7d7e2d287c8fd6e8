/* The journal: the one truth about everything that can cost money or end in a record.
 *
 * Facts are appended by any thread and become durable in groups: a writer thread writes what has come in,
 * syncs once, then tells. Segments are files DIR/NNNNNNNNNN.journal of records
 *
 *   u32 magic, u32 payload length, u64 sequence, u64 time (UTC ns), u32 CRC-32C of all that and the payload
 *
 * in little endian, payload a JSON object with sorted keys, {"fact": NAME, ...} (facts in fact.def).
 * Sequences are without gaps from 1. A torn or damaged tail is cut off at opening and kept beside the segment
 * as NNNNNNNNNN.damaged; the good prefix is the journal. Damage in any other segment than the last is no torn
 * write: opening refuses it, and what another version of this format wrote. A lock on DIR/lock keeps a second
 * writer out. What else lies there is in checkpoint.h. */
#ifndef TG_JOURNAL_JOURNAL_H
#define TG_JOURNAL_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "controlplane/journal/fact.h"

struct journal;

/* Largest payload, as JSON text. */
#define JOURNAL_PAYLOAD_MAX (1u << 20)

/* Where a record lies. */
struct journal_place {
	uint32_t segment, crc; /* crc: of the record, as written there */
	uint64_t offset;       /* of its first byte */
};

struct journal_record {
	uint64_t sequence, time_ns;
	enum fact fact;        /* FACTS: written by a newer version, to be passed over */
	const json_t *payload; /* borrowed; whoever keeps it takes a reference and changes nothing */
	const char *text;      /* the payload as it is written, borrowed; NULL where it isn't known */
	size_t len;
	struct journal_place place;
};

/* One record of a journal, to be found again: nothing else than that very record is taken for it. */
struct journal_mark {
	uint64_t sequence, time_ns;
	struct journal_place place;
};

struct journal_options {
	const char *dir; /* made if it isn't there */
	const char
		*node; /* another node's journal is refused, with both names (-EPROTO); NULL: not looked at */
	/* Only what follows this record is read, and nothing need be there of segments before it; the caller
	 * has seen by journal_find() that it is there. NULL: everything. */
	const struct journal_mark *after;
	uint64_t segment_bytes; /* 0: 64 MiB */
	unsigned sync_ms;       /* longest wait for others to share a sync */
	/* Time of a fact, from the region's timebase; ctx as given. Any thread. NULL: the wall clock. */
	uint64_t (*now)(void *ctx);
	void *now_ctx;
	/* After each sync, from the writer's thread: everything up to `sequence` is durable. */
	void (*synced)(void *ctx, uint64_t sequence);
	void *synced_ctx;
	/* Called by the writer's thread with each record after it is durable, in order: what projections are
	 * fed by. */
	void (*record)(void *ctx, const struct journal_record *record);
	void *record_ctx;
	/* Disk trouble begins (a positive errno) or ends (0), from the writer's thread; facts wait in memory
	 * meanwhile, in order, and are tried again every 100 ms. journal_backlog() says how many: what the
	 * control plane refuses new calls by. */
	void (*trouble)(void *ctx, int error);
	void *trouble_ctx;
};

/* Opens for writing: finds the good prefix, cuts a damaged tail off, starts the writer. Every record that is
 * there already (behind `after`) is passed to `record` first, in order, on the calling thread. Returns 0, or
 * -errno with a sentence in why. */
int journal_open(
	struct journal **journal, const struct journal_options *options, char *why, size_t why_bytes);
/* Writes and syncs what is left, passes it on, stops the writer. With a disk that takes nothing it gives up
 * after 10 s and logs how many facts are lost. NULL is allowed. */
void journal_close(struct journal *journal);

/* Takes ownership of payload and all it holds: "fact" is added here, and another thread reads it. Returns the
 * sequence; 0 only when memory is out, or payload is NULL, no object, or above JOURNAL_PAYLOAD_MAX. Text from
 * outside goes through fact_string() (fact_value.h), since JSON takes UTF-8 only. */
uint64_t journal_append(struct journal *journal, enum fact fact, json_t *payload);
/* Highest sequence appended and highest that is durable. */
uint64_t journal_appended(struct journal *journal);
uint64_t journal_durable(struct journal *journal);
/* Facts that are not durable yet, and their bytes in memory (bytes may be NULL). */
uint64_t journal_backlog(struct journal *journal, uint64_t *bytes);
/* Waits until `sequence` is durable. Returns 0 or -ETIMEDOUT. Not for the SIP thread. */
int journal_wait(struct journal *journal, uint64_t sequence, unsigned timeout_ms);

/* Whether the record is in the journal as the mark says. Returns 0, -ENOENT, or another -errno. */
int journal_find(const char *dir, const struct journal_mark *mark);

/* Reads a directory's records in order without changing it, also while another process writes. Stops at the
 * first damaged record of the last segment; damage before that, or a segment that is missing, is -EUCLEAN.
 * Returns 0 or -errno with why. */
int journal_read(const char *dir, void (*record)(void *ctx, const struct journal_record *record), void *ctx,
	char *why, size_t why_bytes);

#endif
