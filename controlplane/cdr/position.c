#include "controlplane/cdr/position.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/file.h"
#include "controlplane/journal/fact_value.h"

#define POSITION_BYTES 65536

static int parse(const char *data, size_t len, struct cdr_position *p)
{
	json_t *v = json_loadb(data, len, JSON_REJECT_DUPLICATES, NULL);
	const char *stem = fact_text(v, "stem", NULL);
	int e = 0;
	/* The stem names files to rename: it must stay in its directory. */
	if (!stem || !*stem || strlen(stem) >= sizeof(p->stem) || strchr(stem, '/') ||
		!fact_u64(v, "file", &p->file) || !fact_u64(v, "sequence", &p->sequence) ||
		!fact_u64(v, "time_ns", &p->time_ns) || !fact_u64(v, "journal_ns", &p->journal_ns))
		e = -EUCLEAN;
	else
		strcpy(p->stem, stem);
	json_decref(v);
	return e;
}

int cdr_position_read(const char *dir, struct cdr_position *p, char *why, size_t n)
{
	char path[PATH_MAX], *data;
	size_t len;
	memset(p, 0, sizeof(*p));
	if (snprintf(path, sizeof(path), "%s/" CDR_POSITION_NAME, dir) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	int e = file_read(path, POSITION_BYTES, &data, &len);
	if (e == -ENOENT)
		return 0;
	if (!e) {
		e = parse(data, len, p);
		free(data);
	}
	if (e)
		snprintf(why, n,
			"%s can't be read (%s): it says which CDR files were handed out; restore it, or move "
			"it aside to "
			"have all files written again from the journal",
			path, e == -EUCLEAN ? "damaged" : strerror(-e));
	return e;
}

int cdr_position_write(const char *dir, const struct cdr_position *p)
{
	char path[PATH_MAX];
	if (snprintf(path, sizeof(path), "%s/" CDR_POSITION_NAME, dir) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	json_t *v = json_pack("{s:I,s:s,s:I,s:I,s:I}", "file", (json_int_t)p->file, "stem", p->stem,
		"sequence", (json_int_t)p->sequence, "time_ns", (json_int_t)p->time_ns, "journal_ns",
		(json_int_t)p->journal_ns);
	char *text = v ? json_dumps(v, JSON_INDENT(2)) : NULL;
	int e = text ? file_replace(path, text, strlen(text)) : -ENOMEM;
	free(text);
	json_decref(v);
	return e;
}
