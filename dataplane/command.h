/* The worker's end of the command ring: validates commands and carries them out between two bursts. */
#ifndef TG_DATAPLANE_COMMAND_H
#define TG_DATAPLANE_COMMAND_H

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/legs.h"

struct dp_commands {
	bool stalled;  /* a chain waits for room in the meter or event ring */
	bool underway; /* a command was carried out since the start */
};

/* Carries out what waits, in whole chains and at most about TG_CHAIN_MAX commands, then lets packets go on. A
 * chain begins only when the rings have room for all its records and refusals, so it is never torn and no
 * record is ever lost; until then it stays in the command ring. A command leaves the ring when it was carried
 * out: after a crash the last one may be seen twice, which changes nothing. Returns the number carried out.
 */
uint32_t dp_commands_run(struct dp_commands *commands, struct dp_legs *legs, uint64_t now_tsc);

/* Carries out one command. Returns 0 or enum tg_refusal. */
int dp_command_do(struct dp_legs *legs, const struct tg_command *command, uint64_t now_tsc, uint64_t now_ns);

#endif
