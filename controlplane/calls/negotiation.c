#include "controlplane/calls/negotiation.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#define PTIME_DEFAULT_MS 20

enum media_direction negotiation_reverse(enum media_direction d)
{
	return (enum media_direction)(
		((d & MEDIA_SENDONLY) ? MEDIA_RECVONLY : 0) | ((d & MEDIA_RECVONLY) ? MEDIA_SENDONLY : 0));
}

static bool is_audio(const struct media_codec *c)
{
	return c->encoding == MEDIA_PCMU || c->encoding == MEDIA_PCMA;
}

static const struct media_codec *find(
	const struct media_description *d, enum media_encoding encoding, uint32_t rate)
{
	for (int i = 0; i < d->codecs; i++)
		if (d->codec[i].encoding == encoding && d->codec[i].rate == rate)
			return &d->codec[i];
	return NULL;
}

/* The first audio codec of `wanted` that `able` has too. */
static const struct media_codec *first_common(
	const struct media_description *wanted, const struct media_description *able)
{
	for (int i = 0; i < wanted->codecs; i++) {
		const struct media_codec *c = &wanted->codec[i];
		if (is_audio(c) && find(able, c->encoding, c->rate))
			return c;
	}
	return NULL;
}

/* Address, port and direction of the far end; ours is what we said about the direction. */
static void agree_transport(
	struct negotiation_agreed *agreed, const struct media_description *remote, enum media_direction ours)
{
	agreed->remote = remote->address;
	agreed->remote_port = remote->port;
	agreed->direction = ours & negotiation_reverse(remote->direction);
	/* c=0.0.0.0: nothing may be sent, whatever the attribute says (RFC 3264 8.4). */
	if (tg_addr_is_unspecified(&remote->address))
		agreed->direction &= ~MEDIA_SENDONLY;
	if (!remote->port)
		agreed->direction = MEDIA_INACTIVE;
	agreed->rtcp_port = remote->rtcp_port;
	agreed->xr = remote->xr;
	agreed->ptime = remote->ptime ? remote->ptime : PTIME_DEFAULT_MS;
}

/* Can what one of them sends from its address reach the other's? Who wants nothing has no address. */
static bool same_family(const struct media_description *a, const struct media_description *b)
{
	return a->address.family == b->address.family || tg_addr_is_unspecified(&a->address) ||
	       tg_addr_is_unspecified(&b->address);
}

static void copy_origin(struct media_description *to, const struct media_description *local)
{
	to->session_id = local->session_id;
	to->session_version = local->session_version;
	to->address = local->address;
	to->port = local->port;
	to->ptime = local->ptime;
}

void negotiation_offer(const struct media_description *local, struct media_description *offer)
{
	struct media_description o = {.streams = 1};
	copy_origin(&o, local);
	o.direction = local->direction;
	o.codecs = local->codecs;
	memcpy(o.codec, local->codec, sizeof(o.codec));
	*offer = o;
}

int negotiation_answer(const struct media_description *offer, const struct media_description *local,
	struct media_description *answer, struct negotiation_agreed *agreed)
{
	if (offer->audio < 0 || offer->audio >= offer->streams || offer->streams > MEDIA_STREAMS_MAX)
		return -ENOTSUP;
	if (!same_family(offer, local))
		return -EAFNOSUPPORT;
	const struct media_codec *codec = first_common(offer, local);
	if (!codec)
		return -ENOTSUP;
	const struct media_codec *event = find(offer, MEDIA_TELEPHONE_EVENT, codec->rate);
	if (event && !find(local, MEDIA_TELEPHONE_EVENT, codec->rate))
		event = NULL;

	struct media_description a = {.streams = offer->streams, .audio = offer->audio};
	copy_origin(&a, local);
	memcpy(a.refused, offer->refused, sizeof(a.refused));
	a.codec[a.codecs++] = *codec;
	if (event)
		a.codec[a.codecs++] = *event;
	a.direction = local->direction & negotiation_reverse(offer->direction);
	a.rtcp_mux = offer->rtcp_mux && offer->rtcp_port;
	if (!offer->port) {
		a.port = 0;
		a.direction = MEDIA_INACTIVE;
	}

	struct negotiation_agreed g = {.codec = *codec};
	g.payload_type_tx = g.payload_type_rx = codec->payload_type;
	g.event_tx = g.event_rx = event ? event->payload_type : MEDIA_PT_NONE;
	agree_transport(&g, offer, a.direction);
	g.rtcp_mux = a.rtcp_mux;
	*answer = a;
	*agreed = g;
	return 0;
}

int negotiation_agree(const struct media_description *offer, const struct media_description *answer,
	struct negotiation_agreed *agreed)
{
	if (answer->streams != offer->streams)
		return -EPROTO;
	if (answer->audio < 0 || !answer->port)
		return -ENOTSUP;
	if (answer->audio != offer->audio || !same_family(answer, offer))
		return -EPROTO;
	const struct media_codec *theirs = first_common(answer, offer);
	if (!theirs)
		return -EPROTO;
	const struct media_codec *ours = find(offer, theirs->encoding, theirs->rate);
	const struct media_codec *their_event = find(answer, MEDIA_TELEPHONE_EVENT, theirs->rate);
	const struct media_codec *our_event = find(offer, MEDIA_TELEPHONE_EVENT, theirs->rate);
	bool events = their_event && our_event;

	struct negotiation_agreed g = {.codec = *theirs};
	g.payload_type_tx = theirs->payload_type;
	g.payload_type_rx = ours->payload_type;
	g.event_tx = events ? their_event->payload_type : MEDIA_PT_NONE;
	g.event_rx = events ? our_event->payload_type : MEDIA_PT_NONE;
	agree_transport(&g, answer, offer->direction);
	g.rtcp_mux = offer->rtcp_mux && answer->rtcp_mux && answer->rtcp_port;
	*agreed = g;
	return 0;
}

bool negotiation_unchanged(const struct media_description *a, const struct media_description *b)
{
	if (!tg_addr_equal(&a->address, &b->address) || a->port != b->port || a->direction != b->direction ||
		a->ptime != b->ptime || a->rtcp_mux != b->rtcp_mux || a->codecs != b->codecs ||
		a->streams != b->streams || a->audio != b->audio)
		return false;
	for (int i = 0; i < a->codecs; i++)
		if (a->codec[i].encoding != b->codec[i].encoding || a->codec[i].rate != b->codec[i].rate ||
			a->codec[i].payload_type != b->codec[i].payload_type)
			return false;
	for (int i = 0; i < a->streams; i++)
		if (i != a->audio && strcmp(a->refused[i], b->refused[i]))
			return false;
	return true;
}
