#include <jansson.h>

#include "controlplane/cdr/row.h"
#include "tests/unit/journal/scratch.h"

static struct cdr_buffer out;

/* The CSV cell that a text becomes. */
static const char *csv(const char *text, size_t len)
{
	static char cell[65536];
	struct cdr_row row = {0};
	cdr_set_text(&row, CDR_calling, text, len);
	out.len = 0;
	cdr_row_csv(&row, &out);
	cdr_buffer_add(&out, "", 1);
	char *start = out.data + CDR_calling,
	     *end = out.data + out.len - 1 - 2 - (CDR_COLUMNS - 1 - CDR_calling);
	ck_assert_str_eq(end + (CDR_COLUMNS - 1 - CDR_calling), "\r\n");
	ck_assert_uint_lt((size_t)(end - start), sizeof(cell));
	memcpy(cell, start, (size_t)(end - start));
	cell[end - start] = '\0';
	return cell;
}

/* What a JSON reader makes of the text; the caller's to free. */
static json_t *json(const char *text, size_t len)
{
	struct cdr_row row = {0};
	cdr_set_text(&row, CDR_calling, text, len);
	out.len = 0;
	cdr_row_json(&row, &out);
	ck_assert_int_eq(out.data[out.len - 1], '\n');
	ck_assert_ptr_null(memchr(out.data, '\n', out.len - 1));
	json_error_t error;
	json_t *v = json_loadb(out.data, out.len, JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES, &error);
	ck_assert_msg(v != NULL, "%s", error.text);
	ck_assert_uint_eq(json_object_size(v), CDR_COLUMNS);
	return v;
}

#define CSV(text, cell) ck_assert_str_eq(csv(text, sizeof(text) - 1), cell)
#define R               "\xef\xbf\xbd"

START_TEST(csv_quotes)
{
	CSV("plain", "plain");
	CSV("a,b", "\"a,b\"");
	CSV("say \"hi\"", "\"say \"\"hi\"\"\"");
	CSV("two\nlines", "\"two\nlines\"");
	CSV("two\r\nlines", "\"two\r\nlines\"");
	CSV("a\tb", "\"a\tb\"");
	CSV(" padded", "\" padded\"");
	CSV("padded ", "\"padded \"");
	CSV("\"", "\"\"\"\"");
	CSV("gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f");
}
END_TEST

START_TEST(csv_formulas)
{
	CSV("=cmd|'/c calc'!A1", "'=cmd|'/c calc'!A1");
	CSV("=1+1", "'=1+1");
	CSV("+15550100", "+15550100");
	CSV("-12.5", "-12.5");
	CSV("15550100", "15550100");
	CSV("+1-2", "'+1-2");
	CSV("-", "'-");
	CSV("+", "'+");
	CSV("+1.2.3", "'+1.2.3");
	CSV("-1.", "'-1.");
	CSV("+15550100,1", "\"'+15550100,1\"");
	CSV("@SUM(A1)", "'@SUM(A1)");
	CSV("\tx", "\"'\tx\"");
	CSV("\rx", "\"'\rx\"");
	CSV("\nx", "\"'\nx\"");
	CSV("a=b", "a=b");
}
END_TEST

START_TEST(csv_bytes_that_are_no_text)
{
	CSV("\x1b[31m", R "[31m");
	CSV("a\0b", "a" R "b");
	CSV("\xff\xfe", R R);
	CSV("\x7f", R);
	CSV("\xc2\x9b"
	    "31m",
		R "31m"); /* CSI as C1 */
}
END_TEST

static void check_json(const char *text, size_t len, const char *want, size_t want_len)
{
	json_t *v = json(text, len), *got = json_object_get(v, "calling");
	ck_assert(json_is_string(got));
	ck_assert_uint_eq(json_string_length(got), want_len);
	ck_assert_mem_eq(json_string_value(got), want, want_len);
	json_decref(v);
}

#define JSON(text, want) check_json(text, sizeof(text) - 1, want, sizeof(want) - 1)

START_TEST(json_keeps_text)
{
	JSON("plain", "plain");
	JSON("\"\\/\b\f\n\r\t\x1b\x7f", "\"\\/\b\f\n\r\t\x1b\x7f");
	JSON("a\0b", "a\0b");
	JSON("=cmd", "=cmd");
	JSON("\xc3\xbc\xf0\x9f\x98\x80\xc2\x85", "\xc3\xbc\xf0\x9f\x98\x80\xc2\x85");
	JSON("\xff", R);
	JSON("x\xed\xa0\x80", "x" R R R);
	/* Nothing in it moves a terminal. */
	json_decref(json("\x1b]0;title\x07\xc2\x9b", 12));
	for (size_t i = 0; i + 1 < out.len; i++)
		ck_assert_int_ge((unsigned char)out.data[i], 0x20);
}
END_TEST

START_TEST(every_byte_and_long_text)
{
	char text[10240];
	uint32_t x = 1;
	for (int round = 0; round < 50; round++) {
		for (size_t i = 0; i < sizeof(text); i++)
			text[i] = round ? (char)((x = x * 1664525 + 1013904223) >> 24) : (char)i;
		json_decref(json(text, sizeof(text)));
		csv(text, sizeof(text));
	}
	memset(text, 'x', sizeof(text));
	check_json(text, sizeof(text), text, sizeof(text));
	ck_assert_uint_eq(strlen(csv(text, sizeof(text))), sizeof(text));
}
END_TEST

START_TEST(values_and_header)
{
	struct cdr_row row = {0};
	cdr_set_number(&row, CDR_schema, CDR_SCHEMA);
	cdr_set_number(&row, CDR_from_octets, UINT64_MAX);
	cdr_set_number(&row, CDR_setup_time, 1790000000123999999ull);
	cdr_set_text(&row, CDR_node, "", 0);
	cdr_set_text(&row, CDR_reason, NULL, 0);
	out.len = 0;
	cdr_row_json(&row, &out);
	cdr_buffer_add(&out, "", 1);
	ck_assert_ptr_nonnull(strstr(out.data, "{\"schema\":2,\"node\":null,"));
	ck_assert_ptr_nonnull(strstr(out.data, "\"from_octets\":18446744073709551615,"));
	ck_assert_ptr_nonnull(strstr(out.data, "\"setup_time\":\"2026-09-21T14:13:20.123Z\""));
	out.len = 0;
	cdr_header_csv(&out);
	cdr_buffer_add(&out, "", 1);
	ck_assert_int_eq(strncmp(out.data, "schema,node,record,type,", 24), 0);
	int commas = 0;
	for (const char *p = out.data; *p; p++)
		commas += *p == ',';
	ck_assert_int_eq(commas, CDR_COLUMNS - 1);
}
END_TEST

START_TEST(notes_are_cut)
{
	struct cdr_row row = {0};
	char note[400];
	memset(note, 'n', sizeof(note) - 1);
	note[sizeof(note) - 1] = '\0';
	for (int i = 0; i < 4; i++)
		cdr_add_note(&row, note);
	ck_assert(row.v[CDR_partial].set);
	ck_assert_uint_eq(row.v[CDR_partial].len, CDR_NOTE_BYTES - 1);
}
END_TEST

SCRATCH_MAIN("row_text", 30, csv_quotes, csv_formulas, csv_bytes_that_are_no_text, json_keeps_text,
	every_byte_and_long_text, values_and_header, notes_are_cut)
