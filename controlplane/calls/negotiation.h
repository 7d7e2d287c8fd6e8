/* Offer/answer for one audio stream (RFC 3264): PCMU, PCMA and telephone-event, 20 ms. Pure. */
#ifndef TG_CALLS_NEGOTIATION_H
#define TG_CALLS_NEGOTIATION_H

#include "controlplane/calls/media_description.h"

/* What both sides agreed on. */
struct negotiation_result {
	struct media_codec audio; /* encoding and rate; payload type as the peer numbers it */
	uint8_t event_pt_rx;	  /* telephone-event as the peer sends it to us, MEDIA_PT_NONE: none */
	uint8_t event_pt_tx;	  /* as the peer wants to get it */
	bool hold;		  /* the peer wants to hear nothing (sendonly, inactive or address 0.0.0.0) */
};

/* An offer of ours: the given codecs in this order (PCMU, PCMA; at least one), and telephone-event 101.
 * ip_be, port: of our row. */
void negotiation_offer(uint32_t ip_be, uint16_t port, const enum media_encoding *codecs, int n, uint64_t session_id,
	struct media_description *offer);
/* Our answer to an offer. wanted: MEDIA_OTHER for the peer's first that we know, else only this codec will do (a
 * call that runs is not re-coded). own: our previous description with its o= line, or NULL for a new one with
 * this session id; the version rises when anything differs. Returns 0, or -ENOTSUP when there is nothing in
 * common (488). Streams but the first usable audio are refused with port 0. */
struct negotiation_local {
	uint32_t ip_be;
	uint16_t port;
	uint64_t session_id;
	enum media_encoding wanted;
	const struct media_description *own;
};
int negotiation_answer(const struct negotiation_local *local, const struct media_description *offer,
	struct media_description *answer, struct negotiation_result *result);
/* What the peer's answer to our offer means. Returns 0, or -ENOTSUP (refused, or a codec that was not offered). */
int negotiation_accept(const struct media_description *offer, const struct media_description *answer,
	struct negotiation_result *result);

#endif
