/* 401 and 407 to requests of ours. Credentials answer the first realm that the target named, and no other:
 * nobody whom the call meets further on, and nobody at another address, gets a hash of the password to guess
 * from. */
#include "controlplane/sip/agent.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <sofia-sip/url.h>

#include "base/log.h"

static bool from_target(struct sip_leg *leg, nta_outgoing_t *orq)
{
	struct tg_addr host, source;
	if (!ua_target_address(leg, &host))
		return true; /* a name: whoever it resolved to has answered */
	msg_t *msg = nta_outgoing_getresponse(orq);
	source = msg ? ua_source(msg) : (struct tg_addr){.family = TG_FAMILY_NONE};
	msg_destroy(msg);
	return tg_addr_equal(&source, &host);
}

/* The strongest of the challenges that can be answered. */
static const msg_auth_t *choose(const msg_auth_t *list, struct digest_challenge *challenge)
{
	const msg_auth_t *best = NULL;
	enum digest_algorithm strongest = DIGEST_UNKNOWN;
	for (const msg_auth_t *a = list; a; a = a->au_next) {
		struct digest_challenge c = {a->au_scheme, (const char *const *)a->au_params};
		enum digest_algorithm algorithm = digest_algorithm_of(&c);
		if (algorithm > strongest) {
			strongest = algorithm;
			best = a;
			*challenge = c;
		}
	}
	return best;
}

static bool is_pinned_realm(struct sip_leg *leg, const struct digest_challenge *challenge)
{
	char realm[DIGEST_REALM_BYTES];
	if (digest_realm(challenge, realm))
		return false;
	if (!leg->realm)
		leg->realm = su_strdup(leg->home, realm);
	return leg->realm && !strcmp(leg->realm, realm);
}

bool ua_challenge_answer(struct sip_leg *leg, nta_outgoing_t *orq, const sip_t *sip, const char *method)
{
	struct digest_challenge challenge;
	char cnonce[UA_TAG_BYTES], value[DIGEST_HEADER_BYTES];
	bool proxy = sip->sip_status->st_status == 407;
	if (!leg->username || !leg->password || !from_target(leg, orq))
		return false;
	if (!choose(proxy ? sip->sip_proxy_authenticate : sip->sip_www_authenticate, &challenge) ||
		!is_pinned_realm(leg, &challenge) || ua_random_text(cnonce))
		return false;
	const char *uri = url_as_string(leg->home, nta_outgoing_request_uri(orq));
	if (!uri)
		return false;
	struct digest_request request = {method, uri, leg->username, leg->password, cnonce};
	if (digest_answer(&challenge, &request, value, sizeof(value)))
		return false;
	leg->authorization = su_strdup(leg->home, value);
	leg->authorization_proxy = proxy;
	return leg->authorization != NULL;
}
