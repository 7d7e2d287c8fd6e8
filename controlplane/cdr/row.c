#include "controlplane/cdr/row.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void cdr_set_text(struct cdr_row *row, enum cdr_column column, const char *text, size_t len)
{
	row->v[column] = (struct cdr_value){.set = text && len, .text = text, .len = len};
}

void cdr_add_note(struct cdr_row *row, const char *note)
{
	size_t len = strlen(row->note);
	snprintf(row->note + len, sizeof(row->note) - len, "%s%s", len ? "; " : "", note);
	cdr_set_text(row, CDR_partial, row->note, strlen(row->note));
}

void cdr_buffer_add(struct cdr_buffer *b, const void *data, size_t len)
{
	if (b->failed)
		return;
	if (len > b->room - b->len) {
		size_t room = 2 * (b->len + len) + 1024;
		char *bigger = realloc(b->data, room);
		if (!bigger) {
			b->failed = true;
			return;
		}
		b->data = bigger;
		b->room = room;
	}
	memcpy(b->data + b->len, data, len);
	b->len += len;
}

void cdr_buffer_free(struct cdr_buffer *b)
{
	free(b->data);
	*b = (struct cdr_buffer){0};
}
