#include "controlplane/sip/agent.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

const char *ua_server(void)
{
	return "Tollgate/" TG_VERSION;
}

uint32_t ua_source_be(msg_t *msg)
{
	const su_sockaddr_t *from = msg_addr(msg);
	return from && from->su_family == AF_INET ? from->su_sin.sin_addr.s_addr : 0;
}

enum ua_body ua_body(const sip_t *sip, struct media_description *sdp)
{
	if (!sip || !sip->sip_payload || !sip->sip_payload->pl_len)
		return UA_BODY_NONE;
	const sip_content_type_t *type = sip->sip_content_type;
	if (!type || !type->c_type || strcasecmp(type->c_type, "application/sdp")) {
		/* handling=optional: may be passed over (RFC 3261 20.11). */
		const sip_content_disposition_t *d = sip->sip_content_disposition;
		return d && d->cd_optional ? UA_BODY_NONE : UA_BODY_UNSUPPORTED;
	}
	if (sip->sip_content_encoding && sip->sip_content_encoding->k_items)
		for (const msg_param_t *p = sip->sip_content_encoding->k_items; *p; p++)
			if (strcasecmp(*p, "identity"))
				return UA_BODY_UNSUPPORTED;
	return sdp_read(sip->sip_payload->pl_data, sip->sip_payload->pl_len, sdp) ? UA_BODY_UNREADABLE
										  : UA_BODY_SDP;
}

/* Do both say the same, whatever their o= lines are? */
static bool same_content(const struct media_description *a, const struct media_description *b)
{
	char one[SDP_WRITE_BYTES], other[SDP_WRITE_BYTES];
	struct media_description x = *a, y = *b;
	x.session_id = y.session_id = x.session_version = y.session_version = 0;
	return sdp_write(&x, one, sizeof(one)) > 0 && sdp_write(&y, other, sizeof(other)) > 0 &&
	       !strcmp(one, other);
}

int ua_sdp_text(struct sip_leg *leg, const struct media_description *sdp, char out[static SDP_WRITE_BYTES])
{
	struct media_description d = *sdp;
	/* A description that differs must have a higher version than the last one sent, whatever order the
	 * caller's versions come in (an offer that is tried again after a 491 may be older). RFC 3264 8. */
	if (leg->sent_any) {
		d.session_id = leg->sent.session_id;
		if (same_content(&d, &leg->sent))
			d.session_version = leg->sent.session_version;
		else if (d.session_version <= leg->sent.session_version)
			d.session_version = leg->sent.session_version + 1;
	}
	int n = sdp_write(&d, out, SDP_WRITE_BYTES);
	if (n < 0)
		return n;
	leg->sent = d;
	leg->sent_any = true;
	return 0;
}

const sip_contact_t *ua_contact(const struct sip_leg *leg)
{
	return leg->tcp && leg->ua->contact_tcp ? leg->ua->contact_tcp : leg->ua->contact_udp;
}
