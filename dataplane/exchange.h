/* The rings inside the dataplane: frames that arrived at the wrong worker, frames for and from the kernel.
 * One producer and one consumer each. */
#ifndef TG_DATAPLANE_EXCHANGE_H
#define TG_DATAPLANE_EXCHANGE_H

#include <stdint.h>

#include "contract/bounds.h"

struct rte_ring;

#define DP_HANDOVER_RING 1024
#define DP_KERNEL_RING   512

struct dp_exchange {
	uint32_t workers;
	struct rte_ring *handover[TG_WORKERS_MAX][TG_WORKERS_MAX]; /* [from][to]; NULL on the diagonal */
	struct rte_ring *to_kernel[TG_WORKERS_MAX];                /* worker to main lcore */
	struct rte_ring *from_kernel;                              /* main lcore to worker 0 */
};

/* Returns 0 or -ENOMEM; then nothing is left behind. */
int dp_exchange_open(struct dp_exchange *exchange, uint32_t workers);
/* Frees the rings and what lies in them. No other thread uses them any more. */
void dp_exchange_close(struct dp_exchange *exchange);

#endif
