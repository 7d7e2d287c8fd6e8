/* Has the device bring each leg's packets to its owner's queue (steer_plan.h), by rte_flow. */
#ifndef TG_DATAPLANE_STEER_H
#define TG_DATAPLANE_STEER_H

#include "dataplane/port.h"

/* On a started port. All rules or none: a device that refuses one keeps none, its packets come as RSS spreads
 * them, and workers hand strays over to each other. Logs which of the two it is. With one worker it does
 * nothing. The rules go when the port is closed. */
void dp_steer(const struct dp_port *port, const struct tg_capacity *cap);

#endif
