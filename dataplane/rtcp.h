/* A leg's RTCP (RFC 3550): takes what the far end reports, says what ours are and when, and BYE at the end.
 * A call of two is a session of two members: the interval is the minimum, spread by random and checked again
 * when it is over (6.3.6). Frames go out as values, as everywhere in the core. */
#ifndef TG_DATAPLANE_RTCP_H
#define TG_DATAPLANE_RTCP_H

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/classify.h"
#include "dataplane/legs.h"
#include "dataplane/rtcp_write.h"

/* The shortest interval that RFC 3550 lets everybody use (6.2). */
#define DP_RTCP_MINIMUM_MS 5000
/* Packets that a far end may send in a second, and at once. Two in ten seconds is what a call makes. */
#define DP_RTCP_PER_S 50

/* Returns 0 or -ENOMEM. */
int dp_rtcp_open(struct dp_rtcp *rtcp, uint32_t rows, uint64_t hz, uint64_t now_tsc);
void dp_rtcp_close(struct dp_rtcp *rtcp);

/* A leg is there, new or taken over: its first report is scheduled. */
void dp_rtcp_begin(struct dp_legs *legs, uint32_t leg, uint64_t now_tsc);
/* It is about to be freed by a command: its BYE waits to be sent. */
void dp_rtcp_bye(struct dp_legs *legs, uint32_t leg, uint64_t now_tsc);
/* It is freed: no report any more. */
void dp_rtcp_end(struct dp_legs *legs, uint32_t leg);

/* A packet of the verdict DP_RTCP; bytes: its UDP payload. Counted, taken or dropped by name. */
void dp_rtcp_take(
	struct dp_legs *legs, const struct dp_packet *packet, const uint8_t *bytes, uint64_t now_tsc);

/* The next packet that is to be sent. Looks at up to *budget legs and lowers it by those it looked at. True:
 * out->rtp_bytes of `bytes` are to be sent as *out says. False: nothing more, or the budget is used up. */
bool dp_rtcp_next(struct dp_legs *legs, uint64_t now_tsc, uint32_t *budget, struct dp_outgoing *out,
	uint8_t bytes[static DP_RTCP_BYTES_MAX]);

#endif
