#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/table.h"
#include "tools/text.h"
#include "tools/tool.h"

#define CELL_BYTES 128

/* Columns of the table for people: those of contract/cdr.def that fit. */
static const struct {
	const char *title, *column;
} shown[] = {
	{">RECORD", "record"},
	{"TYPE", "type"},
	{"SESSION", "session"},
	{">STINT", "stint"},
	{">LEG", "leg"},
	{"DIR", "direction"},
	{"MODULE", "module"},
	{"CALLING", "calling"},
	{"CALLED", "called"},
	{"END", "end_time"},
	{">MS", "duration_ms"},
	{">BILLABLE", "billable_ms"},
	{">STATUS", "sip_status"},
	{">TO", "to_packets"},
	{">FROM", "from_packets"},
	{">TO CALLER", "to_caller_packets"},
	{">FROM CALLER", "from_caller_packets"},
	{">TO CALLEE", "to_callee_packets"},
	{">FROM CALLEE", "from_callee_packets"},
	{">PLAYED", "played_packets"},
	{"REASON", "reason"},
	{"PARTIAL", "partial"},
};
#define SHOWN (sizeof(shown) / sizeof(*shown))

static void add_row(struct table *t, const json_t *row)
{
	char cell[CELL_BYTES];
	for (size_t c = 0; c < SHOWN; c++) {
		const json_t *v = json_object_get(row, shown[c].column);
		if (json_is_integer(v))
			table_add(t, "%" JSON_INTEGER_FORMAT, json_integer_value(v));
		else if (json_is_string(v))
			table_add(t, "%s",
				text_show(json_string_value(v), json_string_length(v), cell, sizeof(cell)));
		else
			table_add(t, "%s", "");
	}
}

/* Appends a file's rows. Returns an exit status. */
static int read_rows(const char *path, json_t *rows)
{
	char *line = NULL, name[512];
	size_t room = 0;
	int status = TOOL_OK;
	text_show(path, strlen(path), name, sizeof(name));
	FILE *f = fopen(path, "re");
	if (!f)
		return tool_fail("%s: %s", name, strerror(errno));
	for (unsigned long number = 1; !status; number++) {
		ssize_t len = getline(&line, &room, f);
		if (len < 0) {
			if (ferror(f))
				status = tool_fail("%s: %s", name, strerror(errno));
			break;
		}
		json_t *row = json_loadb(line, (size_t)len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
		if (json_is_object(row)) {
			json_array_append_new(rows, row);
			continue;
		}
		json_decref(row);
		status = tool_fail("%s: line %lu is no CDR row: give the .jsonl file", name, number);
	}
	free(line);
	fclose(f);
	return status;
}

int command_cdr_show(const struct tool *tool)
{
	const char *titles[SHOWN];
	struct table t = {.titles = titles, .columns = SHOWN};
	for (size_t c = 0; c < SHOWN; c++)
		titles[c] = shown[c].title;
	json_t *rows = json_array();
	int status = TOOL_OK;
	for (int i = 0; i < tool->argc && !status; i++)
		status = read_rows(tool->argv[i], rows);
	if (status) {
		json_decref(rows);
		return status;
	}
	if (tool->json)
		return tool_print(rows);
	size_t i;
	json_t *row;
	json_array_foreach(rows, i, row) add_row(&t, row);
	table_print(&t, stdout);
	json_decref(rows);
	return tool_done();
}
