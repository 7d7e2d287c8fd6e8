#include "controlplane/link/rows.h"

#include <errno.h>
#include <stdlib.h>

static void append(struct rows *rows, uint32_t row)
{
	uint32_t w = tg_capacity_worker(rows->cap, row);
	rows->next[row] = TG_NONE;
	rows->before[row] = rows->head[w] == TG_NONE ? TG_NONE : rows->tail[w];
	if (rows->head[w] == TG_NONE)
		rows->head[w] = row;
	else
		rows->next[rows->tail[w]] = row;
	rows->tail[w] = row;
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
		rows->head[w] = TG_NONE;
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

static uint32_t least_used(const struct rows *rows)
{
	uint32_t best = 0;
	for (uint32_t w = 1; w < rows->cap->workers; w++)
		if (rows->head[w] != TG_NONE &&
			(rows->head[best] == TG_NONE || rows->in_use[w] < rows->in_use[best]))
			best = w;
	return best;
}

static void take(struct rows *rows, uint32_t w, uint32_t row)
{
	uint32_t next = rows->next[row], before = rows->before[row];
	if (before == TG_NONE)
		rows->head[w] = next;
	else
		rows->next[before] = next;
	if (next == TG_NONE)
		rows->tail[w] = before;
	else
		rows->before[next] = before;
	rows->next[row] = rows->before[row] = row; /* in no list */
	rows->in_use[w]++;
}

uint32_t rows_take(struct rows *rows, int worker)
{
	uint32_t w = worker < 0 ? least_used(rows) : (uint32_t)worker;
	uint32_t row = rows->head[w];
	if (row != TG_NONE)
		take(rows, w, row);
	return row;
}

void rows_take_this(struct rows *rows, uint32_t row)
{
	if (rows->next[row] != row)
		take(rows, tg_capacity_worker(rows->cap, row), row);
}

void rows_give(struct rows *rows, uint32_t row)
{
	rows->use[row] = (struct row_use){.state = ROW_FREE};
	rows->in_use[tg_capacity_worker(rows->cap, row)]--;
	append(rows, row);
}
