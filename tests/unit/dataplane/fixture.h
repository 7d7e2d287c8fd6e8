/* A region of its own on tmpfs and worker 0's legs in it; packets and commands as values. Time is a number
 * that only the test moves. */
#ifndef TG_TESTS_DATAPLANE_FIXTURE_H
#define TG_TESTS_DATAPLANE_FIXTURE_H

#include <endian.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "dataplane/classify.h"
#include "dataplane/command.h"
#include "dataplane/legs.h"
#include "dataplane/meter.h"
#include "dataplane/play.h"
#include "dataplane/relay.h"
#include "tests/unit/contract/suite.h"

#define GATEWAY_BE htobe32(0xc6120002)
#define ALICE_BE   htobe32(0xc612000a)
#define BOB_BE     htobe32(0xc6120014)
#define LEGS       40

struct fixture {
	char dir[SUITE_DIRECTORY_BYTES];
	struct tg_region *region;
	struct dp_legs legs;
	struct dp_commands commands;
	uint64_t now; /* TSC */
	uint32_t workers;
	bool dual; /* a second address, IPv6: its legs begin at LEGS */
};

static struct fixture f;

static inline uint64_t ms(uint64_t n)
{
	return n * f.legs.clock.ticks_per_ms;
}

static inline void attach_legs(void)
{
	char why[512];
	struct tg_capacity cap = {.workers = f.workers,
		.addresses = 1,
		.port_min = 20000,
		.ports = 2 * LEGS,
		.media_items = 4,
		.arena_bytes = 1 << 20};
	cap.address[0] = tg_addr_ipv4(GATEWAY_BE);
	if (f.dual) {
		cap.addresses = 2;
		cap.ipv6_addresses = 1;
		cap.address[1] = (struct tg_addr){
			.b = {0x20, 0x01, 0x0d, 0xb8, [15] = 2}, .family = TG_FAMILY_IPV6};
	}
	ck_assert_int_eq(
		tg_region_open(&f.region, f.dir, "region", &cap, TG_ROLE_DATAPLANE, why, sizeof(why)), 0);
	ck_assert_int_eq(dp_legs_open(&f.legs, f.region, 0), 0);
	f.commands = (struct dp_commands){0};
	f.now = tg_tsc();
}

static inline void open_fixture_of(uint32_t workers)
{
	suite_directory(f.dir);
	f.workers = workers;
	attach_legs();
}

static inline void open_dual_fixture(void)
{
	f.dual = true;
	open_fixture_of(1);
}

static inline void open_fixture(void)
{
	open_fixture_of(1);
}

static inline void detach_legs(void)
{
	dp_legs_close(&f.legs);
	tg_region_close(f.region);
}

static inline void close_fixture(void)
{
	char path[128];
	detach_legs();
	snprintf(path, sizeof(path), "%s/region", f.dir);
	unlink(path);
	rmdir(f.dir);
}

static inline struct tg_leg_program program_to(uint32_t ip_be)
{
	/* 0: it has no far end yet. */
	return (struct tg_leg_program){
		.remote = ip_be ? tg_addr_ipv4(ip_be) : (struct tg_addr){.family = TG_FAMILY_NONE},
		.remote_port_be = htobe16(4000),
		.frame_ms = 20,
		.rx = {0, 101},
		.tx = {0, 101},
		.clock_khz = 8,
		.dscp = 46,
		.ssrc = 0x11223344};
}

static inline int do_program(uint32_t leg, uint32_t generation, const struct tg_leg_program *p)
{
	struct tg_command c = {
		.kind = TG_CMD_PROGRAM, .leg = leg, .generation = generation, .stint = 1, .program = *p};
	return dp_command_do(&f.legs, &c, f.now, dp_legs_now_ns(&f.legs, f.now));
}

static inline int do_source(uint32_t leg, uint32_t generation, struct tg_leg_source s)
{
	struct tg_command c = {.kind = TG_CMD_SOURCE, .leg = leg, .generation = generation, .source = s};
	return dp_command_do(&f.legs, &c, f.now, dp_legs_now_ns(&f.legs, f.now));
}

static inline int do_plain(enum tg_command_kind kind, uint32_t leg, uint32_t generation, uint32_t stint)
{
	struct tg_command c = {
		.kind = (uint8_t)kind, .leg = leg, .generation = generation, .stint = stint, .tag = stint};
	return dp_command_do(&f.legs, &c, f.now, dp_legs_now_ns(&f.legs, f.now));
}

static inline struct tg_leg_source relay_from(uint32_t peer)
{
	return (struct tg_leg_source){.kind = TG_SOURCE_RELAY, .peer = peer, .generation = 1};
}

static inline struct tg_leg_source play_of(uint32_t item, uint32_t id)
{
	return (struct tg_leg_source){
		.kind = TG_SOURCE_PLAY, .peer = item, .generation = 1, .play_id = id, .loops = 1};
}

/* The neighbour's answer, as the main lcore would store it. */
static inline void resolve(uint32_t leg)
{
	static const uint8_t mac[6] = {2, 0, 0, 0, 0, 1};
	uint32_t hop = f.legs.egress[leg].next_hop;
	ck_assert_uint_lt(hop, TG_NEXT_HOPS);
	atomic_store(&f.legs.hops.entry[hop].link, dp_link_pack(mac, 0, 0));
}

/* Legs 1 (alice) and 2 (bob), open, generation 1, resolved, hearing each other. */
static inline void open_pair(void)
{
	struct tg_leg_program a = program_to(ALICE_BE), b = program_to(BOB_BE);
	ck_assert_int_eq(do_program(1, 1, &a), 0);
	ck_assert_int_eq(do_program(2, 1, &b), 0);
	resolve(1);
	resolve(2);
	ck_assert_int_eq(do_source(1, 1, relay_from(2)), 0);
	ck_assert_int_eq(do_source(2, 1, relay_from(1)), 0);
}

static inline struct dp_packet packet_for(uint32_t leg, uint16_t seq, uint32_t ts)
{
	return (struct dp_packet){.verdict = DP_RTP,
		.leg = leg,
		.src_ip_be = leg == 1 ? ALICE_BE : BOB_BE,
		.src_port_be = htobe16(4000),
		.rtp_bytes = 172,
		.header_bytes = 12,
		.payload_bytes = 160,
		.seq = seq,
		.ts = ts,
		.ssrc = 7};
}

/* The port takes it. */
static inline void send_out(const struct dp_outgoing *out)
{
	dp_legs_sent(&f.legs,
		&(struct tg_sending_entry){.leg = out->leg, .rtp_bytes = out->rtp_bytes, .as = out->as}, 1);
}

/* Relays it; what is to be sent is taken by the port. */
static inline bool relay(const struct dp_packet *p, struct dp_outgoing *out)
{
	static const uint8_t rtp[1500];
	bool sent = dp_relay(&f.legs, p, rtp, f.now, out);
	if (sent)
		send_out(out);
	return sent;
}

static inline bool relay_event(struct dp_packet p, uint8_t event, uint16_t duration, struct dp_outgoing *out)
{
	uint8_t rtp[16] = {0x80, 101};
	rtp[12] = event;
	rtp[14] = (uint8_t)(duration >> 8);
	rtp[15] = (uint8_t)duration;
	p.payload_type = 101;
	p.rtp_bytes = 16;
	p.payload_bytes = 4;
	bool sent = dp_relay(&f.legs, &p, rtp, f.now, out);
	if (sent)
		send_out(out);
	return sent;
}

/* An item of `frames` frames, generation 1; frame i begins with byte i. */
static inline void make_item(uint32_t item, uint32_t frames, uint32_t ready, enum tg_media_state state)
{
	struct tg_media_item *m = &f.legs.media[item];
	m->frame_bytes = 160;
	m->frame_ms = 20;
	m->codec = TG_CODEC_PCMU;
	m->offset = item * 65536ull;
	m->bytes = 65536;
	for (uint32_t i = 0; i < frames; i++)
		memset(f.legs.arena + m->offset + i * 160ull, (int)i, 160);
	atomic_store(&m->generation, 1);
	atomic_store(&m->frames_ready, ready);
	atomic_store(&m->state, state);
}

/* Plays what is due now, as the worker does; the port takes all. Returns how many, the last one in out. */
static inline uint32_t play_now(struct dp_outgoing *out, const uint8_t **frame)
{
	uint32_t n = 0, budget = 1000;
	dp_wheel_advance(&f.legs.wheel, f.now);
	while (dp_play_next(&f.legs, f.now, &budget, out, frame)) {
		send_out(out);
		n++;
	}
	return n;
}

static inline uint64_t dropped(enum tg_drop why)
{
	return tg_counter_read(&f.legs.stats->drops[why]);
}

static inline uint32_t news(void)
{
	struct tg_event ev[64];
	return tg_ring_pop(tg_region_events(f.region, 0), ev, 64);
}

static inline struct tg_meter_record next_record(void)
{
	struct tg_meter_record r;
	ck_assert_uint_eq(tg_ring_pop(tg_region_meters(f.region, 0), &r, 1), 1);
	return r;
}

/* closed + open = total. */
static inline struct tg_meter_record audit(void)
{
	struct tg_meter_record r;
	ck_assert_int_eq(dp_meter_snapshot(&f.legs, 1, 1), 0);
	do
		r = next_record();
	while (r.kind != TG_METER_SNAPSHOT);
	for (int i = 0; i < TG_METERS; i++)
		ck_assert_uint_eq(r.total.v[i], r.closed.v[i] + r.counts.v[i]);
	return r;
}

/* For test files that use only a part of these. */
static inline void fixture_unused(void)
{
	(void)f;
}

#endif
