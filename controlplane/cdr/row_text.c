#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "controlplane/cdr/row.h"
#include "controlplane/journal/fact_value.h"

#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */

enum kind { TEXT, NUMBER, TIME, HUNDREDTHS };

static const struct {
	const char *name;
	enum kind kind;
} columns[CDR_COLUMNS] = {
#define COLUMN(name, kind, help) {#name, kind},
#include "contract/cdr.def"
#undef COLUMN
};

static void add(struct cdr_buffer *out, const char *text)
{
	cdr_buffer_add(out, text, strlen(text));
}

static void add_number(struct cdr_buffer *out, uint64_t number)
{
	char text[24];
	snprintf(text, sizeof(text), "%" PRIu64, number);
	add(out, text);
}

static void add_hundredths(struct cdr_buffer *out, uint64_t number)
{
	char text[24];
	snprintf(text, sizeof(text), "%" PRIu64 ".%02u", number / 100, (unsigned)(number % 100));
	add(out, text);
}

/* The control character at text, C0, DEL or C1 (c bytes of UTF-8), or -1. */
static int control(const char *text, size_t c)
{
	unsigned char first = (unsigned char)text[0];
	if (c == 1)
		return first < 0x20 || first == 0x7f ? first : -1;
	return c == 2 && first == 0xc2 && (unsigned char)text[1] < 0xa0 ? (unsigned char)text[1] : -1;
}

static void json_text(const char *text, size_t len, struct cdr_buffer *out)
{
	add(out, "\"");
	for (size_t i = 0; i < len;) {
		size_t c = fact_character(text + i, len - i);
		int code = c ? control(text + i, c) : -1;
		char escaped[8];
		if (!c) {
			add(out, REPLACEMENT);
			c = 1;
		} else if (code >= 0) {
			snprintf(escaped, sizeof(escaped), "\\u%04x", (unsigned)code);
			add(out, escaped);
		} else {
			if (text[i] == '"' || text[i] == '\\')
				add(out, "\\");
			cdr_buffer_add(out, text + i, c);
		}
		i += c;
	}
	add(out, "\"");
}

void cdr_row_json(const struct cdr_row *row, struct cdr_buffer *out)
{
	char when[CLOCK_TEXT_BYTES];
	for (int i = 0; i < CDR_COLUMNS; i++) {
		const struct cdr_value *v = &row->v[i];
		add(out, i ? ",\"" : "{\"");
		add(out, columns[i].name);
		add(out, "\":");
		if (!v->set) {
			add(out, "null");
		} else if (columns[i].kind == TEXT) {
			json_text(v->text, v->len, out);
		} else if (columns[i].kind == NUMBER) {
			add_number(out, v->number);
		} else if (columns[i].kind == HUNDREDTHS) {
			add_hundredths(out, v->number);
		} else {
			clock_format_utc(v->number, when);
			json_text(when, strlen(when), out);
		}
	}
	add(out, "}\n");
}

/* [+-]digits[.digits]: a spreadsheet computes nothing from it. */
static bool is_plain_number(const char *text, size_t len)
{
	size_t i = len && (text[0] == '+' || text[0] == '-'), digits = 0, points = 0;
	for (; i < len; i++) {
		if (text[i] == '.' && digits && !points)
			points++;
		else if (text[i] >= '0' && text[i] <= '9')
			digits++;
		else
			return false;
	}
	return digits && text[len - 1] != '.';
}

static void csv_text(const char *text, size_t len, struct cdr_buffer *out)
{
	bool formula = len && memchr("=+-@\t\r\n", text[0], 7) && !is_plain_number(text, len);
	bool quoted = len && (text[0] == ' ' || text[len - 1] == ' ');
	for (size_t i = 0; i < len && !quoted; i++)
		quoted = memchr(",\"\r\n\t", text[i], 5);
	if (quoted)
		add(out, "\"");
	if (formula)
		add(out, "'");
	for (size_t i = 0; i < len;) {
		size_t c = fact_character(text + i, len - i);
		int code = c ? control(text + i, c) : 0;
		if (!c || (code >= 0 && code != '\t' && code != '\r' && code != '\n')) {
			add(out, REPLACEMENT);
		} else {
			if (text[i] == '"')
				add(out, "\"");
			cdr_buffer_add(out, text + i, c);
		}
		i += c ? c : 1;
	}
	if (quoted)
		add(out, "\"");
}

void cdr_row_csv(const struct cdr_row *row, struct cdr_buffer *out)
{
	char when[CLOCK_TEXT_BYTES];
	for (int i = 0; i < CDR_COLUMNS; i++) {
		const struct cdr_value *v = &row->v[i];
		if (i)
			add(out, ",");
		if (!v->set)
			continue;
		if (columns[i].kind == TEXT) {
			csv_text(v->text, v->len, out);
		} else if (columns[i].kind == NUMBER) {
			add_number(out, v->number);
		} else if (columns[i].kind == HUNDREDTHS) {
			add_hundredths(out, v->number);
		} else {
			clock_format_utc(v->number, when);
			add(out, when);
		}
	}
	add(out, "\r\n");
}

void cdr_header_csv(struct cdr_buffer *out)
{
	for (int i = 0; i < CDR_COLUMNS; i++) {
		if (i)
			add(out, ",");
		add(out, columns[i].name);
	}
	add(out, "\r\n");
}
