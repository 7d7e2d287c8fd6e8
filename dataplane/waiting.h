/* Packets whose next hop isn't known yet: the first ones of a call to a neighbour that the kernel is still
 * asking for. They wait a moment, in order, as they would in a kernel's own queue. */
#ifndef TG_DATAPLANE_WAITING_H
#define TG_DATAPLANE_WAITING_H

#include <stdint.h>

#include "dataplane/transmit.h"

#define DP_WAITING_MAX 64
/* How long a packet or a prompt waits for its next hop. */
#define DP_WAITING_MS 500

struct dp_waiting {
	uint32_t n;
	struct {
		struct rte_mbuf *mbuf;
		struct dp_outgoing out;
		uint32_t generation, sink; /* of the row it came from: a change since then ends the wait */
		uint64_t until_tsc;
	} slot[DP_WAITING_MAX];
};

/* Takes the mbuf; dropped with its reason if there is no room or no next hop to wait for. */
void dp_waiting_add(struct dp_waiting *waiting, struct dp_transmit *transmit, struct rte_mbuf *mbuf,
	const struct dp_outgoing *out, uint64_t now_tsc);
/* Sends what can be sent, drops what has waited long enough. Cheap when nothing waits. */
void dp_waiting_retry(struct dp_waiting *waiting, struct dp_transmit *transmit, uint64_t now_tsc);

#endif
