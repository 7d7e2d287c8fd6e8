/* One row of a CDR file as values, and its two text forms. Pure. The columns are in contract/cdr.def. */
#ifndef TG_CDR_ROW_H
#define TG_CDR_ROW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CDR_SCHEMA 2

enum cdr_column {
#define COLUMN(name, kind, help) CDR_##name,
#include "contract/cdr.def"
#undef COLUMN
	CDR_COLUMNS
};

struct cdr_value {
	bool set;
	uint64_t number;  /* NUMBER; TIME: UTC in ns */
	const char *text; /* TEXT: borrowed, any bytes */
	size_t len;
};

#define CDR_NOTE_BYTES 512

struct cdr_row {
	struct cdr_value v[CDR_COLUMNS];
	char note[CDR_NOTE_BYTES]; /* text of `partial` */
};

static inline void cdr_set_number(struct cdr_row *row, enum cdr_column column, uint64_t number)
{
	row->v[column] = (struct cdr_value){.set = true, .number = number};
}

/* NULL and "" leave the column empty. */
void cdr_set_text(struct cdr_row *row, enum cdr_column column, const char *text, size_t len);
/* Adds a reason to `partial`, cut to the room that is left. */
void cdr_add_note(struct cdr_row *row, const char *note);

/* Bytes that grow; once memory was out, `failed` stays set and nothing more is taken. */
struct cdr_buffer {
	char *data;
	size_t len, room;
	bool failed;
};

void cdr_buffer_add(struct cdr_buffer *b, const void *data, size_t len);
void cdr_buffer_free(struct cdr_buffer *b);

/* Every column, null where it is empty, and a newline. Always valid JSON in ASCII and UTF-8; control
 * characters are escaped, bytes that aren't UTF-8 become U+FFFD. */
void cdr_row_json(const struct cdr_row *row, struct cdr_buffer *out);

/* RFC 4180 with CRLF. What a spreadsheet would take for a formula gets a leading apostrophe, unless it is a
 * plain number; control characters other than tab, CR and LF, and bytes that aren't UTF-8, become U+FFFD. */
void cdr_row_csv(const struct cdr_row *row, struct cdr_buffer *out);
/* The line of names that a CSV file begins with. */
void cdr_header_csv(struct cdr_buffer *out);

#endif
