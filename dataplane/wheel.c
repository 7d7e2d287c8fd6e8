#include "dataplane/wheel.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS_PER_S (1000000 / DP_WHEEL_SLOT_US)
#define ROOM_MIN    8

static uint64_t due_tsc(const struct dp_wheel *w, uint64_t slot)
{
	return w->start_tsc + (uint64_t)((unsigned __int128)slot * w->hz / SLOTS_PER_S);
}

static void go_to(struct dp_wheel *w, uint64_t slot)
{
	w->next = slot;
	w->cursor = 0;
	w->next_due = due_tsc(w, slot);
}

int dp_wheel_open(struct dp_wheel *w, uint32_t legs, uint64_t hz, uint64_t now_tsc)
{
	memset(w, 0, sizeof(*w));
	/* Twice the even share: a new leg finds room near where it wants to be. */
	w->room = 2 * (legs / DP_WHEEL_SLOTS + 1);
	if (w->room < ROOM_MIN)
		w->room = ROOM_MIN;
	w->entry = calloc((size_t)w->room * DP_WHEEL_SLOTS, sizeof(*w->entry));
	if (!w->entry)
		return -ENOMEM;
	w->hz = hz;
	w->start_tsc = now_tsc;
	go_to(w, 0);
	return 0;
}

void dp_wheel_close(struct dp_wheel *w)
{
	free(w->entry);
	w->entry = NULL;
}

/* Number of the slot that a moment falls into. */
static uint64_t slot_at(const struct dp_wheel *w, uint64_t tsc)
{
	if (tsc <= w->start_tsc)
		return 0;
	return (uint64_t)((unsigned __int128)(tsc - w->start_tsc) * SLOTS_PER_S / w->hz);
}

uint32_t dp_wheel_add(struct dp_wheel *w, uint32_t leg, uint64_t not_before_tsc)
{
	uint64_t at = slot_at(w, not_before_tsc);
	if (due_tsc(w, at) < not_before_tsc)
		at++;
	/* The slots that can be told apart are those of one turn; one that is later by as much as the wheel
	 * is behind comes up that much early. */
	if (at < w->next)
		at = w->next;
	if (at >= w->next + DP_WHEEL_SLOTS)
		at = w->next + DP_WHEEL_SLOTS - 1;
	for (uint32_t i = 0; i < DP_WHEEL_SLOTS; i++, at++) {
		uint32_t slot = (uint32_t)(at % DP_WHEEL_SLOTS);
		if (w->count[slot] == w->room)
			continue;
		w->entry[(size_t)slot * w->room + w->count[slot]++] = leg;
		w->active++;
		return slot;
	}
	return DP_WHEEL_SLOTS; /* more legs than the wheel was opened for */
}

bool dp_wheel_remove(struct dp_wheel *w, uint32_t slot, uint32_t leg)
{
	if (slot >= DP_WHEEL_SLOTS)
		return false;
	uint32_t *e = w->entry + (size_t)slot * w->room, at = 0;
	while (at < w->count[slot] && e[at] != leg)
		at++;
	if (at == w->count[slot])
		return false;
	/* In the slot that is being done, the hole must not be filled with one that has yet to come up. */
	if (slot == w->next % DP_WHEEL_SLOTS && at < w->cursor) {
		w->cursor--;
		e[at] = e[w->cursor];
		at = w->cursor;
	}
	e[at] = e[--w->count[slot]];
	w->active--;
	return true;
}

void dp_wheel_advance(struct dp_wheel *w, uint64_t now_tsc)
{
	uint64_t now = slot_at(w, now_tsc), limit = DP_WHEEL_SLOTS * DP_WHEEL_CATCH_UP_FRAMES;
	if (now <= w->next)
		return;
	if (!w->active) {
		go_to(w, now);
		return;
	}
	uint64_t behind = now - w->next;
	if (behind <= limit)
		return;
	/* Whole turns: the slot is the same, and goes on where it was. */
	w->next += (behind - limit + DP_WHEEL_SLOTS - 1) / DP_WHEEL_SLOTS * DP_WHEEL_SLOTS;
	w->next_due = due_tsc(w, w->next);
}

bool dp_wheel_due(struct dp_wheel *w, uint64_t now_tsc, uint32_t *leg, uint64_t *due)
{
	while (w->active && w->next_due <= now_tsc) {
		uint32_t slot = (uint32_t)(w->next % DP_WHEEL_SLOTS);
		if (w->cursor < w->count[slot]) {
			*leg = w->entry[(size_t)slot * w->room + w->cursor++];
			*due = w->next_due;
			return true;
		}
		go_to(w, w->next + 1);
	}
	return false;
}

uint64_t dp_wheel_quiet_until(const struct dp_wheel *w, uint64_t until_tsc)
{
	if (!w->active)
		return until_tsc;
	uint32_t from = w->cursor;
	for (uint64_t at = w->next; at < w->next + DP_WHEEL_SLOTS; at++, from = 0) {
		uint64_t due = due_tsc(w, at);
		if (due >= until_tsc)
			break;
		if (w->count[at % DP_WHEEL_SLOTS] > from)
			return due;
	}
	return until_tsc;
}
