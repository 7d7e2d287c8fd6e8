#include "tools/table.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

void table_add(struct table *t, const char *fmt, ...)
{
	char *text;
	va_list ap;
	va_start(ap, fmt);
	int n = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (n < 0) {
		t->failed = 1;
		return;
	}
	if (t->cells == t->room) {
		size_t room = t->room ? 2 * t->room : 256;
		char **bigger = reallocarray(t->cell, room, sizeof(*bigger));
		if (!bigger) {
			free(text);
			t->failed = 1;
			return;
		}
		t->cell = bigger;
		t->room = room;
	}
	t->cell[t->cells++] = text;
}

static const char *title(const struct table *t, size_t column)
{
	return t->titles[column] + (t->titles[column][0] == '>');
}

static void print_cell(const struct table *t, size_t column, const char *text, int width, FILE *out)
{
	int last = column + 1 == t->columns;
	if (t->titles[column][0] == '>')
		fprintf(out, "%*s", width, text);
	else if (last)
		fputs(text, out);
	else
		fprintf(out, "%-*s", width, text);
	fputs(last ? "\n" : "  ", out);
}

void table_print(struct table *t, FILE *out)
{
	int width[TABLE_COLUMNS_MAX];
	if (!t->columns)
		return;
	for (size_t c = 0; c < t->columns; c++)
		width[c] = (int)strlen(title(t, c));
	for (size_t i = 0; i < t->cells; i++)
		if ((int)strlen(t->cell[i]) > width[i % t->columns])
			width[i % t->columns] = (int)strlen(t->cell[i]);
	for (size_t c = 0; c < t->columns; c++)
		print_cell(t, c, title(t, c), width[c], out);
	for (size_t i = 0; i < t->cells; i++) {
		print_cell(t, i % t->columns, t->cell[i], width[i % t->columns], out);
		free(t->cell[i]);
	}
	free(t->cell);
	t->cell = NULL;
	t->cells = t->room = 0;
}
