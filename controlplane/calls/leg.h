/* A leg as the session sees it: its dialog, its row in the dataplane, what both ends agreed on. */
#ifndef TG_CALLS_LEG_H
#define TG_CALLS_LEG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/id.h"
#include "controlplane/calls/media_description.h"
#include "controlplane/calls/negotiation.h"
#include "controlplane/link/link.h"
#include "controlplane/sip/ua.h"

#define LEG_TEXT_BYTES 256

enum leg_state {
	LEG_INCOMING, /* invited, we have not answered */
	LEG_CALLING,  /* we invite, nothing but 100 came */
	LEG_RINGING,  /* we invite, it rings */
	LEG_ANSWERED, /* 2xx sent or received */
	LEG_ENDING,   /* rejected, cancelled, BYE sent or received; the user agent still has it */
	LEG_GONE,
};

enum released_by {
	RELEASED_BY_NONE,
	RELEASED_BY_CALLER,
	RELEASED_BY_CALLEE,
	RELEASED_BY_GATEWAY,
	RELEASED_BY_MODULE
};

struct leg {
	enum leg_state state;
	bool outbound;
	bool acked;       /* inbound: our 2xx was acknowledged */
	bool late_offer;  /* inbound: the INVITE had no SDP, ours was the offer */
	bool hold;        /* its far end wants to hear nothing */
	bool row_open;    /* programmed */
	bool row_pending; /* released; its final meter record has not come */
	bool cancelled;   /* we sent CANCEL */
	struct id call;
	char sid[ID_TEXT_BYTES];
	ua_leg ua;
	struct link_row row;
	uint32_t ssrc;
	uint8_t dscp; /* of RTP to it */
	struct media_description local, remote;
	bool have_remote;
	struct negotiation_agreed agreed; /* codec.rate 0: nothing yet */
	char from[LEG_TEXT_BYTES], to[LEG_TEXT_BYTES], target[LEG_TEXT_BYTES];
	char display[LEG_TEXT_BYTES], call_id[LEG_TEXT_BYTES], trunk[40], source[64];
	uint64_t setup_ns, answered_ns;
	int final_status; /* inbound, never answered: what it was refused with */
	bool ringing_recorded, ended_recorded;
};

#endif
