#include "dataplane/command_check.h"

#include <endian.h>

#include "dataplane/clock.h"

#define PAYLOAD_TYPE_MAX 127
#define NOT_NEGOTIATED   255
#define RTCP_FROM        64
#define RTCP_TO          95
#define MULTICAST_FROM   0xe0000000u
#define DSCP_MAX         63
#define FLAGS            (TG_LEG_LATCH | TG_LEG_HOLD | TG_LEG_MUX | TG_LEG_VOIP | TG_LEG_RTT)

/* With the marker set, those of RTCP's range can't be told from it (RFC 5761 section 4). */
static bool payload_type_fits(uint8_t type)
{
	return type == NOT_NEGOTIATED || type < RTCP_FROM || (type > RTCP_TO && type <= PAYLOAD_TYPE_MAX);
}

static bool payload_types_fit(struct tg_payload_types t)
{
	if (!payload_type_fits(t.audio) || !payload_type_fits(t.event))
		return false;
	return t.audio != t.event || t.audio == NOT_NEGOTIATED;
}

/* What both have under the same names, but for the address. */
#define TERMS_FIT(p)                                                                                 \
	(!((p)->flags & ~FLAGS) && (p)->frame_ms == DP_FRAME_MS && (p)->clock_khz == DP_CLOCK_KHZ && \
		(p)->dscp <= DSCP_MAX && payload_types_fit((p)->rx) && payload_types_fit((p)->tx))

int dp_check_program(const struct tg_leg_program *p, enum tg_family family)
{
	bool here = p->remote.family == family && tg_addr_is_host(&p->remote) && p->remote_port_be;
	bool nowhere = p->remote.family == TG_FAMILY_NONE && tg_addr_is_unspecified(&p->remote) &&
		       !p->remote_port_be;
	return (here || nowhere) && TERMS_FIT(p) ? 0 : TG_REFUSED_PROGRAM;
}

int dp_check_terms(const struct tg_leg_terms *t, enum tg_family family)
{
	bool ipv4 = family == TG_FAMILY_IPV4;
	bool here = (t->remote_ip_be != 0) == ipv4 && t->remote_port_be != 0 &&
		    be32toh(t->remote_ip_be) < MULTICAST_FROM;
	bool nowhere = t->remote_ip_be == 0 && t->remote_port_be == 0;
	return (here || nowhere) && TERMS_FIT(t) ? 0 : TG_REFUSED_PROGRAM;
}

bool dp_item_read(const struct tg_media_item *shared, uint64_t arena_bytes, struct dp_item *item)
{
	/* The state before the count: what is READY here has its final count below. */
	item->generation = atomic_load_explicit(&shared->generation, memory_order_acquire);
	item->state = atomic_load_explicit(&shared->state, memory_order_acquire);
	item->frames = atomic_load_explicit(&shared->frames_ready, memory_order_acquire);
	item->frame_bytes = shared->frame_bytes;
	item->codec = shared->codec;
	item->offset = shared->offset;
	uint64_t bytes = shared->bytes;
	if (shared->frame_ms != DP_FRAME_MS || !item->frame_bytes || item->frame_bytes > DP_FRAME_BYTES_MAX ||
		bytes > arena_bytes || item->offset > arena_bytes - bytes)
		return false;
	if (item->frames > bytes / item->frame_bytes)
		item->frames = (uint32_t)(bytes / item->frame_bytes);
	return true;
}

int dp_check_play(const struct tg_leg_source *s, const struct dp_item *item, struct tg_payload_types tx)
{
	if (!s->play_id || !s->loops || !s->generation || s->generation != item->generation ||
		!dp_item_playable(item) || item->codec != tx.audio)
		return TG_REFUSED_SOURCE;
	return 0;
}
