#include "controlplane/cdr/rebuild.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "controlplane/cdr/position.h"
#include "controlplane/cdr/projector_open.h"

struct rebuild {
	struct cdr_projector *projector;
	uint64_t records;
};

static void feed(void *ctx, const struct journal_record *record)
{
	struct rebuild *r = ctx;
	r->records++;
	cdr_projector_feed(r->projector, record);
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
	struct rebuild r = {.records = 0};
	int e = cdr_projector_open_for(&r.projector, out_dir, true, why, n);
	if (e)
		return e;
	struct cdr_projector *p = r.projector;
	e = journal_read(journal_dir, feed, &r, why, n);
	if (!e && !r.records) {
		e = -ENOENT;
		snprintf(why, n, "%s holds no journal: give the directory journal/ of a node's state_dir",
			journal_dir);
	}
	if (!e && cdr_projector_trouble(p)) {
		e = -cdr_projector_trouble(p);
		snprintf(why, n, "cannot write to %s: %s", out_dir, strerror(-e));
	}
	cdr_projector_close(p);
	return e;
}
