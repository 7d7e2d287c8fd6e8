/* Which rows are free: per worker and family a queue, so that the port that was free longest is used next. */
#ifndef TG_LINK_ROWS_H
#define TG_LINK_ROWS_H

#include <stdint.h>

#include "contract/region.h"

enum row_state { ROW_FREE, ROW_RESERVED, ROW_OPEN, ROW_RELEASING };

struct row_use {
	uint32_t generation;
	uint8_t state;  /* enum row_state */
	uint32_t ended; /* of a free row: the generation whose final record came last */
	/* What of the egress record's news has been passed on. */
	uint32_t digits, play_done, media_timeouts, latches;
};

struct rows {
	const struct tg_capacity *cap;
	uint32_t legs;
	struct row_use *use;
	uint32_t *next, *before; /* free list, TG_NONE at its ends */
	struct rows_queue {
		uint32_t head, tail;
	} queue[TG_WORKERS_MAX][2]; /* IPv4, IPv6 */
	uint32_t in_use[TG_WORKERS_MAX];
};

/* All rows free. Returns 0 or -ENOMEM. */
int rows_open(struct rows *rows, const struct tg_capacity *cap);
void rows_close(struct rows *rows);
/* Takes the first free row of this family of a worker, or of the least used one for -1. TG_NONE if there is
 * none. */
uint32_t rows_take(struct rows *rows, int worker, enum tg_family family);
/* Takes this very row, which a predecessor left in use. */
void rows_take_this(struct rows *rows, uint32_t row);
void rows_give(struct rows *rows, uint32_t row);

#endif
