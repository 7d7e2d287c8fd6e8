#include "controlplane/cdr/projector.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <search.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "controlplane/cdr/projector_open.h"
#include "controlplane/cdr/projector_private.h"
#include "controlplane/journal/fact_value.h"

#define MAX_ROWS 10000 /* of a journal that doesn't say */

/* While rows are made from one record. */
struct emitting {
	struct cdr_projector *p;
	const struct journal_record *record;
};

static int by_id(const void *a, const void *b)
{
	return strcmp(((const struct cdr_session *)a)->id, ((const struct cdr_session *)b)->id);
}

static void free_node(void *node)
{
	cdr_session_free(node);
}

static void set_trouble(struct cdr_projector *p, int error, const char *what)
{
	if (error == atomic_load(&p->trouble))
		return;
	atomic_store(&p->trouble, error);
	if (error)
		log_error(cdr, NULL, "write-failed",
			"dir=%s step=%s error=\"%s\" hint=\"free or repair the disk; rows are kept and tried "
			"again, and "
			"the journal has them\"",
			p->dir, what, strerror(error));
	else
		log_info(cdr, NULL, "write-recovered", "dir=%s", p->dir);
}

static void set_broken(struct cdr_projector *p)
{
	p->broken = true;
	atomic_store(&p->trouble, ENOMEM);
	log_error(cdr, NULL, "out-of-memory",
		"dir=%s hint=\"no more CDR files are written until tollgate-control is started again; it "
		"makes them from "
		"the journal\"",
		p->dir);
}

/* Rows of records up to the position are in files that were handed out. */
static bool is_delivered(const struct cdr_projector *p, const struct journal_record *record)
{
	return record->sequence <= p->position.sequence;
}

static void begin_file(struct cdr_projector *p, const struct journal_record *record)
{
	p->files++;
	p->open_rows = 0;
	p->open_since_ns = record->time_ns;
	if (is_delivered(p, record))
		return;
	p->open = cdr_file_pair_new(p->node, record->time_ns, p->files);
	if (!p->open) {
		set_broken(p);
		return;
	}
	*p->tail = p->open;
	p->tail = &p->open->next;
}

static void emit(void *ctx, struct cdr_row *row)
{
	struct emitting *em = ctx;
	struct cdr_projector *p = em->p;
	/* A row that isn't delivered never joins a file that is, whatever became of journal and position. */
	if (!p->open_rows || (!p->open && !is_delivered(p, em->record)))
		begin_file(p, em->record);
	p->open_rows++;
	p->rows++;
	if (!p->open)
		return;
	cdr_set_number(row, CDR_schema, CDR_SCHEMA);
	cdr_set_text(row, CDR_node, p->node, strlen(p->node));
	cdr_set_number(row, CDR_record, p->rows);
	cdr_file_pair_add(p->open, row);
	if (cdr_file_pair_failed(p->open))
		set_broken(p);
}

static void close_file(struct cdr_projector *p, const struct journal_record *record)
{
	if (p->open) {
		p->open->closed_at = record->sequence;
		p->open->closed_ns = record->time_ns;
	}
	p->closed_sequence = record->sequence;
	p->closed_ns = record->time_ns;
	p->open = NULL;
	p->open_rows = 0;
	p->open_since_ns = 0;
}

/* The position is written when both temp files are durable and before they are renamed: whatever of the
 * renaming a crash leaves undone is done at the next start. */
static int finish_file(struct cdr_projector *p, struct cdr_file_pair *pair, const char **step)
{
	struct cdr_position position = {.file = pair->number,
		.sequence = pair->closed_at,
		.time_ns = pair->closed_ns,
		.journal_ns = p->first_ns};
	strcpy(position.stem, pair->stem);
	*step = "sync";
	int e = cdr_file_pair_sync(pair, p->dir_fd);
	if (e)
		return e;
	*step = "position";
	if (!p->rebuild)
		e = cdr_position_write(p->dir, &position);
	if (e)
		return e;
	*step = "rename";
	return cdr_file_pair_publish(pair->stem, p->dir_fd);
}

static void flush(struct cdr_projector *p)
{
	while (p->head) {
		struct cdr_file_pair *pair = p->head;
		const char *step = "write";
		int e = cdr_file_pair_write(pair, p->dir_fd);
		if (!e && pair->closed_at)
			e = finish_file(p, pair, &step);
		if (e) {
			set_trouble(p, -e, step);
			return;
		}
		if (!pair->closed_at)
			break;
		log_info(cdr, NULL, "file-closed", "file=%s", pair->stem);
		p->head = pair->next;
		if (!p->head)
			p->tail = &p->head;
		cdr_file_pair_free(pair);
	}
	set_trouble(p, 0, "");
}

static struct cdr_session **find(struct cdr_projector *p, const json_t *payload)
{
	struct cdr_session key = {.id = (char *)fact_text(payload, "session", NULL)};
	return key.id ? tfind(&key, &p->sessions, by_id) : NULL;
}

int cdr_projector_add(struct cdr_projector *p, struct cdr_session *s)
{
	if (tfind(s, &p->sessions, by_id))
		return -EEXIST;
	return tsearch(s, &p->sessions, by_id) ? 0 : -ENOMEM;
}

static int open_session(struct cdr_projector *p, const struct journal_record *record)
{
	struct cdr_session *s;
	int e = cdr_session_create(&s, record);
	if (e)
		return e;
	e = cdr_projector_add(p, s);
	if (e)
		cdr_session_free(s);
	return e;
}

static int close_session(struct cdr_projector *p, const struct journal_record *record)
{
	struct emitting em = {.p = p, .record = record};
	struct cdr_session **node = find(p, record->payload);
	if (!node)
		return -ENOENT;
	struct cdr_session *s = *node;
	int e = cdr_session_rows(s, record->payload, p->usage, emit, &em);
	tdelete(s, &p->sessions, by_id);
	cdr_session_free(s);
	if (!e && p->open_rows >= p->max_rows)
		close_file(p, record);
	return e;
}

static void start_node(struct cdr_projector *p, const json_t *payload)
{
	const char *node = fact_text(payload, "node", NULL);
	uint64_t max_rows;
	if (node && *node)
		snprintf(p->node, sizeof(p->node), "%s", node);
	if (fact_u64(payload, "max_rows", &max_rows) && max_rows)
		p->max_rows = max_rows;
}

static int project(struct cdr_projector *p, const struct journal_record *record)
{
	struct cdr_session **node;
	switch (record->fact) {
	case FACT_node_start:
		start_node(p, record->payload);
		return 0;
	case FACT_cdr_rotate:
		if (p->open_rows)
			close_file(p, record);
		return 0;
	case FACT_session_open:
		return open_session(p, record);
	case FACT_session_close:
		return close_session(p, record);
	default:
		node = find(p, record->payload);
		return node ? cdr_session_feed(*node, record) : 0;
	}
}

/* What was handed out isn't what this journal says: better files twice than calls that are never billed. */
static void distrust_position(struct cdr_projector *p, const char *finding)
{
	log_error(cdr, NULL, "position-refused",
		"dir=%s finding=\"%s\" file=%" PRIu64 " sequence=%" PRIu64
		" hint=\"files are written on from here; compare them with those that were billed\"",
		p->dir, finding, p->position.file, p->position.sequence);
	memset(&p->position, 0, sizeof(p->position));
}

static void check_journal(struct cdr_projector *p, const struct journal_record *record)
{
	if (record->sequence == 1) {
		p->first_ns = record->time_ns;
		if (p->position.sequence && p->first_ns != p->position.journal_ns)
			distrust_position(p, "another journal");
	}
	if (record->sequence == p->position.sequence && record->time_ns != p->position.time_ns)
		distrust_position(p, "the journal was changed");
}

void cdr_projector_feed(struct cdr_projector *p, const struct journal_record *record)
{
	if (p->broken)
		return;
	check_journal(p, record);
	p->last_sequence = record->sequence;
	int e = project(p, record);
	/* After the rows: usage forgets a session when it is closed. */
	int f = usage_feed(p->usage, record->fact, record->payload);
	if (e == -ENOMEM || f == -ENOMEM)
		set_broken(p);
	else if (e || f)
		log_warn(cdr, NULL, "fact-passed-over", "sequence=%" PRIu64 " session=%s error=\"%s\"",
			record->sequence, log_quote(fact_text(record->payload, "session", NULL)),
			strerror(e ? -e : -f));
	if (p->broken)
		return;
	pthread_mutex_lock(&p->lock);
	p->shown = (struct cdr_open_rows){.rows = p->open_rows, .since_ns = p->open_since_ns};
	pthread_mutex_unlock(&p->lock);
	flush(p);
}

void cdr_projector_replayed(struct cdr_projector *p)
{
	if (p->last_sequence < p->position.sequence)
		distrust_position(p, "the journal ends before what was handed out");
}

struct cdr_open_rows cdr_projector_open_rows(struct cdr_projector *p)
{
	pthread_mutex_lock(&p->lock);
	struct cdr_open_rows shown = p->shown;
	pthread_mutex_unlock(&p->lock);
	return shown;
}

int cdr_projector_trouble(struct cdr_projector *p)
{
	return atomic_load(&p->trouble);
}

static int open_dir(struct cdr_projector *p, char *why, size_t n)
{
	int e = file_make_dirs(p->dir);
	if (!e)
		e = file_sync_parent(p->dir);
	if (!e) {
		p->dir_fd = open(p->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		e = p->dir_fd < 0 ? -errno : 0;
	}
	if (e) {
		snprintf(why, n, "cannot open the CDR directory %s: %s", p->dir, strerror(-e));
		return e;
	}
	if (p->rebuild)
		return 0;
	e = cdr_position_read(p->dir, &p->position, why, n);
	if (e || !p->position.sequence)
		return e;
	e = cdr_file_pair_publish(p->position.stem, p->dir_fd);
	if (e)
		snprintf(why, n, "cannot rename temp-%s in %s: %s", p->position.stem, p->dir, strerror(-e));
	return e;
}

int cdr_projector_open_for(
	struct cdr_projector **projector, const char *dir, bool rebuild, char *why, size_t n)
{
	struct cdr_projector *p = calloc(1, sizeof(*p));
	if (!p) {
		snprintf(why, n, "out of memory");
		return -ENOMEM;
	}
	pthread_mutex_init(&p->lock, NULL);
	p->dir_fd = -1;
	p->tail = &p->head;
	p->rebuild = rebuild;
	p->max_rows = MAX_ROWS;
	strcpy(p->node, "node");
	p->dir = strdup(dir);
	int e = p->dir ? usage_create(&p->usage) : -ENOMEM;
	if (e)
		snprintf(why, n, "out of memory");
	else
		e = open_dir(p, why, n);
	if (e) {
		cdr_projector_close(p);
		return e;
	}
	*projector = p;
	return 0;
}

int cdr_projector_open(struct cdr_projector **projector, const char *dir, char *why, size_t n)
{
	return cdr_projector_open_for(projector, dir, false, why, n);
}

void cdr_projector_close(struct cdr_projector *p)
{
	if (!p)
		return;
	if (!p->broken)
		flush(p);
	for (struct cdr_file_pair *pair = p->head, *next; pair; pair = next) {
		next = pair->next;
		cdr_file_pair_free(pair);
	}
	tdestroy(p->sessions, free_node);
	usage_destroy(p->usage);
	if (p->dir_fd >= 0)
		close(p->dir_fd);
	pthread_mutex_destroy(&p->lock);
	free(p->dir);
	free(p);
}
