/* One CDR file in its two forms, STEM.jsonl and STEM.csv, from the first row until it is closed.
 *
 * Rows go to memory, then to temp-STEM.*; a disk that takes nothing leaves them in memory for the next try.
 */
#ifndef TG_CDR_FILE_PAIR_H
#define TG_CDR_FILE_PAIR_H

#include <stdint.h>

#include "controlplane/cdr/row.h"

#define CDR_STEM_BYTES 80
#define CDR_FORMS      2

extern const char *const cdr_suffix[CDR_FORMS];

struct cdr_form {
	struct cdr_buffer waiting; /* not in the file yet */
	int fd;                    /* -1: not made yet */
	uint64_t written;
	uint32_t crc; /* of what was written */
};

struct cdr_file_pair {
	char stem[CDR_STEM_BYTES];
	uint64_t number;    /* of the file */
	uint64_t closed_at; /* sequence of the journal record that closed it; 0: open */
	uint64_t closed_ns; /* its time */
	struct cdr_form form[CDR_FORMS];
	struct cdr_file_pair *next;
};

/* An empty pair with the header line of its CSV waiting. Returns NULL when memory is out. */
struct cdr_file_pair *cdr_file_pair_new(const char *node, uint64_t first_ns, uint64_t number);
void cdr_file_pair_free(struct cdr_file_pair *pair);
void cdr_file_pair_add(struct cdr_file_pair *pair, const struct cdr_row *row);
/* Memory was out for a row. */
bool cdr_file_pair_failed(const struct cdr_file_pair *pair);

/* Writes what waits to the temp files. Returns 0 or -errno; to be called again. */
int cdr_file_pair_write(struct cdr_file_pair *pair, int dir_fd);
/* Makes the temp files durable. */
int cdr_file_pair_sync(struct cdr_file_pair *pair, int dir_fd);
/* Gives temp files of this stem their names, durably; those that have them already are left alone. */
int cdr_file_pair_publish(const char *stem, int dir_fd);

#endif
