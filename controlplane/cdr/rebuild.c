#include "controlplane/cdr/rebuild.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "controlplane/cdr/position.h"
#include "controlplane/cdr/projector_open.h"

static void feed(void *ctx, const struct journal_record *record)
{
	cdr_projector_feed(ctx, record);
}

int cdr_rebuild(const char *journal_dir, const char *out_dir, char *why, size_t n)
{
	char path[PATH_MAX];
	if (snprintf(path, sizeof(path), "%s/" CDR_POSITION_NAME, out_dir) >= (int)sizeof(path)) {
		snprintf(why, n, "%s: name too long", out_dir);
		return -ENAMETOOLONG;
	}
	if (!access(path, F_OK)) {
		snprintf(why, n, "%s is the CDR directory of a gateway: give another one", out_dir);
		return -EEXIST;
	}
	struct cdr_projector *p;
	int e = cdr_projector_open_for(&p, out_dir, true, why, n);
	if (e)
		return e;
	e = journal_read(journal_dir, feed, p, why, n);
	if (!e && cdr_projector_trouble(p)) {
		e = -cdr_projector_trouble(p);
		snprintf(why, n, "cannot write to %s: %s", out_dir, strerror(-e));
	}
	cdr_projector_close(p);
	return e;
}
