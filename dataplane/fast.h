/* The short way of a packet: RTP of an open leg that goes on as the packets before it did, to a leg that
 * hears it. The long way (classify.h, relay.h, rewrite.h) does the same for every packet; this one gives up,
 * without having changed anything, on whatever isn't plain: tags, options, fragments, CSRCs, extensions,
 * padding, events, another source, a packet that is late or over the rate, a leg that is on hold, is heard
 * anew or may latch. Pure: no packet buffers. A test compares both ways bit for bit.
 *
 * The frame's first 64 bytes and the row's first line are one vector each where the processor has AVX-512
 * VBMI: one permutation of the row is what the packet must be, another what it becomes. Elsewhere the same is
 * done in words; fast_wide.h and fast_words.h. */
#ifndef TG_DATAPLANE_FAST_H
#define TG_DATAPLANE_FAST_H

#include "dataplane/fast_wide.h"
#include "dataplane/fast_words.h"

/* True: the packet is taken, counted, rewritten in place, and leaves as *out says. False: it is one for the
 * long way, and nothing has changed. leg: what dp_fast_leg() said of it. */
static inline bool dp_fast_relay(struct dp_legs *l, struct dp_fast *f, uint32_t leg, uint8_t *frame,
	uint32_t bytes, struct dp_fast_out *out)
{
#ifdef DP_FAST_WIDE
	return dp_fast_relay_wide(l, f, leg, frame, bytes, out);
#else
	return dp_fast_relay_words(l, f, leg, frame, bytes, out);
#endif
}

#endif
