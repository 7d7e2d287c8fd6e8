/* Frames on their way to the ports: gathered into bursts, counted when the port has taken them. */
#ifndef TG_DATAPLANE_TRANSMIT_H
#define TG_DATAPLANE_TRANSMIT_H

#include <stdint.h>

#include "dataplane/capture.h"
#include "dataplane/legs.h"
#include "dataplane/port.h"

struct rte_mbuf;

#define DP_TX_BURST TG_SENDING_MAX

struct dp_tx_lane {
	uint32_t n;
	struct rte_mbuf *mbuf[DP_TX_BURST];
	struct tg_sending_entry sent[DP_TX_BURST];
};

struct dp_transmit {
	struct dp_legs *legs;
	struct dp_capture *capture;
	const struct dp_port *port;
	uint32_t ports;
	uint16_t queue;
	struct dp_tx_lane lane[SETTINGS_PORTS_MAX];
};

/* Writes the headers and queues the frame. mbuf: ownership passes; its data begins with room for the IP and
 * UDP headers, dp_flow_bytes(), and then complete RTP. */
void dp_transmit_rtp(struct dp_transmit *transmit, struct rte_mbuf *mbuf, const struct dp_outgoing *out);
/* Queues a relayed frame that is complete. leg: that it came from. */
void dp_transmit_ready(
	struct dp_transmit *transmit, struct rte_mbuf *mbuf, uint32_t port, uint32_t leg, uint32_t rtp_bytes);
/* Queues a whole frame of the kernel's. */
void dp_transmit_raw(struct dp_transmit *transmit, struct rte_mbuf *mbuf, uint32_t port);
/* Gives everything that is queued to the ports. */
void dp_transmit_flush(struct dp_transmit *transmit);

#endif
