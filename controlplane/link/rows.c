#include "controlplane/link/rows.h"

#include <errno.h>
#include <stdlib.h>

static void append(struct rows *rows, uint32_t row)
{
	uint32_t w = tg_capacity_worker(rows->cap, row);
	rows->next[row] = TG_NONE;
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
	if (!rows->use || !rows->next) {
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
	rows->use = NULL;
	rows->next = NULL;
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

uint32_t rows_take(struct rows *rows, int worker)
{
	uint32_t w = worker < 0 ? least_used(rows) : (uint32_t)worker;
	uint32_t row = rows->head[w];
	if (row == TG_NONE)
		return TG_NONE;
	rows->head[w] = rows->next[row];
	rows->in_use[w]++;
	return row;
}

void rows_take_this(struct rows *rows, uint32_t row)
{
	uint32_t w = tg_capacity_worker(rows->cap, row), *at = &rows->head[w], before = TG_NONE;
	while (*at != TG_NONE && *at != row) {
		before = *at;
		at = &rows->next[*at];
	}
	if (*at == TG_NONE)
		return;
	*at = rows->next[row];
	if (rows->tail[w] == row)
		rows->tail[w] = before;
	rows->in_use[w]++;
}

void rows_give(struct rows *rows, uint32_t row)
{
	rows->use[row] = (struct row_use){.state = ROW_FREE};
	rows->in_use[tg_capacity_worker(rows->cap, row)]--;
	append(rows, row);
}
