#include "tools/legs.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "tools/text.h"

static const char *state_of(const struct tg_desired *d, bool there)
{
	if (!there)
		return "starting";
	if (d->program.flags & TG_LEG_HOLD)
		return "hold";
	return d->source.kind == TG_SOURCE_PLAY    ? "play"
	       : d->source.kind == TG_SOURCE_RELAY ? "relay"
						   : "silent";
}

static void read_counters(const struct tg_region *region, struct leg *leg)
{
	const struct tg_ingress *in = tg_region_ingress(region, leg->row);
	const struct tg_egress *out = tg_region_egress(region, leg->row);
	leg->rx_packets = tg_counter_read(&in->rx_packets);
	leg->rx_octets = tg_counter_read(&in->rx_octets);
	leg->dropped_packets = atomic_load_explicit(&in->dropped_packets, memory_order_relaxed);
	if (in->clock_khz)
		leg->jitter_us = (uint32_t)((uint64_t)in->jitter_q4 * 1000 / 16 / in->clock_khz);
	leg->played_packets = tg_counter_read(&out->played_packets);
	leg->tx_packets = leg->played_packets + tg_counter_read(&out->relayed_packets);
	leg->tx_octets = tg_counter_read(&out->played_octets) + tg_counter_read(&out->relayed_octets);
	/* What the feeder's row has forwarded is folded into the egress record when a part closes. */
	uint32_t feeder = out->feeder;
	if (out->source == TG_SOURCE_RELAY && feeder < tg_region_legs(region)) {
		const struct tg_ingress *from = tg_region_ingress(region, feeder);
		leg->tx_packets += tg_counter_read(&from->forwarded_packets);
		leg->tx_octets += tg_counter_read(&from->forwarded_octets);
	}
	const struct tg_quality *q = tg_region_quality(region, leg->row);
	if (atomic_load_explicit(&q->generation, memory_order_acquire) == leg->generation)
		leg->quality = q->figures;
	leg->digits = atomic_load_explicit(&out->digit_count, memory_order_relaxed);
	leg->media_timeouts = atomic_load_explicit(&out->media_timeouts, memory_order_relaxed);
	leg->latches = atomic_load_explicit(&out->latches, memory_order_relaxed);
}

static bool read_leg(const struct tg_region *region, uint32_t row, uint64_t now_ns, struct leg *leg)
{
	struct tg_desired d;
	struct id id;
	if (!tg_region_desired(region, row)->generation ||
		tg_desired_read(tg_region_desired(region, row), &d) || !d.generation)
		return false;
	memset(leg, 0, sizeof(*leg));
	leg->row = row;
	leg->generation = d.generation;
	leg->worker = tg_capacity_worker(tg_region_capacity(region), row);
	memcpy(id.b, d.session, sizeof(id.b));
	id_format(&id, ID_KIND_SESSION, leg->session);
	memcpy(id.b, d.call, sizeof(id.b));
	id_format(&id, ID_KIND_CALL, leg->call);
	text_show(d.module, sizeof(d.module), leg->module, sizeof(leg->module));
	text_show(d.from, sizeof(d.from), leg->from, sizeof(leg->from));
	text_show(d.to, sizeof(d.to), leg->to, sizeof(leg->to));
	leg->outbound = d.outbound;
	leg->stint = d.stint;
	leg->since_ns = d.since_ns;
	leg->seconds = now_ns > d.since_ns ? (now_ns - d.since_ns) / CLOCK_NS_PER_S : 0;
	leg->program = d.program;
	leg->source = d.source;
	const struct tg_egress *out = tg_region_egress(region, row);
	bool there = atomic_load_explicit(&out->generation, memory_order_acquire) == d.generation;
	leg->state = state_of(&d, there);
	if (there)
		read_counters(region, leg);
	return true;
}

int legs_read(const struct tg_region *region, uint64_t now_ns, struct leg **legs, size_t *count)
{
	struct leg *list = NULL;
	size_t n = 0, room = 0;
	uint32_t rows = tg_region_legs(region);
	for (uint32_t row = 0; row < rows; row++) {
		if (n == room) {
			room = room ? 2 * room : 64;
			struct leg *bigger = reallocarray(list, room, sizeof(*bigger));
			if (!bigger) {
				free(list);
				return -ENOMEM;
			}
			list = bigger;
		}
		n += read_leg(region, row, now_ns, &list[n]);
	}
	*legs = list;
	*count = n;
	return 0;
}

static int by_session(const void *a, const void *b)
{
	const struct leg *x = a, *y = b;
	int order = strcmp(x->session, y->session);
	return order ? order : x->row < y->row ? -1 : x->row > y->row;
}

void legs_sort(struct leg *legs, size_t count)
{
	if (count)
		qsort(legs, count, sizeof(*legs), by_session);
}

/* What isn't known yet is null. */
static json_t *known(const struct tg_quality_figures *q, uint32_t bit, json_int_t number)
{
	return q->known & bit ? json_integer(number) : json_null();
}

static json_t *score(const struct tg_quality_figures *q, uint32_t bit, uint16_t x100)
{
	return q->known & bit ? json_real(x100 / 100.0) : json_null();
}

static json_t *quality_json(const struct tg_quality_figures *q)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "round_trip_us",
		known(q, TG_QUALITY_TRIP, q->round_trip_us), "round_trip_average_us",
		known(q, TG_QUALITY_TRIP, q->round_trip_average_us), "far_lost_packets",
		known(q, TG_QUALITY_REPORTED, q->far_lost), "far_jitter_us",
		known(q, TG_QUALITY_REPORTED, q->far_jitter_us), "mos_from",
		score(q, TG_QUALITY_FROM, q->mos_from_x100), "mos_to",
		score(q, TG_QUALITY_TO, q->mos_to_x100));
}

json_t *leg_json(const struct tg_region *region, const struct leg *l)
{
	static const char *const sources[] = {"none", "relay", "play"};
	char local[TG_ADDR_PORT_TEXT], remote[TG_ADDR_PORT_TEXT] = "";
	uint16_t port;
	const struct tg_addr *address = tg_capacity_address(tg_region_capacity(region), l->row, &port);
	tg_addr_format_port(address, port, local);
	if (l->program.remote.family)
		tg_addr_format_port(&l->program.remote, ntohs(l->program.remote_port_be), remote);
	json_t *o = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:o, s:I, s:I, s:I, s:I, s:I}", "session",
		l->session, "call", l->call, "direction", l->outbound ? "out" : "in", "module", l->module,
		"from", l->from, "to", l->to, "state", l->state, "since", tool_time(l->since_ns), "seconds",
		(json_int_t)l->seconds, "stint", (json_int_t)l->stint, "row", (json_int_t)l->row,
		"generation", (json_int_t)l->generation, "worker", (json_int_t)l->worker);
	json_t *more = json_pack(
		"{s:s, s:s, s:s, s:i, s:i, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:I, s:I, s:I, s:I}", "local",
		local, "remote", remote, "source",
		l->source.kind < sizeof(sources) / sizeof(*sources) ? sources[l->source.kind] : "unknown",
		"rx_payload_type", l->program.rx.audio, "tx_payload_type", l->program.tx.audio, "tx_ssrc",
		(json_int_t)l->program.ssrc, "rx_packets", tool_u64(l->rx_packets), "rx_octets",
		tool_u64(l->rx_octets), "tx_packets", tool_u64(l->tx_packets), "tx_octets",
		tool_u64(l->tx_octets), "played_packets", tool_u64(l->played_packets), "dropped_packets",
		tool_u64(l->dropped_packets), "jitter_us", (json_int_t)l->jitter_us, "digits",
		(json_int_t)l->digits, "media_timeouts", (json_int_t)l->media_timeouts, "latches",
		(json_int_t)l->latches);
	json_t *quality = quality_json(&l->quality);
	if (o && more)
		json_object_update(o, more);
	if (o && quality)
		json_object_update(o, quality);
	json_decref(more);
	json_decref(quality);
	return o;
}
