/* A row of a CDR file read back. Pure. */
#ifndef TG_CDR_ROW_READ_H
#define TG_CDR_ROW_READ_H

#include <jansson.h>

#include "controlplane/cdr/row.h"

extern const char *const cdr_column_name[CDR_COLUMNS];

/* Every column of the list, of its kind, and no other. Texts are borrowed from the object. Returns NULL, or a
 * sentence for a person (it may quote what was found, valid until the thread's next call). */
const char *cdr_row_read(struct cdr_row *row, const json_t *object);

#endif
