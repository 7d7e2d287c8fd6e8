/* The projector's part of a checkpoint. A file that is open is not part of it: checkpoints are made between
 * two files, so that what is behind one makes the same files, byte for byte. */
#include <errno.h>
#include <search.h>
#include <string.h>

#include "controlplane/cdr/projector_private.h"

bool cdr_projector_can_save(const struct cdr_projector *p)
{
	return !p->broken && !p->head && !p->open_rows && !atomic_load(&p->trouble);
}

static void count_session(const void *node, VISIT visit, void *ctx)
{
	if (visit == postorder || visit == leaf)
		++*(size_t *)ctx;
}

static void save_session(const void *node, VISIT visit, void *ctx)
{
	if (visit == postorder || visit == leaf)
		cdr_session_save(*(struct cdr_session *const *)node, ctx);
}

void cdr_projector_save(const struct cdr_projector *p, struct pack *pack)
{
	size_t sessions = 0;
	pack_text(pack, p->node, strlen(p->node));
	pack_number(pack, p->max_rows);
	pack_number(pack, p->first_ns);
	pack_number(pack, p->last_sequence);
	pack_number(pack, p->files);
	pack_number(pack, p->rows);
	pack_number(pack, p->closed_sequence);
	pack_number(pack, p->closed_ns);
	usage_save(p->usage, pack);
	twalk_r(p->sessions, count_session, &sessions);
	pack_number(pack, sessions);
	twalk_r(p->sessions, save_session, pack);
}

/* Files up to the checkpoint must have been handed out: what isn't would never be made. */
static int check_position(const struct cdr_projector *p)
{
	const struct cdr_position *at = &p->position;
	if (!at->sequence)
		return p->files ? -ESTALE : 0;
	if (at->journal_ns != p->first_ns || at->sequence < p->closed_sequence)
		return -ESTALE;
	if (at->sequence <= p->last_sequence &&
		(at->sequence != p->closed_sequence || at->file != p->files || at->time_ns != p->closed_ns))
		return -ESTALE;
	return 0;
}

static int load_sessions(struct cdr_projector *p, struct unpack *u)
{
	int e = 0;
	for (size_t n = unpack_count(u); n && !e; n--) {
		struct cdr_session *s;
		e = cdr_session_load(&s, u);
		if (e)
			break;
		e = cdr_projector_add(p, s);
		if (e)
			cdr_session_free(s);
	}
	return e == -EEXIST ? -EBADMSG : e;
}

int cdr_projector_load(struct cdr_projector *p, struct unpack *u)
{
	size_t len;
	const char *node = unpack_text(u, &len);
	if (!len || len >= sizeof(p->node) || strlen(node) != len)
		return -EBADMSG;
	strcpy(p->node, node);
	p->max_rows = unpack_number(u);
	p->first_ns = unpack_number(u);
	p->last_sequence = unpack_number(u);
	p->files = unpack_number(u);
	p->rows = unpack_number(u);
	p->closed_sequence = unpack_number(u);
	p->closed_ns = unpack_number(u);
	if (u->failed || !p->max_rows)
		return -EBADMSG;
	int e = check_position(p);
	if (!e)
		e = usage_load(p->usage, u);
	if (!e)
		e = load_sessions(p, u);
	return !e && u->failed ? -EBADMSG : e;
}

const struct usage *cdr_projector_usage(const struct cdr_projector *p)
{
	return p->usage;
}
