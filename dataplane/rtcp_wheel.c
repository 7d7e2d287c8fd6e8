#include "dataplane/rtcp_wheel.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "contract/bounds.h"

#define MS_PER_S 1000

int dp_rtcp_wheel_open(struct dp_rtcp_wheel *w, uint32_t rows, uint64_t hz, uint64_t now_tsc)
{
	memset(w, 0, sizeof(*w));
	w->next = malloc(rows * sizeof(*w->next));
	w->previous = malloc(rows * sizeof(*w->previous));
	w->slot = malloc(rows * sizeof(*w->slot));
	if (!w->next || !w->previous || !w->slot) {
		dp_rtcp_wheel_close(w);
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < DP_RTCP_SLOTS; i++)
		w->head[i] = TG_NONE;
	for (uint32_t leg = 0; leg < rows; leg++)
		w->slot[leg] = DP_RTCP_SLOTS;
	w->start_tsc = now_tsc;
	w->slot_ticks = hz * DP_RTCP_SLOT_MS / MS_PER_S;
	return 0;
}

void dp_rtcp_wheel_close(struct dp_rtcp_wheel *w)
{
	free(w->next);
	free(w->previous);
	free(w->slot);
	w->next = w->previous = NULL;
	w->slot = NULL;
}

static uint64_t slot_at(const struct dp_rtcp_wheel *w, uint64_t tsc)
{
	return tsc <= w->start_tsc ? 0 : (tsc - w->start_tsc) / w->slot_ticks;
}

void dp_rtcp_wheel_add(struct dp_rtcp_wheel *w, uint32_t leg, uint64_t due_tsc)
{
	dp_rtcp_wheel_remove(w, leg);
	uint64_t at = slot_at(w, due_tsc) + 1; /* a slot comes up at its begin */
	if (at < w->done)
		at = w->done;
	if (at >= w->done + DP_RTCP_SLOTS)
		at = w->done + DP_RTCP_SLOTS - 1;
	uint32_t slot = (uint32_t)(at % DP_RTCP_SLOTS), first = w->head[slot];
	w->slot[leg] = (uint16_t)slot;
	w->previous[leg] = TG_NONE;
	w->next[leg] = first;
	if (first != TG_NONE)
		w->previous[first] = leg;
	w->head[slot] = leg;
	w->legs++;
}

void dp_rtcp_wheel_remove(struct dp_rtcp_wheel *w, uint32_t leg)
{
	uint32_t slot = w->slot[leg], next, previous;
	if (slot == DP_RTCP_SLOTS)
		return;
	next = w->next[leg];
	previous = w->previous[leg];
	if (next != TG_NONE)
		w->previous[next] = previous;
	if (previous != TG_NONE)
		w->next[previous] = next;
	else
		w->head[slot] = next;
	w->slot[leg] = DP_RTCP_SLOTS;
	w->legs--;
}

uint32_t dp_rtcp_wheel_due(struct dp_rtcp_wheel *w, uint64_t now_tsc)
{
	uint64_t now = slot_at(w, now_tsc);
	if (!w->legs) {
		if (w->done < now)
			w->done = now;
		return TG_NONE;
	}
	for (; w->done <= now; w->done++) {
		uint32_t leg = w->head[w->done % DP_RTCP_SLOTS];
		if (leg == TG_NONE)
			continue;
		dp_rtcp_wheel_remove(w, leg);
		return leg;
	}
	return TG_NONE;
}
