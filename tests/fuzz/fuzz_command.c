/* A worker's life as its region gives it: records of 129 bytes, [what happens][128 bytes of it]. Whatever the
 * commands, packets, items and rows say, nothing may be touched outside, and closed + open = total. */
#include <endian.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dataplane/command.h"
#include "dataplane/legs.h"
#include "dataplane/liveness.h"
#include "dataplane/meter.h"
#include "dataplane/play.h"
#include "dataplane/relay.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define RECORD 129
#define LEGS   16

static struct tg_region *region;
static struct dp_legs legs;
static struct dp_commands commands;

static void open_once(void)
{
	char dir[] = "/dev/shm/tollgate-fuzz-XXXXXX", path[64], why[512];
	struct tg_capacity cap = {.workers = 2,
		.addresses = 1,
		.port_min = 20000,
		.ports = 2 * LEGS,
		.media_items = 4,
		.arena_bytes = 65536};
	cap.address[0] = tg_addr_ipv4(htobe32(0xc6120002));
	if (region)
		return;
	if (!mkdtemp(dir) ||
		tg_region_open(&region, dir, "region", &cap, TG_ROLE_DATAPLANE, why, sizeof(why)))
		abort();
	snprintf(path, sizeof(path), "%s/region", dir);
	unlink(path); /* stays mapped */
	rmdir(dir);
}

static void audit(void)
{
	struct tg_meter_record r = {0};
	while (tg_ring_pop(tg_region_meters(region, 0), &r, 1))
		;
	if (dp_meter_snapshot(&legs, 0, 1) || tg_ring_pop(tg_region_meters(region, 0), &r, 1) != 1)
		abort();
	for (int i = 0; i < TG_METERS; i++)
		if (r.total.v[i] != r.closed.v[i] + r.counts.v[i])
			abort();
}

static void resolve_all(void)
{
	for (uint32_t i = 0; i < TG_NEXT_HOPS; i++)
		atomic_store(&legs.hops.entry[i].link, 0x1020000000001ull);
}

static void send_out(const struct dp_outgoing *out)
{
	struct tg_sending_entry sent = {.leg = out->leg, .rtp_bytes = out->rtp_bytes, .as = out->as};
	dp_legs_sending(&legs, &sent, 1);
	dp_legs_sent(&legs, &sent, 1);
	dp_legs_sending_done(&legs);
}

static void packet(const uint8_t *d, uint64_t now)
{
	static const uint8_t rtp[128 + 16] = {0};
	struct dp_outgoing out;
	struct dp_packet p;
	memcpy(&p, d, sizeof(p));
	/* What the classifier promises. */
	p.leg %= LEGS / 2;
	p.verdict = (uint8_t)(p.verdict % 2 ? DP_RTP : DP_DROP);
	p.drop = TG_DROP_bad_length;
	p.header_bytes = 12 + p.header_bytes % 64;
	p.payload_bytes %= 64;
	p.rtp_bytes = (uint16_t)(p.header_bytes + p.payload_bytes);
	p.payload_type &= 0x7f;
	p.marker &= 1;
	if (d[100] & 1) { /* one that is expected */
		p.src_ip_be = legs.ingress[p.leg].match_ip_be;
		p.src_port_be = legs.ingress[p.leg].match_port_be;
		p.payload_type = d[100] & 2 ? legs.ingress[p.leg].rx.audio : legs.ingress[p.leg].rx.event;
	}
	if (dp_relay(&legs, &p, rtp, now, &out))
		send_out(&out);
}

static void play(uint64_t now)
{
	uint32_t budget = 64;
	struct dp_outgoing out;
	const uint8_t *frame;
	volatile uint8_t sum = 0;
	dp_wheel_advance(&legs.wheel, now);
	while (dp_play_next(&legs, now, &budget, &out, &frame)) {
		for (uint32_t i = 0; i + 12 < out.rtp_bytes; i++)
			sum = (uint8_t)(sum + frame[i]);
		send_out(&out);
	}
}

static void happen(const uint8_t *d, uint64_t *now)
{
	struct tg_event ev;
	struct tg_command command;
	switch (d[0] % 6) {
	case 0:
		memcpy(&command, d + 1, sizeof(command));
		tg_ring_push(tg_region_commands(region, 0), &command);
		break;
	case 1:
		packet(d + 1, *now);
		break;
	case 2:
		memcpy((void *)&legs.media[d[1] % 4], d + 1, sizeof(struct tg_media_item));
		break;
	case 3:
		resolve_all();
		break;
	case 4:
		atomic_store(&legs.desired[d[1] % LEGS].digits_taken, d[2]);
		break;
	case 5:
		dp_legs_close(&legs); /* killed, and started again */
		if (dp_legs_open(&legs, region, 0))
			abort();
		break;
	}
	dp_commands_run(&commands, &legs, *now);
	*now += (uint64_t)d[0] * legs.clock.ticks_per_ms / 4;
	play(*now);
	dp_liveness_sweep(&legs, LEGS, *now);
	while (tg_ring_pop(tg_region_events(region, 0), &ev, 1))
		;
	audit();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint64_t now = tg_tsc();
	open_once();
	for (uint32_t leg = 0; leg < LEGS; leg++) { /* every input begins with free legs */
		atomic_store(&tg_region_egress(region, leg)->generation, 0);
		atomic_store(&tg_region_ingress(region, leg)->generation, 0);
	}
	if (dp_legs_open(&legs, region, 0))
		abort();
	for (size_t at = 0; at + RECORD <= size && at < 64 * RECORD; at += RECORD)
		happen(data + at, &now);
	dp_legs_close(&legs);
	return 0;
}
