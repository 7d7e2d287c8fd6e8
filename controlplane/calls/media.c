#include "controlplane/calls/session.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "controlplane/calls/negotiation.h"

static void agree(struct leg *l, const struct negotiation_agreed *agreed)
{
	struct tg_addr before = l->agreed.remote;
	l->agreed = *agreed;
	/* c=0.0.0.0 is a hold: where the far end is stays what it was. */
	if (tg_addr_is_unspecified(&l->agreed.remote))
		l->agreed.remote = before;
	l->hold = !(agreed->direction & MEDIA_SENDONLY);
}

static uint64_t sdp_session_id(const struct session *s)
{
	/* Positive in every parser's signed 64 bits; RFC 4566 wants a number. */
	uint64_t v = 0;
	for (int i = 0; i < 6; i++)
		v = v << 8 | s->id.b[i];
	return v;
}

/* What we are able to on this leg's row. only: MEDIA_OTHER for every codec, else this one. */
static struct media_description able(const struct session *s, const struct leg *l, enum media_encoding only)
{
	struct media_description d = {.session_id = sdp_session_id(s),
		.session_version = l->local.session_version,
		.address = l->local.address,
		.port = l->local.port,
		.direction = MEDIA_SENDRECV,
		.ptime = 20,
		.streams = 1};
	if (only != MEDIA_PCMA)
		d.codec[d.codecs++] = (struct media_codec){MEDIA_PCMU, 0, 8000};
	if (only != MEDIA_PCMU)
		d.codec[d.codecs++] = (struct media_codec){MEDIA_PCMA, 8, 8000};
	d.codec[d.codecs++] = (struct media_codec){MEDIA_TELEPHONE_EVENT, 101, 8000};
	return d;
}

/* Codes of a Warning header, RFC 3261 20.43. */
#define WARNING_ADDRESS 301
#define WARNING_FORMAT  305

/* Decides the answer to the caller's offer, or our offer where it made none, so that a call that can't have
 * media is refused before anything else happens. */
bool media_answer_incoming(struct session *s, const struct session_env *env, struct media_refusal *refusal)
{
	struct leg *l = s->leg[0];
	struct media_description local = able(s, l, MEDIA_OTHER);
	if (l->late_offer) {
		negotiation_offer(&local, &l->local);
		return true;
	}
	struct negotiation_agreed agreed;
	int e = negotiation_answer(&l->remote, &local, &l->local, &agreed);
	if (!e) {
		agree(l, &agreed);
		return true;
	}
	*refusal = e == -EAFNOSUPPORT
			   ? (struct media_refusal){WARNING_ADDRESS, "no-common-address-family",
				     "No address family in common: the offer's address can't be reached"}
			   : (struct media_refusal){WARNING_FORMAT, "no-common-codec",
				     "No audio in common: PCMU or PCMA over RTP/AVP"};
	return false;
}

/* Our offer to a callee: what the caller has, since nothing is re-coded. */
void media_offer(struct session *s, int leg)
{
	const struct leg *a = s->leg[0];
	struct leg *l = s->leg[leg];
	struct media_description local = able(
		s, l, a->agreed.codec.rate ? a->agreed.codec.encoding : MEDIA_OTHER);
	negotiation_offer(&local, &l->local);
}

/* The peer's answer to an offer of ours. */
bool media_remote_answered(struct session *s, int leg, const struct media_description *answer)
{
	struct leg *l = s->leg[leg];
	const struct leg *a = s->leg[0];
	struct negotiation_agreed agreed;
	if (negotiation_agree(&l->local, answer, &agreed))
		return false;
	if (leg != 0 && a->agreed.codec.rate && agreed.codec.encoding != a->agreed.codec.encoding)
		return false;
	l->remote = *answer;
	l->have_remote = true;
	agree(l, &agreed);
	return true;
}

/* Behind a NAT the SDP names an address that nobody reaches: media comes from where the INVITE came from,
 * from a port that the latch finds out. */
static struct tg_addr media_host(const struct session *s, const struct leg *l)
{
	char host[TG_ADDR_TEXT];
	struct tg_addr from;
	const char *at = l->source[0] == '[' ? l->source + 1 : l->source;
	size_t n = strcspn(at, at > l->source ? "]" : ":");
	if (!s->latch || l->outbound || n >= sizeof(host))
		return l->agreed.remote;
	memcpy(host, at, n);
	host[n] = '\0';
	/* Signalling may use the other family. */
	return tg_addr_parse(host, &from) && from.family == l->local.address.family ? from : l->agreed.remote;
}

static uint8_t flags_of(const struct session *s, const struct leg *l)
{
	const struct negotiation_agreed *a = &l->agreed;
	return (uint8_t)((s->latch ? TG_LEG_LATCH : 0) | (l->hold ? TG_LEG_HOLD : 0) |
			 (a->rtcp_mux ? TG_LEG_MUX : 0) | (a->xr & MEDIA_XR_VOIP ? TG_LEG_VOIP : 0) |
			 (a->xr & MEDIA_XR_RTT ? TG_LEG_RTT : 0));
}

static struct tg_leg_program program_of(const struct session *s, const struct leg *l)
{
	struct tg_addr remote = media_host(s, l);
	uint16_t port = l->agreed.remote_port;
	if (tg_addr_is_unspecified(&remote) || !port) { /* on hold from the beginning: nowhere yet */
		remote = (struct tg_addr){.family = TG_FAMILY_NONE};
		port = 0;
	}
	return (struct tg_leg_program){.remote = remote,
		.remote_port_be = __builtin_bswap16(port),
		.flags = flags_of(s, l),
		.frame_ms = 20,
		.rx = {l->agreed.payload_type_rx, l->agreed.event_rx},
		.tx = {l->agreed.payload_type_tx, l->agreed.event_tx},
		.clock_khz = 8,
		.dscp = l->dscp,
		.rtcp_port_be = __builtin_bswap16(l->agreed.rtcp_mux ? 0 : l->agreed.rtcp_port),
		.ssrc = l->ssrc,
		.media_timeout_ms = s->media_timeout_ms};
}

static struct tg_command *command(struct link_chain *chain, enum tg_command_kind kind, const struct leg *l)
{
	if (chain->n == TG_CHAIN_MAX)
		return NULL;
	struct tg_command *c = &chain->command[chain->n++];
	*c = (struct tg_command){.kind = (uint8_t)kind, .leg = l->row.row, .generation = l->row.generation};
	return c;
}

/* Opens the leg's row, or changes it. A late offer's far end isn't known yet: nothing to program. */
void media_program(struct session *s, int leg, struct link_chain *chain, const struct session_env *env)
{
	struct leg *l = s->leg[leg];
	struct tg_command *c = l->have_remote && !l->row_pending && l->row.generation
				       ? command(chain, TG_CMD_PROGRAM, l)
				       : NULL;
	if (!c)
		return;
	c->program = program_of(s, l);
	c->stint = s->stint;
	if (l->row_open)
		return;
	l->row_open = true;
	session_fact(s, FACT_leg_media, record_leg_media(s, leg, env));
}

void media_hear(struct session *s, int leg, struct link_chain *chain, const struct tg_leg_source *source)
{
	struct leg *l = s->leg[leg];
	struct tg_command *c = l->row_open && !l->row_pending ? command(chain, TG_CMD_SOURCE, l) : NULL;
	if (c)
		c->source = *source;
}

void media_submit(struct session *s, struct link_chain *chain)
{
	if (!chain->n)
		return;
	struct action *a = session_add(s, ACTION_CHAIN, -1);
	if (!a)
		return;
	a->chain = malloc(sizeof(*a->chain));
	if (a->chain)
		*a->chain = *chain;
}

/* Releases the rows of all legs, or of one. */
void media_release_rows(struct session *s, int only_leg)
{
	struct link_chain chain = {.n = 0};
	for (int i = 0; i < s->legs; i++) {
		struct leg *l = s->leg[i];
		if ((only_leg >= 0 && i != only_leg) || !l->row_open || l->row_pending)
			continue;
		if (command(&chain, TG_CMD_RELEASE, l)) {
			l->row_pending = true;
			l->hold = false;
		}
	}
	media_submit(s, &chain);
}

void media_refuse(struct session *s, int leg, const struct media_refusal *refusal)
{
	struct action *a = session_add(s, ACTION_RESPOND, leg);
	if (!a)
		return;
	a->status = 488;
	a->warning = refusal->warning;
	a->text = strdup(refusal->reason);
}

static void respond(
	struct session *s, int leg, int status, const struct media_description *sdp, const char *reason)
{
	struct action *a = session_add(s, ACTION_RESPOND, leg);
	if (!a)
		return;
	a->status = status;
	a->text = reason ? strdup(reason) : NULL;
	if (!sdp)
		return;
	a->sdp = malloc(sizeof(*a->sdp));
	if (a->sdp)
		*a->sdp = *sdp;
}

/* Hold, resume, another address, a session refresh. The codec stays. */
void media_reinvite(struct session *s, int leg, const struct ua_event *ev, const struct session_env *env)
{
	struct leg *l = s->leg[leg];
	if (s->state != SESSION_RUNNING || l->state != LEG_ANSWERED) {
		respond(s, leg, 481, NULL, NULL);
		return;
	}
	if (ev->bad_sdp) {
		respond(s, leg, 400, NULL, "SDP that can't be read");
		return;
	}
	if (!ev->sdp) { /* asks for an offer: what is in force; the ACK brings the answer */
		l->late_offer = true;
		respond(s, leg, 200, &l->local, NULL);
		return;
	}
	struct media_description local = able(s, l, l->agreed.codec.encoding), answer;
	struct negotiation_agreed agreed;
	int e = negotiation_answer(ev->sdp, &local, &answer, &agreed);
	if (e) {
		bool family = e == -EAFNOSUPPORT;
		media_refuse(s, leg,
			&(struct media_refusal){family ? WARNING_ADDRESS : WARNING_FORMAT, NULL,
				family ? "the address family in use must stay"
				       : "the codec in use must stay"});
		return;
	}
	if (!negotiation_unchanged(&answer, &l->local))
		answer.session_version++;
	l->local = answer;
	l->remote = *ev->sdp;
	agree(l, &agreed);
	struct link_chain chain = {.n = 0};
	media_program(s, leg, &chain, env);
	media_submit(s, &chain);
	respond(s, leg, 200, &l->local, NULL);
	log_info(calls, s->text, "media-changed", "call=%s hold=%d", l->sid, l->hold);
}
