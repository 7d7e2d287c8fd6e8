/* What an SDP body says about the one audio stream that a leg has, as a value: what SDP text is parsed into
 * and written from (sip/sdp.c), and what offer/answer computes with (calls/negotiation.c). RFC 4566, 3264. */
#ifndef TG_CALLS_MEDIA_DESCRIPTION_H
#define TG_CALLS_MEDIA_DESCRIPTION_H

#include <stdbool.h>
#include <stdint.h>

#include "contract/address.h"

#define MEDIA_CODECS_MAX  16
#define MEDIA_STREAMS_MAX 8
#define MEDIA_PT_NONE     255

enum media_encoding { MEDIA_OTHER, MEDIA_PCMU, MEDIA_PCMA, MEDIA_TELEPHONE_EVENT };
enum media_direction { MEDIA_INACTIVE = 0, MEDIA_SENDONLY = 1, MEDIA_RECVONLY = 2, MEDIA_SENDRECV = 3 };

/* What the sender of a description wants to have in RTCP beyond reports (RFC 3611 section 5). */
#define MEDIA_XR_VOIP (1u << 0) /* voip-metrics */
#define MEDIA_XR_RTT  (1u << 1) /* rcvr-rtt */

struct media_codec {
	enum media_encoding encoding;
	uint8_t payload_type; /* 0 to 127 */
	uint32_t rate;        /* Hz */
};

struct media_description {
	/* o= line: kept for our own; of a peer's only the version matters (unchanged: nothing to do). */
	uint64_t session_id, session_version;
	struct tg_addr address; /* where the far end wants its RTP; 0.0.0.0, ::: old-style hold */
	uint16_t port;          /* 0: stream refused */
	uint16_t rtcp_port;     /* where it wants its RTCP, same address; 0: nowhere. Ours: not said */
	bool rtcp_mux;          /* on the same port, if the other side can (RFC 5761) */
	uint8_t xr;             /* MEDIA_XR_* */
	enum media_direction direction; /* as the sender of this description sees it */
	int ptime;                      /* ms; 0: not said, 20 is meant */
	int codecs;
	struct media_codec codec[MEDIA_CODECS_MAX]; /* in order of preference */
	int streams; /* m= lines in the body; an answer has as many, the others with port 0 */
	int audio;   /* which of them this is; -1: none usable (not audio, not RTP/AVP) */
	char refused[MEDIA_STREAMS_MAX]
		    [48]; /* "video RTP/AVP 96": m= line of stream i without its port, for the answer */
};

#endif
