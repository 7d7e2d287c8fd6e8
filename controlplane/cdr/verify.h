/* Whether CDR files are whole: what `tollgate cdr verify` finds out.
 *
 * Every row is read and written again in both forms, which must give the same bytes; rows are numbered
 * without gaps over all files; a session has its legs, its stints, and then one row of its own, whose figures
 * are the sums of theirs; stints meet; durations are the differences of the times. Rows that say that they
 * are uncertain (`partial`) may have times out of order and stints that don't meet, and nothing else. With a
 * journal, the files must be those that it makes. */
#ifndef TG_CDR_VERIFY_H
#define TG_CDR_VERIFY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

struct cdr_verify;

/* Told of every fault. file: a name without its directory, any bytes; line 0: the file as a whole. sentence:
 * text from the file is quoted in it. */
typedef void cdr_fault(void *ctx, const char *file, uint64_t line, const char *sentence);

struct cdr_verified {
	uint64_t files, rows, sessions; /* files: pairs */
	uint64_t uncertain;             /* sessions that say that their figures are */
	uint64_t first, last;           /* numbers of the rows */
	uint64_t waiting;               /* rows of a session that is just being written */
	uint64_t compared, taken_away;  /* files that the journal makes: there, not there */
	uint64_t faults;
};

int cdr_verify_create(struct cdr_verify **verify, cdr_fault *fault, void *ctx);
void cdr_verify_free(struct cdr_verify *verify);
/* The next file, in the order of their numbers. stem: its name without "temp-" and suffix. open: is still
 * being written, so that the last line of either form may be missing in part or as a whole. */
struct cdr_verify_pair {
	const char *stem;
	const char *text[2]; /* .jsonl, .csv */
	size_t len[2];
	bool open;
};
void cdr_verify_add(struct cdr_verify *verify, const struct cdr_verify_pair *pair);
/* Counts so far; valid until cdr_verify_free(). */
struct cdr_verified *cdr_verify_result(struct cdr_verify *verify);
void cdr_verify_report(struct cdr_verify *verify, const char *file, uint64_t line, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* All files of a directory, and, unless journal is NULL, what its journal makes of them. Returns 0 when that
 * could be looked at, however many faults there are, or -errno with a sentence in why. */
int cdr_verify_directory(
	struct cdr_verify *verify, const char *dir, const char *journal, char *why, size_t why_bytes);

#endif
