/* Whether a source that was not signalled may be taken for the far end: pure.
 *
 * It has to send DP_LATCH_PACKETS RTP packets of one SSRC, each newer than the one before, from one address
 * and port, within DP_LATCH_WINDOW_MS. A single packet that is sprayed over all ports, or one that is
 * repeated, gets nowhere; nor does a second source while a first is being watched. The thought behind it is
 * in RFC 7362 section 4. */
#ifndef TG_DATAPLANE_LATCH_H
#define TG_DATAPLANE_LATCH_H

#include <stdbool.h>
#include <stdint.h>

#define DP_LATCH_PACKETS   3
#define DP_LATCH_WINDOW_MS 500

/* The source that is being watched; all zero: none. */
struct dp_latch {
	uint32_t ip_be, ssrc, begun_ms; /* ip_be: 0 for IPv6, where only the signalled host is watched */
	uint16_t port_be, seq;
	uint8_t packets;
};

struct dp_latch_packet {
	uint32_t ip_be, ssrc;
	uint16_t port_be, seq;
	uint32_t at_ms; /* wraps */
};

/* True: with this packet the source has shown enough, and nothing is watched any more. */
bool dp_latch_watch(struct dp_latch *latch, const struct dp_latch_packet *packet);

#endif
