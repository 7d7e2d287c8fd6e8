/* The command ring: programs by value from the control plane to the worker that owns the leg.
 *
 * A worker takes commands between two bursts. Commands that are chained by `more` are carried out between the
 * same two bursts with the same timestamp: the control plane enqueues a chain at once (tg_ring_push_bulk), so
 * a chain is never seen in part. A command that can't be accepted changes nothing and answers with the event
 * TG_EVENT_REFUSED; the rest of its chain is still carried out. */
#ifndef TG_CONTRACT_COMMAND_H
#define TG_CONTRACT_COMMAND_H

#include <stdint.h>

#include "contract/leg.h"

enum tg_command_kind {
	TG_CMD_PROGRAM =
		1,       /* open a free leg with this generation, or change an open one of this generation */
	TG_CMD_SOURCE,   /* what the leg's far end hears from now on */
	TG_CMD_STINT,    /* close the open stint's part with a meter record, open `stint` */
	TG_CMD_RELEASE,  /* close the part with a final record, free the leg */
	TG_CMD_SNAPSHOT, /* answer with a TG_METER_SNAPSHOT record that carries `tag` */
};

/* Longest chain. */
#define TG_CHAIN_MAX 64

struct tg_command {
	uint8_t kind; /* enum tg_command_kind */
	uint8_t more; /* 1: the next command belongs to the same moment */
	uint16_t pad;
	uint32_t tag; /* chosen by the control plane; comes back in TG_EVENT_REFUSED */
	uint32_t leg;
	uint32_t generation;
	uint32_t stint; /* PROGRAM of a free leg, STINT: number of the stint to open */
	uint32_t pad2;
	union {
		struct tg_leg_program program;
		struct tg_leg_source source;
		uint8_t room[104];
	};
};
_Static_assert(sizeof(struct tg_command) == 128, "command");

#endif
