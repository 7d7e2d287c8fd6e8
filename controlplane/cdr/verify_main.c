/* tollgate-cdr-verify [--json] DIRECTORY [JOURNAL]: what `tollgate cdr verify` runs. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "controlplane/cdr/verify.h"

#define SHOWN 20 /* faults; the others are counted */

struct output {
	bool json;
	uint64_t n;
	json_t *faults;
};

static void on_fault(void *ctx, const char *file, uint64_t line, const char *sentence)
{
	struct output *o = ctx;
	if (++o->n > SHOWN)
		return;
	if (o->json)
		json_array_append_new(o->faults, json_pack("{s:s, s:I, s:s}", "file", log_quote(file), "line",
							 (json_int_t)line, "fault", sentence));
	else if (line)
		printf("%s:%" PRIu64 ": %s\n", log_quote(file), line, sentence);
	else
		printf("%s: %s\n", log_quote(file), sentence);
}

static void print_json(const struct output *o, const struct cdr_verified *v)
{
	json_t *value = json_pack("{s:b, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:O}", "ok",
		v->faults == 0, "files", (json_int_t)v->files, "rows", (json_int_t)v->rows, "sessions",
		(json_int_t)v->sessions, "uncertain_sessions", (json_int_t)v->uncertain, "first_record",
		(json_int_t)v->first, "last_record", (json_int_t)v->last, "rows_waiting",
		(json_int_t)v->waiting, "compared_with_journal", (json_int_t)v->compared, "taken_away",
		(json_int_t)v->taken_away, "faults", (json_int_t)v->faults, "first_faults", o->faults);
	json_dumpf(value, stdout, JSON_INDENT(1));
	putchar('\n');
	json_decref(value);
}

static void print_text(const struct cdr_verified *v, bool journal)
{
	if (v->faults > SHOWN)
		printf("and %" PRIu64 " more\n", v->faults - SHOWN);
	printf("%s: %" PRIu64 " files (each in both forms), %" PRIu64 " rows", v->faults ? "not ok" : "ok",
		v->files, v->rows);
	if (v->rows)
		printf(" (records %" PRIu64 " to %" PRIu64 ")", v->first, v->last);
	printf(", %" PRIu64 " sessions, %" PRIu64 " of them uncertain", v->sessions, v->uncertain);
	if (v->waiting)
		printf("; of a session %" PRIu64 " rows are written so far", v->waiting);
	if (journal)
		printf("; compared with the journal: %" PRIu64 " files, %" PRIu64 " were taken away",
			v->compared, v->taken_away);
	printf("; %" PRIu64 " faults\n", v->faults);
	if (!v->files && !v->faults)
		printf("No CDR files are there: they are in cdr/ of a node's state_dir.\n");
	if (v->faults)
		printf("`tollgate cdr rebuild JOURNAL OUT` makes the files anew. If the journal has lost "
		       "records "
		       "(event=tail-cut), keep these files: it makes less than they hold.\n");
}

int main(int argc, char **argv)
{
	char why[1024] = "";
	struct output o = {.json = argc > 1 && !strcmp(argv[1], "--json"), .faults = json_array()};
	int first = o.json ? 2 : 1;
	struct cdr_verify *verify;
	if (argc - first < 1 || argc - first > 2) {
		fputs("usage: tollgate-cdr-verify [--json] DIRECTORY [JOURNAL]\n", stderr);
		return 2;
	}
	log_set_level("all", "error");
	if (!o.faults || cdr_verify_create(&verify, on_fault, &o)) {
		fputs("tollgate-cdr-verify: out of memory\n", stderr);
		return 1;
	}
	const char *journal = argc - first == 2 ? argv[first + 1] : NULL;
	int e = cdr_verify_directory(verify, argv[first], journal, why, sizeof(why));
	const struct cdr_verified *v = cdr_verify_result(verify);
	if (e)
		fprintf(stderr, "tollgate-cdr-verify: %s\n", why);
	else if (o.json)
		print_json(&o, v);
	else
		print_text(v, journal);
	int status = e || v->faults || fflush(stdout) ? 1 : 0;
	cdr_verify_free(verify);
	json_decref(o.faults);
	return status;
}
