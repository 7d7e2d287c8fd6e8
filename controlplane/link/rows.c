#include "controlplane/link/rows.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

static struct rows_queue *queue_of(struct rows *rows, uint32_t row)
{
	uint32_t w = tg_capacity_worker(rows->cap, row);
	return &rows->queue[w][tg_capacity_family(rows->cap, row) == TG_FAMILY_IPV6];
}

static void append(struct rows *rows, uint32_t row)
{
	struct rows_queue *q = queue_of(rows, row);
	rows->next[row] = TG_NONE;
	rows->before[row] = q->head == TG_NONE ? TG_NONE : q->tail;
	if (q->head == TG_NONE)
		q->head = row;
	else
		rows->next[q->tail] = row;
	q->tail = row;
}

int rows_open(struct rows *rows, const struct tg_capacity *cap)
{
	*rows = (struct rows){.cap = cap, .legs = tg_capacity_legs(cap)};
	rows->use = calloc(rows->legs, sizeof(*rows->use));
	rows->next = calloc(rows->legs, sizeof(*rows->next));
	rows->before = calloc(rows->legs, sizeof(*rows->before));
	if (!rows->use || !rows->next || !rows->before) {
		rows_close(rows);
		return -ENOMEM;
	}
	for (uint32_t w = 0; w < TG_WORKERS_MAX; w++)
		rows->queue[w][0].head = rows->queue[w][1].head = TG_NONE;
	for (uint32_t row = 0; row < rows->legs; row++)
		append(rows, row);
	return 0;
}

void rows_close(struct rows *rows)
{
	free(rows->use);
	free(rows->next);
	free(rows->before);
	rows->use = NULL;
	rows->next = rows->before = NULL;
}

static uint32_t least_used(const struct rows *rows, bool ipv6)
{
	uint32_t best = 0;
	for (uint32_t w = 1; w < rows->cap->workers; w++)
		if (rows->queue[w][ipv6].head != TG_NONE &&
			(rows->queue[best][ipv6].head == TG_NONE || rows->in_use[w] < rows->in_use[best]))
			best = w;
	return best;
}

static void take(struct rows *rows, uint32_t row)
{
	struct rows_queue *q = queue_of(rows, row);
	uint32_t next = rows->next[row], before = rows->before[row];
	if (before == TG_NONE)
		q->head = next;
	else
		rows->next[before] = next;
	if (next == TG_NONE)
		q->tail = before;
	else
		rows->before[next] = before;
	rows->next[row] = rows->before[row] = row; /* in no list */
	rows->in_use[tg_capacity_worker(rows->cap, row)]++;
}

uint32_t rows_take(struct rows *rows, int worker, enum tg_family family)
{
	bool ipv6 = family == TG_FAMILY_IPV6;
	uint32_t w = worker < 0 ? least_used(rows, ipv6) : (uint32_t)worker;
	uint32_t row = rows->queue[w][ipv6].head;
	if (row != TG_NONE)
		take(rows, row);
	return row;
}

void rows_take_this(struct rows *rows, uint32_t row)
{
	if (rows->next[row] != row)
		take(rows, row);
}

void rows_give(struct rows *rows, uint32_t row)
{
	rows->use[row] = (struct row_use){.state = ROW_FREE};
	rows->in_use[tg_capacity_worker(rows->cap, row)]--;
	append(rows, row);
}
