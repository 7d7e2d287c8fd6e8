/* What a worker keeps for its legs' RTCP beside the rows; inside struct dp_legs. */
#ifndef TG_DATAPLANE_RTCP_STATE_H
#define TG_DATAPLANE_RTCP_STATE_H

#include "dataplane/police.h"
#include "dataplane/rtcp_wheel.h"

struct dp_rtcp_goodbye;

struct dp_rtcp {
	struct dp_rtcp_wheel wheel;
	uint32_t minimum_ms; /* of the interval */
	struct dp_rate rate; /* of packets that a far end may send */
	uint32_t *paid;      /* by leg: its bucket (police.h) */
	uint64_t random;
	/* BYEs of legs that are gone, until they can be sent: a ring. */
	struct dp_rtcp_goodbye *goodbye;
	uint32_t first, goodbyes;
};

#endif
