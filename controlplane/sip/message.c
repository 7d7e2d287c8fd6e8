#include "controlplane/sip/agent.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

const char *ua_server(void)
{
	return "Tollgate/" TG_VERSION;
}

struct tg_addr ua_source(msg_t *msg)
{
	const su_sockaddr_t *from = msg_addr(msg);
	if (from && from->su_family == AF_INET)
		return tg_addr_ipv4(from->su_sin.sin_addr.s_addr);
	if (from && from->su_family == AF_INET6)
		return tg_addr_ipv6(from->su_sin6.sin6_addr.s6_addr);
	return (struct tg_addr){.family = TG_FAMILY_NONE};
}

/* "[2001:db8::1]" or "198.18.0.1", as a URL has it. */
static bool parse_host(const char *host, struct tg_addr *address)
{
	char text[TG_ADDR_TEXT];
	size_t len = strlen(host);
	bool bracketed = len > 2 && host[0] == '[' && host[len - 1] == ']';
	if (!bracketed)
		return tg_addr_parse(host, address) && address->family == TG_FAMILY_IPV4;
	if (len - 2 >= sizeof(text))
		return false;
	memcpy(text, host + 1, len - 2);
	text[len - 2] = '\0';
	return tg_addr_parse(text, address) && address->family == TG_FAMILY_IPV6;
}

bool ua_target_address(struct sip_leg *leg, struct tg_addr *address)
{
	url_t *url = leg->target ? url_hdup(leg->home, (const url_t *)leg->target) : NULL;
	return url && url->url_host && parse_host(url->url_host, address);
}

struct ua_listen *ua_listen_at(struct ua *ua, uint32_t family)
{
	for (int i = 0; i < ua->listens; i++)
		if (ua->listen[i].address.family == family)
			return &ua->listen[i];
	return &ua->listen[0];
}

const struct ua_listen *ua_listen_of(struct sip_leg *leg)
{
	struct tg_addr peer = leg->peer;
	if (leg->ua->listens > 1 && !peer.family)
		ua_target_address(leg, &peer);
	return ua_listen_at(leg->ua, peer.family);
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

const sip_contact_t *ua_contact(struct sip_leg *leg)
{
	const struct ua_listen *listen = ua_listen_of(leg);
	return leg->tcp && listen->tcp ? listen->tcp : listen->udp;
}
