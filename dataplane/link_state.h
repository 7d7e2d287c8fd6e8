/* Whether the ports' cables are plugged in, for the log. On the main lcore. */
#ifndef TG_DATAPLANE_LINK_STATE_H
#define TG_DATAPLANE_LINK_STATE_H

#include <stdint.h>

#include "dataplane/port.h"

struct dp_link_state {
	const struct dp_port *port;
	uint32_t ports;
	int socket;    /* for questions to the kernel, or -1: then kernel interfaces count as up */
	uint32_t down; /* bit per port: it was, when looked at last */
};

/* Ports are taken to be up: one that isn't is told of by the first look. */
void dp_link_state_open(struct dp_link_state *state, const struct dp_port *port, uint32_t ports);
void dp_link_state_close(struct dp_link_state *state);
/* Asks every port, and logs those that went down or up since the last look. */
void dp_link_state_look(struct dp_link_state *state);

#endif
