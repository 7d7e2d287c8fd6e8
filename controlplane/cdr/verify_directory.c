#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "controlplane/cdr/file_pair.h"
#include "controlplane/cdr/rebuild.h"
#include "controlplane/cdr/verify.h"

#define TEMP       "temp-"
#define FILE_BYTES ((size_t)1 << 31)

struct entry {
	char *stem;
	uint64_t number;
	bool here[CDR_FORMS][2]; /* under its name; with temp- before it */
};

struct listing {
	const char *dir;
	struct entry *entry;
	size_t n;
};

struct run {
	struct cdr_verify *verify;
	char *why;
	size_t why_bytes;
};

static int failed(struct run *r, const char *path, int e)
{
	snprintf(r->why, r->why_bytes, "%s: %s", log_quote(path), strerror(-e));
	return e;
}

static void free_listing(struct listing *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->entry[i].stem);
	free(l->entry);
	*l = (struct listing){0};
}

/* The digits after the last dash: number of the file. 0: this is no name of ours. */
static uint64_t number_of(const char *stem)
{
	const char *dash = strrchr(stem, '-');
	char *end;
	if (!dash || dash[1] < '0' || dash[1] > '9')
		return 0;
	uint64_t number = strtoull(dash + 1, &end, 10);
	return *end ? 0 : number;
}

static struct entry *entry_of(struct listing *l, const char *stem, size_t len)
{
	for (size_t i = l->n; i > 0; i--)
		if (strlen(l->entry[i - 1].stem) == len && !memcmp(l->entry[i - 1].stem, stem, len))
			return &l->entry[i - 1];
	struct entry *more = realloc(l->entry, (l->n + 1) * sizeof(*more));
	if (!more)
		return NULL;
	l->entry = more;
	l->entry[l->n] = (struct entry){.stem = strndup(stem, len)};
	if (!l->entry[l->n].stem)
		return NULL;
	l->entry[l->n].number = number_of(l->entry[l->n].stem);
	return &l->entry[l->n++];
}

static int note_name(struct listing *l, const char *name)
{
	bool temp = !strncmp(name, TEMP, strlen(TEMP));
	const char *stem = name + (temp ? strlen(TEMP) : 0);
	for (int form = 0; form < CDR_FORMS; form++) {
		size_t len = strlen(stem), end = strlen(cdr_suffix[form]);
		if (len <= end || strcmp(stem + len - end, cdr_suffix[form]) != 0)
			continue;
		struct entry *e = entry_of(l, stem, len - end);
		if (!e)
			return -ENOMEM;
		e->here[form][temp] = true;
	}
	return 0;
}

static int by_number(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	return x->number != y->number ? x->number < y->number ? -1 : 1 : strcmp(x->stem, y->stem);
}

static int list(struct run *r, const char *dir, struct listing *l)
{
	*l = (struct listing){.dir = dir};
	DIR *d = opendir(dir);
	int e = d ? 0 : -errno;
	for (const struct dirent *f; !e && (f = readdir(d));)
		e = note_name(l, f->d_name);
	if (d)
		closedir(d);
	if (e) {
		free_listing(l);
		return failed(r, dir, e);
	}
	if (l->n)
		qsort(l->entry, l->n, sizeof(*l->entry), by_number);
	return 0;
}

/* A file in either of its names: a gateway may just be renaming it. */
static int read_form(
	struct run *r, const char *dir, const struct entry *e, int form, char **text, size_t *len)
{
	char path[PATH_MAX];
	int rc = -ENOENT;
	for (int i = 0; i < 3 && rc == -ENOENT; i++) {
		const char *temp = (e->here[form][1] && !e->here[form][0]) == (i != 1) ? TEMP : "";
		if (snprintf(path, sizeof(path), "%s/%s%s%s", dir, temp, e->stem, cdr_suffix[form]) >=
			(int)sizeof(path))
			return failed(r, dir, -ENAMETOOLONG);
		rc = file_read(path, FILE_BYTES, text, len);
	}
	return rc ? failed(r, path, rc) : 0;
}

static bool is_open(const struct entry *e)
{
	return !e->here[0][0] && !e->here[1][0];
}

static int verify_entry(struct run *r, const char *dir, const struct entry *e)
{
	char *text[CDR_FORMS] = {NULL, NULL};
	struct cdr_verify_pair pair = {.stem = e->stem, .open = is_open(e)};
	if (!e->number) {
		cdr_verify_report(
			r->verify, e->stem, 0, "this is no name of a CDR file: take it out of the directory");
		return 0;
	}
	for (int form = 0; form < CDR_FORMS; form++)
		if (!e->here[form][0] && !e->here[form][1] && !pair.open) {
			cdr_verify_report(
				r->verify, e->stem, 0, "its other form, %s, is not there", cdr_suffix[form]);
			return 0;
		}
	int rc = 0;
	for (int form = 0; form < CDR_FORMS && !rc; form++) {
		/* Of the open file the second form may not have been made yet. */
		bool there = e->here[form][0] || e->here[form][1];
		rc = there ? read_form(r, dir, e, form, &text[form], &pair.len[form]) : 0;
		pair.text[form] = text[form] ? text[form] : "";
	}
	if (!rc)
		cdr_verify_add(r->verify, &pair);
	for (int form = 0; form < CDR_FORMS; form++)
		free(text[form]);
	return rc;
}

static void remove_directory(const char *dir)
{
	char path[PATH_MAX];
	DIR *d = opendir(dir);
	for (const struct dirent *f; d && (f = readdir(d));)
		if (strcmp(f->d_name, ".") != 0 && strcmp(f->d_name, "..") != 0 &&
			snprintf(path, sizeof(path), "%s/%s", dir, f->d_name) < (int)sizeof(path))
			unlink(path);
	if (d)
		closedir(d);
	rmdir(dir);
}

static const struct entry *same_stem(const struct listing *l, const char *stem)
{
	for (size_t i = 0; i < l->n; i++)
		if (!strcmp(l->entry[i].stem, stem))
			return &l->entry[i];
	return NULL;
}

static void compare_bytes(struct run *r, const struct entry *e, int form, const char *here, size_t here_len,
	const char *made, size_t made_len)
{
	char name[CDR_STEM_BYTES + 32];
	uint64_t line = 1;
	size_t n = here_len < made_len ? here_len : made_len, i = 0;
	for (; i < n && here[i] == made[i]; i++)
		line += here[i] == '\n';
	if (i == n && (here_len == made_len || is_open(e)))
		return;
	snprintf(name, sizeof(name), "%s%s", e->stem, cdr_suffix[form]);
	cdr_verify_report(r->verify, name, line,
		"from here on the journal makes something else: see what `tollgate cdr rebuild` writes, and "
		"take that");
}

static int compare_entry(
	struct run *r, const char *dir, const struct entry *e, const char *out, const struct entry *made)
{
	int rc = 0;
	for (int form = 0; form < CDR_FORMS && !rc; form++) {
		char *here = NULL, *again = NULL;
		size_t here_len = 0, again_len = 0;
		if (!e->here[form][0] && !e->here[form][1])
			continue; /* said already */
		rc = read_form(r, dir, e, form, &here, &here_len);
		if (!rc)
			rc = read_form(r, out, made, form, &again, &again_len);
		if (!rc)
			compare_bytes(r, e, form, here, here_len, again, again_len);
		free(here);
		free(again);
	}
	return rc;
}

static int compare_all(struct run *r, const struct listing *here, const struct listing *made)
{
	struct cdr_verified *result = cdr_verify_result(r->verify);
	int e = 0;
	for (size_t i = 0; i < here->n && !e; i++) {
		const struct entry *m = same_stem(made, here->entry[i].stem);
		if (m) {
			result->compared++;
			e = compare_entry(r, here->dir, &here->entry[i], made->dir, m);
		} else if (here->entry[i].number) {
			cdr_verify_report(r->verify, here->entry[i].stem, 0,
				"the journal makes no such file: it is another gateway's, or the journal has "
				"lost what it was "
				"made from");
		}
	}
	for (size_t i = 0; i < made->n; i++)
		result->taken_away += !is_open(&made->entry[i]) && !same_stem(here, made->entry[i].stem);
	return e;
}

static int compare_journal(struct run *r, const struct listing *here, const char *journal)
{
	char out[PATH_MAX];
	struct listing made;
	const char *tmp = getenv("TMPDIR");
	if (snprintf(out, sizeof(out), "%s/tollgate-verify-XXXXXX", tmp ? tmp : "/tmp") >= (int)sizeof(out))
		return failed(r, tmp, -ENAMETOOLONG);
	if (!mkdtemp(out))
		return failed(r, out, -errno);
	int e = cdr_rebuild(journal, out, r->why, r->why_bytes);
	if (!e)
		e = list(r, out, &made);
	if (!e) {
		e = compare_all(r, here, &made);
		free_listing(&made);
	}
	remove_directory(out);
	return e;
}

int cdr_verify_directory(struct cdr_verify *verify, const char *dir, const char *journal, char *why, size_t n)
{
	struct run r = {.verify = verify, .why = why, .why_bytes = n};
	struct listing here;
	int e = list(&r, dir, &here);
	if (e)
		return e;
	for (size_t i = 0; i < here.n && !e; i++)
		e = verify_entry(&r, dir, &here.entry[i]);
	if (!e && journal)
		e = compare_journal(&r, &here, journal);
	free_listing(&here);
	return e;
}
