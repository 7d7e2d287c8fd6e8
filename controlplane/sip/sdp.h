/* SDP text (RFC 4566) to and from the value that describes a leg's audio.
 *
 * Our own reader, not Sofia's: that one allocates without end on a format that is no token ("m=image 9 udptl
 * (x)"), so that one packet takes all memory. */
#ifndef TG_SIP_SDP_H
#define TG_SIP_SDP_H

#include <stddef.h>

#include "controlplane/calls/media_description.h"

#define SDP_BYTES_MAX (16 * 1024)
/* Room for whatever sdp_write() makes of a description. */
#define SDP_WRITE_BYTES 2048

/* Reads a body of len bytes. Streams that can't be used (not audio, not RTP/AVP, no unicast address) are
 * no error: they are in refused, and audio is -1 if none is left. A stream with port 0 is taken for the audio
 * only where there is no other. Returns 0; -E2BIG: over 16 KiB or 8 streams; -EINVAL: not SDP. */
int sdp_read(const char *text, size_t len, struct media_description *description);

/* Writes a description; codecs of no known encoding are left out. Returns the length, -EINVAL for a
 * description that has no codec or more streams than there can be, -ENOSPC. */
int sdp_write(const struct media_description *description, char *out, size_t bytes);

#endif
