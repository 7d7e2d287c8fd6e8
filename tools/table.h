/* Rows of cells, printed in columns. */
#ifndef TG_TOOLS_TABLE_H
#define TG_TOOLS_TABLE_H

#include <stddef.h>
#include <stdio.h>

#define TABLE_COLUMNS_MAX 24

struct table {
	const char *const *titles; /* a leading '>' aligns the column to the right */
	size_t columns;
	char **cell;
	size_t cells, room;
	int failed; /* memory was out */
};

/* The next cell, row by row. Text from outside goes through text_show() first. */
void table_add(struct table *table, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Prints titles and rows and empties the table. */
void table_print(struct table *table, FILE *out);

#endif
