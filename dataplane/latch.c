#include "dataplane/latch.h"

static bool is_watched(const struct dp_latch *l, const struct dp_latch_packet *p)
{
	return l->packets && p->at_ms - l->begun_ms < DP_LATCH_WINDOW_MS;
}

static void begin(struct dp_latch *l, const struct dp_latch_packet *p)
{
	*l = (struct dp_latch){.ip_be = p->ip_be,
		.ssrc = p->ssrc,
		.begun_ms = p->at_ms,
		.port_be = p->port_be,
		.seq = p->seq,
		.packets = 1};
}

bool dp_latch_watch(struct dp_latch *l, const struct dp_latch_packet *p)
{
	if (!is_watched(l, p)) {
		begin(l, p);
		return false;
	}
	if (p->ip_be != l->ip_be || p->port_be != l->port_be || p->ssrc != l->ssrc)
		return false;
	uint16_t step = (uint16_t)(p->seq - l->seq);
	if (!step || step > UINT16_MAX / 2)
		return false;
	l->seq = p->seq;
	if (++l->packets < DP_LATCH_PACKETS)
		return false;
	*l = (struct dp_latch){0};
	return true;
}
