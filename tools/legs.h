/* Legs that are programmed now, copied out of the region. What is there is believed in nothing. */
#ifndef TG_TOOLS_LEGS_H
#define TG_TOOLS_LEGS_H

#include "base/id.h"
#include "tools/tool.h"

#define LEG_SHOWN_BYTES 100 /* of a text of the region, escaped */

struct leg {
	uint32_t row, generation, worker, stint;
	char session[ID_TEXT_BYTES], call[ID_TEXT_BYTES];
	char module[LEG_SHOWN_BYTES], from[LEG_SHOWN_BYTES], to[LEG_SHOWN_BYTES];
	bool outbound;
	const char *state; /* "hold", "play", "relay", "silent"; "starting" until the worker has it */
	uint64_t since_ns, seconds;
	/* In the open stint. */
	uint64_t rx_packets, rx_octets, tx_packets, tx_octets, played_packets, dropped_packets;
	uint32_t jitter_us;
	struct tg_quality_figures quality; /* since the leg was made, as of the last report */
	struct tg_leg_program program;
	struct tg_leg_source source;
	uint32_t digits, media_timeouts, latches; /* since the leg was made */
};

/* Legs in order of their rows; *legs is the caller's to free. Returns 0 or -ENOMEM. A row that is written to
 * all the time is left out. */
int legs_read(const struct tg_region *region, uint64_t now_ns, struct leg **legs, size_t *count);
/* By session, then by row: so that a session's legs are together. */
void legs_sort(struct leg *legs, size_t count);
/* A new reference, NULL when memory is out. */
json_t *leg_json(const struct tg_region *region, const struct leg *leg);

#endif
