/* Offer/answer for the one audio stream of a leg (RFC 3264): pure functions on media descriptions. */
#ifndef TG_CALLS_NEGOTIATION_H
#define TG_CALLS_NEGOTIATION_H

#include <stdbool.h>
#include <stdint.h>

#include "controlplane/calls/media_description.h"

/* What both sides agreed on. rx: as the far end sends it to us; tx: as it wants to get it. */
struct negotiation_agreed {
	struct media_codec codec;
	uint8_t payload_type_rx, payload_type_tx;
	uint8_t event_rx, event_tx; /* telephone-event; MEDIA_PT_NONE: not agreed */
	struct tg_addr remote;      /* unspecified: c=0.0.0.0 */
	uint16_t remote_port;
	uint16_t rtcp_port;             /* of the far end; 0: no RTCP */
	bool rtcp_mux;                  /* RTCP on the port of the RTP, on both sides */
	uint8_t xr;                     /* MEDIA_XR_*: what the far end asks us for */
	enum media_direction direction; /* as we see it: MEDIA_SENDONLY set means that we may send */
	int ptime;                      /* ms that the far end wants to get */
};

enum media_direction negotiation_reverse(enum media_direction direction);

/* local: what we are able to and where: o=, address, port, direction, ptime, codecs in order of preference.
 * The offer has one stream. */
void negotiation_offer(const struct media_description *local, struct media_description *offer);

/* Our answer: the offer's first audio codec that local has too, and telephone-event where both have it; the
 * other streams refused; RTCP on the same port where the offer has that. Returns 0; -ENOTSUP: no usable audio
 * or no codec in common (488); -EAFNOSUPPORT: its address is of another family than local's (488 too). */
int negotiation_answer(const struct media_description *offer, const struct media_description *local,
	struct media_description *answer, struct negotiation_agreed *agreed);

/* What the far end's answer to our offer means. Returns 0; -ENOTSUP: it refused the stream; -EPROTO: it
 * answers something that was not offered, or at an address of another family. */
int negotiation_agree(const struct media_description *offer, const struct media_description *answer,
	struct negotiation_agreed *agreed);

/* Same stream apart from the o= line: then the version must not rise. */
bool negotiation_unchanged(const struct media_description *a, const struct media_description *b);

#endif
