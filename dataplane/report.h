/* RTCP of a worker's legs on its way to the ports: what dp_rtcp_next() gives, as packets. */
#ifndef TG_DATAPLANE_REPORT_H
#define TG_DATAPLANE_REPORT_H

#include <stdint.h>

#include "dataplane/legs.h"
#include "dataplane/transmit.h"

struct rte_mempool;

/* Sends what is due, so much at most that media doesn't wait. Returns how many were looked at. */
uint32_t dp_report_send(
	struct dp_legs *legs, struct dp_transmit *transmit, struct rte_mempool *pool, uint64_t now_tsc);

#endif
