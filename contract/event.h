/* The event ring: "this leg has news", from the owning worker to the control plane.
 *
 * What must not be lost is kept in the egress record (digits, finished plays, timeouts, latches); the event
 * only says where to look. If the ring is full the event is not sent and the worker's events_missed is
 * counted up; the control plane then looks at all its legs. A refusal is the exception: nothing keeps it, so
 * the worker offers it again before it takes the next command. */
#ifndef TG_CONTRACT_EVENT_H
#define TG_CONTRACT_EVENT_H

#include <stdint.h>

enum tg_event_kind { TG_EVENT_NEWS = 1, TG_EVENT_REFUSED };

enum tg_refusal {
	TG_REFUSED_KIND = 1,   /* unknown command */
	TG_REFUSED_LEG,        /* index out of range or another worker's */
	TG_REFUSED_GENERATION, /* stale, zero, or the leg is in use by another */
	TG_REFUSED_PROGRAM,    /* a value out of range */
	TG_REFUSED_SOURCE,     /* peer or item doesn't exist, is stale, or another worker's */
	TG_REFUSED_BUSY,       /* the meter ring is full: the leg's last record is still waiting */
};
/* A sentence for each, for logs; "unknown refusal" for anything else. */
const char *tg_refusal_text(int refusal);

struct tg_event {
	uint8_t kind;    /* enum tg_event_kind */
	uint8_t refusal; /* REFUSED: enum tg_refusal */
	uint16_t pad;
	uint32_t leg, generation;
	uint32_t tag; /* REFUSED: of the command */
};
_Static_assert(sizeof(struct tg_event) == 16, "event");

#endif
