/* DPDK's telemetry socket, below /tollgate: dpdk-telemetry.py and the collectors that speak its protocol see
 * workers, drops, ports and legs there, and begin and end captures. Handlers run on DPDK's own threads and
 * only read the region. */
#ifndef TG_DATAPLANE_TELEMETRY_H
#define TG_DATAPLANE_TELEMETRY_H

#include <stdint.h>

#include "contract/region.h"
#include "dataplane/capture.h"
#include "dataplane/port.h"

/* Registers the endpoints; to be called when the ports are open. Region, ports and capture stay valid until
 * dp_telemetry_close(). Returns 0 or -errno. */
int dp_telemetry_open(const struct tg_region *region, const struct dp_port *port, uint32_t ports,
	struct dp_capture *capture);
/* From now on the endpoints answer with an error; returns when no handler reads any more. */
void dp_telemetry_close(void);

#endif
