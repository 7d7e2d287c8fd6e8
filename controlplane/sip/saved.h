/* A leg's dialog as another process wrote it (state.c): read from JSON and checked, nothing of the SIP stack.
 *
 * The writer was a gateway of ours, but what it wrote came partly from peers, and the file may be damaged:
 * whatever passes here is of bounded length, one line per header, and fits its state. */
#ifndef TG_SIP_SAVED_H
#define TG_SIP_SAVED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "controlplane/calls/media_description.h"

#define SAVED_ROUTES_MAX   32
#define SAVED_HEADERS_MAX  16
#define SAVED_INVITE_BYTES (66 * 1024) /* as long as a message may be, and what the stack adds */

enum saved_state {
	SAVED_INVITED,
	SAVED_PREPARED,
	SAVED_CALLING,
	SAVED_ANSWERED,
	SAVED_UNACKNOWLEDGED,
	SAVED_UP,
	SAVED_ENDING,
};

struct saved {
	json_t *json; /* a reference: it owns the strings */
	enum saved_state state;
	bool outgoing, tcp, cancelled, out_authorized, authorization_proxy, bye_challenged;
	struct tg_addr peer; /* NONE: not known yet */
	uint32_t cseq_local, cseq_remote, invite_cseq;
	int attempt;
	const char *call_id, *local, *remote, *local_tag, *branch;
	const char *target; /* "<URI>" of the far end's Contact; NULL where a caller had none */
	const char *uri;    /* request line of our INVITE; outgoing legs */
	const char *route[SAVED_ROUTES_MAX];
	int routes;
	const char *header[SAVED_HEADERS_MAX]; /* "X-Name: value" */
	int headers;
	const char *username, *password, *realm, *authorization; /* or NULL */
	bool offered, sent_any;
	struct media_description offer, sent;
	unsigned char *invite; /* the far end's INVITE that waits, or NULL */
	size_t invite_len;
};

/* Returns 0, -EINVAL: not the state of a dialog, -ENOMEM. saved_free() is due in every case. */
int saved_read(struct saved *saved, const json_t *dialog);
void saved_free(struct saved *saved);

#endif
