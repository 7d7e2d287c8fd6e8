/* A packet from a far end: counted, its digit taken, and made ready for the leg that hears it. */
#ifndef TG_DATAPLANE_RELAY_H
#define TG_DATAPLANE_RELAY_H

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/classify.h"
#include "dataplane/legs.h"

/* packet: of one of this worker's legs (leg isn't TG_NONE), verdict other than DP_KERNEL. rtp: its RTP header
 * where the verdict is DP_RTP. True: to be sent as *out says. False: it ends here, and is counted. */
bool dp_relay(struct dp_legs *legs, const struct dp_packet *packet, const uint8_t *rtp, uint64_t now_tsc,
	struct dp_outgoing *out);

/* One packet that waited in a port while no worker was there: it says what it says about its far end (counts,
 * digits), and is dropped. Only while the sinks of all legs are still to be joined anew. */
void dp_relay_discard(
	struct dp_legs *legs, const struct dp_packet *packet, const uint8_t *rtp, uint64_t now_tsc);

#endif
