#include "controlplane/cdr/verify.h"

#include <inttypes.h>
#include <search.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "controlplane/cdr/row_read.h"
#include "controlplane/cdr/verify_session.h"

struct cdr_verify {
	struct cdr_verified result;
	cdr_fault *fault;
	void *ctx;
	uint64_t next;                     /* number that the next row should have; 0: any */
	void *seen;                        /* tsearch tree of the ids of sessions so far */
	struct cdr_verify_session session; /* rows of the one that is being read */
};

/* Where reading is in one pair of files. */
struct reading {
	struct cdr_verify *v;
	const struct cdr_verify_pair *pair;
	char name[2][300]; /* of the files */
	uint64_t line[2];
	size_t at; /* in the CSV */
	bool csv_lost;
};

static int by_text(const void *a, const void *b)
{
	return strcmp(a, b);
}

int cdr_verify_create(struct cdr_verify **verify, cdr_fault *fault, void *ctx)
{
	struct cdr_verify *v = calloc(1, sizeof(*v));
	if (!v)
		return -1;
	v->fault = fault;
	v->ctx = ctx;
	*verify = v;
	return 0;
}

void cdr_verify_free(struct cdr_verify *v)
{
	if (!v)
		return;
	cdr_verify_session_clear(&v->session);
	free(v->session.row);
	tdestroy(v->seen, free);
	free(v);
}

struct cdr_verified *cdr_verify_result(struct cdr_verify *v)
{
	return &v->result;
}

void cdr_verify_report(struct cdr_verify *v, const char *file, uint64_t line, const char *fmt, ...)
{
	char sentence[1024];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(sentence, sizeof(sentence), fmt, ap);
	va_end(ap);
	v->result.faults++;
	v->fault(v->ctx, file, line, sentence);
}

static void session_fault(void *ctx, uint64_t line, const char *sentence)
{
	struct reading *r = ctx;
	cdr_verify_report(r->v, r->name[0], line, "%s", sentence);
}

static void report_memory(struct reading *r)
{
	cdr_verify_report(r->v, r->name[0], r->line[0], "out of memory");
}

static void check_number(struct reading *r, const struct cdr_row *row)
{
	struct cdr_verify *v = r->v;
	uint64_t number = row->v[CDR_record].number;
	if (!row->v[CDR_record].set || !number)
		cdr_verify_report(v, r->name[0], r->line[0], "the row has no number");
	else if (v->next && number > v->next)
		cdr_verify_report(v, r->name[0], r->line[0],
			"records %" PRIu64 " to %" PRIu64
			" are missing before this row: if a file was taken away, put "
			"it back beside the others",
			v->next, number - 1);
	else if (v->next && number < v->next)
		cdr_verify_report(v, r->name[0], r->line[0],
			"record %" PRIu64 " again or out of order: this should be %" PRIu64, number, v->next);
	if (!v->result.first)
		v->result.first = number;
	v->result.last = number;
	v->next = number + 1;
}

static void check_seen(struct reading *r, const char *session)
{
	char *id = strdup(session);
	char **node = id ? tsearch(id, &r->v->seen, by_text) : NULL;
	if (!node)
		report_memory(r);
	else if (*node != id)
		cdr_verify_report(r->v, r->name[0], r->line[0],
			"session %s was there before: it would be billed twice", log_quote(session));
	if (!node || *node != id)
		free(id);
}

/* Takes the rows of one session as they come, up to its own. */
static void add_row(struct reading *r, json_t *object, const struct cdr_row *row)
{
	struct cdr_verify *v = r->v;
	struct cdr_verify_session *s = &v->session;
	const struct cdr_value *id = &row->v[CDR_session], *type = &row->v[CDR_type];
	v->result.rows++;
	if (!id->set || !type->set) {
		cdr_verify_report(v, r->name[0], r->line[0], "the row has no session or no type");
		return;
	}
	if (s->rows && !cdr_verify_session_has(s, id)) {
		cdr_verify_report(v, r->name[0], s->row[s->rows - 1].line,
			"session %s has no row of its own after this one",
			log_quote(cdr_verify_session_id(s)));
		cdr_verify_session_clear(s);
	}
	if (cdr_verify_session_add(s, object, row, r->line[0])) {
		report_memory(r);
		return;
	}
	if (strcmp(type->text, "session") != 0)
		return;
	v->result.sessions++;
	v->result.uncertain += row->v[CDR_partial].set;
	check_seen(r, cdr_verify_session_id(s));
	cdr_verify_session_judge(s, session_fault, r);
	cdr_verify_session_clear(s);
}

/* The CSV says the same, byte for byte. After a difference nobody knows where its next row begins. */
static void compare_csv(struct reading *r, const struct cdr_buffer *wanted)
{
	size_t left = r->pair->len[1] - r->at;
	if (r->csv_lost)
		return;
	if (left < wanted->len && r->pair->open) {
		r->csv_lost = true; /* not written yet */
		if (memcmp(r->pair->text[1] + r->at, wanted->data, left) != 0)
			cdr_verify_report(
				r->v, r->name[1], r->line[1], "the row differs from that of the .jsonl file");
		return;
	}
	if (left < wanted->len || memcmp(r->pair->text[1] + r->at, wanted->data, wanted->len) != 0) {
		cdr_verify_report(r->v, r->name[1], r->line[1],
			left ? "the row differs from that of the .jsonl file, line %" PRIu64
			     : "the file ends, and the .jsonl file goes on in line %" PRIu64,
			r->line[0]);
		r->csv_lost = true;
		return;
	}
	r->at += wanted->len;
	for (size_t i = 0; i < wanted->len; i++)
		r->line[1] += wanted->data[i] == '\n';
}

static void read_line(struct reading *r, const char *text, size_t len)
{
	struct cdr_row row;
	struct cdr_buffer json = {0}, csv = {0};
	json_t *object = json_loadb(text, len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
	const char *wrong = cdr_row_read(&row, object);
	if (wrong) {
		cdr_verify_report(r->v, r->name[0], r->line[0], "%s", wrong);
		r->csv_lost = true;
		r->v->next = 0;
		json_decref(object);
		return;
	}
	cdr_row_json(&row, &json);
	cdr_row_csv(&row, &csv);
	if (json.failed || csv.failed)
		report_memory(r);
	else if (json.len != len || memcmp(json.data, text, len) != 0)
		cdr_verify_report(r->v, r->name[0], r->line[0],
			"the line is not as this version writes it: other order, blanks or escapes");
	if (row.v[CDR_schema].number != CDR_SCHEMA)
		cdr_verify_report(r->v, r->name[0], r->line[0], "schema %" PRIu64 ", this version knows %d",
			row.v[CDR_schema].number, CDR_SCHEMA);
	check_number(r, &row);
	compare_csv(r, &csv);
	add_row(r, object, &row);
	cdr_buffer_free(&json);
	cdr_buffer_free(&csv);
	json_decref(object);
}

static void read_header(struct reading *r)
{
	struct cdr_buffer header = {0};
	cdr_header_csv(&header);
	r->line[1] = 1;
	compare_csv(r, &header);
	cdr_buffer_free(&header);
}

static void end_file(struct reading *r)
{
	struct cdr_verify *v = r->v;
	struct cdr_verify_session *s = &v->session;
	if (!r->csv_lost && !r->pair->open && r->at < r->pair->len[1])
		cdr_verify_report(
			v, r->name[1], r->line[1], "the file goes on, and the .jsonl file does not");
	if (s->rows && r->pair->open)
		v->result.waiting = s->rows;
	else if (s->rows)
		cdr_verify_report(v, r->name[0], s->row[s->rows - 1].line,
			"the file ends before the row of session %s", log_quote(cdr_verify_session_id(s)));
	cdr_verify_session_clear(s);
}

void cdr_verify_add(struct cdr_verify *v, const struct cdr_verify_pair *pair)
{
	static const char *const suffix[] = {".jsonl", ".csv"};
	struct reading r = {.v = v, .pair = pair, .line = {0, 1}};
	for (int i = 0; i < 2; i++)
		snprintf(r.name[i], sizeof(r.name[i]), "%s%s%s", pair->open ? "temp-" : "", pair->stem,
			suffix[i]);
	v->result.files++;
	read_header(&r);
	for (size_t at = 0; at < pair->len[0];) {
		const char *text = pair->text[0] + at, *end = memchr(text, '\n', pair->len[0] - at);
		r.line[0]++;
		if (!end) {
			if (!pair->open)
				cdr_verify_report(v, r.name[0], r.line[0], "the last line is cut off");
			break;
		}
		size_t len = (size_t)(end - text) + 1;
		read_line(&r, text, len);
		at += len;
	}
	end_file(&r);
}
