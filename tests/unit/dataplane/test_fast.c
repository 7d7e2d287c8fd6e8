/* The short way against the long one: the same row, the same frame, bit for bit, for whatever it takes; and
 * what it doesn't take it leaves alone. */
#include "dataplane/fast.h"

#include "tests/unit/dataplane/fixture.h"

#define FRAME_BYTES 214
#define ROOM        2048
#define TRIES       60000

static const uint8_t macs[2][6] = {{2, 1, 1, 1, 1, 1}, {2, 2, 2, 2, 2, 2}};
static const enum dp_checksum checksums[] = {DP_CHECKSUM_FULL, DP_CHECKSUM_CARRY, DP_CHECKSUM_ZERO};
static struct dp_local local;
static struct dp_fast fast;
static uint64_t seed = 88172645463325252ull;

static uint32_t noise(uint32_t below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)((seed >> 11) % below);
}

/* A good packet of alice's. */
static uint32_t make_frame(uint8_t *frame, uint16_t seq, uint32_t ts, uint32_t payload)
{
	struct dp_flow flow = {.src_ip_be = ALICE_BE,
		.dst_ip_be = GATEWAY_BE,
		.src_port_be = htobe16(4000),
		.dst_port_be = htobe16(20002),
		.dscp = 8};
	struct dp_rtp rtp = {.ssrc_be = htobe32(7), .ts = ts, .seq = seq, .marker = (uint8_t)!noise(8)};
	struct dp_link link = {.to = {9, 9, 9, 9, 9, 9}, .from = {8, 8, 8, 8, 8, 8}};
	memset(frame, 0xa5, ROOM);
	for (uint32_t i = 0; i < payload; i++)
		frame[DP_FAST_BYTES + i] = (uint8_t)noise(256);
	dp_write_link(frame, &link);
	dp_write_rtp(frame + 42, &rtp);
	dp_write_flow(frame + DP_ETHER_BYTES, &flow, (uint16_t)(DP_RTP_BYTES + payload));
	return DP_FAST_BYTES + payload;
}

/* As the worker's long way does it. */
static bool go_long(uint8_t *frame, uint32_t bytes, enum dp_checksum checksum, uint32_t *port)
{
	struct dp_packet p;
	struct dp_outgoing out;
	struct dp_link link;
	dp_classify(&local, frame, bytes, 0, &p);
	if (p.verdict == DP_KERNEL || p.leg == TG_NONE || !dp_relay(&f.legs, &p, frame + 42, f.now, &out))
		return false;
	if (checksum == DP_CHECKSUM_CARRY)
		dp_flow_carry(&out.flow, frame + DP_ETHER_BYTES);
	else
		out.flow.checksum = (uint8_t)checksum;
	*port = dp_link_unpack(out.link, &link);
	memcpy(link.from, macs[*port], 6);
	dp_change_rtp(frame + 42, &out.rtp);
	dp_write_flow(frame + DP_ETHER_BYTES, &out.flow, out.rtp_bytes);
	dp_write_link(frame, &link);
	return true;
}

typedef bool way(struct dp_legs *, struct dp_fast *, uint32_t, uint8_t *, uint32_t, struct dp_fast_out *);

static void begin(enum dp_checksum checksum)
{
	static const uint8_t mac[6] = {2, 0, 0, 0, 0, 1};
	open_dual_fixture();
	open_pair();
	dp_legs_limit(&f.legs, 50);
	atomic_store(&f.legs.hops.entry[f.legs.egress[2].next_hop].link, dp_link_pack(mac, 1, 0));
	dp_local_init(&local, f.legs.cap, 0);
	dp_fast_init(&fast, checksum, macs, 2);
}

/* Something that is not as in the packets before. */
static void disturb(uint8_t *frame, uint32_t *bytes, struct tg_ingress *row)
{
	switch (noise(10)) {
	case 0: /* any bit of the headers */
		frame[noise(DP_FAST_BYTES)] ^= (uint8_t)(1 << noise(8));
		break;
	case 1: /* any length */
		*bytes = noise(*bytes + 8);
		break;
	case 2: /* a bit in the row's first line; which leg hears it, and where, is not a packet's to doubt */
		((uint8_t *)row)[4 + noise(12)] ^= (uint8_t)(1 << noise(8));
		break;
	case 3:
		row->flags ^= (uint8_t)(1 << noise(8));
		break;
	case 4:
		row->rebase = (uint8_t)noise(2);
		row->marker = (uint8_t)noise(2);
		break;
	case 5: /* far from what is expected */
		row->max_seq = (uint16_t)noise(65536);
		break;
	case 6:
		row->paid_until += noise(1u << 22);
		break;
	case 8: /* another family's, which the long way looks up elsewhere */
		row->out_ipv6 = 1;
		break;
	case 9: /* marked otherwise: no reason to give up */
		row->out_tos = (uint8_t)(noise(64) << 2);
		break;
	case 7:
		row->match_ip_be = row->match_port_be = 0;
		memset(frame + 26, 0, 4);
		memset(frame + 34, 0, 2);
		break;
	}
}

/* One packet, both ways. Returns whether the short one took it. */
static bool compare(way *short_way, uint8_t *frame, uint32_t bytes, enum dp_checksum checksum)
{
	static uint8_t copy[ROOM], before[ROOM];
	struct tg_ingress *row = &f.legs.ingress[1], row_before = *row, row_after;
	struct dp_fast_out out;
	uint32_t port = 0, leg = dp_fast_leg(&local, frame);
	memcpy(copy, frame, ROOM);
	memcpy(before, frame, ROOM);
	dp_fast_begin(&fast, &f.legs, f.now);
	bool taken = leg == 1 && short_way(&f.legs, &fast, leg, frame, bytes, &out);
	memcpy((void *)&row_after, (const void *)row, sizeof(row_after));
	if (!taken) {
		ck_assert_mem_eq(frame, before, ROOM);
		ck_assert_mem_eq((void *)&row_after, (void *)&row_before, sizeof(row_before));
		go_long(frame, bytes, checksum, &port); /* so that the stream goes on */
		return false;
	}
	memcpy((void *)row, (void *)&row_before, sizeof(row_before));
	ck_assert(go_long(copy, bytes, checksum, &port));
	ck_assert_mem_eq((void *)row, (void *)&row_after, sizeof(row_after));
	ck_assert_mem_eq(frame, copy, ROOM);
	ck_assert_uint_eq(out.port, port);
	ck_assert_uint_eq(out.rtp_bytes, bytes - 42);
	ck_assert_uint_eq(fast.packets, 1);
	ck_assert_uint_eq(fast.octets, out.rtp_bytes);
	return true;
}

static void compare_all(way *short_way)
{
	for (size_t c = 0; c < sizeof(checksums) / sizeof(checksums[0]); c++) {
		static _Alignas(64) uint8_t frame[ROOM];
		uint32_t taken = 0, plain = 0, plain_taken = 0;
		begin(checksums[c]);
		struct tg_ingress *row = &f.legs.ingress[1], good;
		for (uint32_t i = 0; i < TRIES; i++) {
			uint32_t bytes = make_frame(frame, (uint16_t)i, i * 160, noise(4) ? 160 : noise(300));
			bool disturbed = i > 10 && !noise(3);
			if (!noise(20))
				dp_put16_be(frame + 40,
					(uint16_t)(noise(2) * noise(65536))); /* damaged, or none */
			if (i == 10)
				good = *row;
			if (disturbed)
				disturb(frame, &bytes, row);
			bool took = compare(short_way, frame, bytes, checksums[c]);
			taken += took;
			plain += !disturbed && i > 10;
			plain_taken += took && !disturbed && i > 10;
			if (disturbed) { /* heal it */
				good.max_seq = (uint16_t)i;
				good.cycles = row->cycles;
				good.paid_until = dp_rate_now(f.now);
				*row = good;
			}
			f.now += ms(20);
		}
		ck_assert_uint_gt(plain, TRIES / 2);
		/* Not all: a longer frame than the last one has nothing wrong, so all of them. */
		ck_assert_uint_eq(plain_taken, plain);
		ck_assert_uint_lt(taken, TRIES);
		close_fixture();
	}
}

START_TEST(in_words_it_does_what_the_long_way_does)
{
	compare_all(dp_fast_relay_words);
}
END_TEST

START_TEST(in_vectors_too)
{
#ifdef DP_FAST_WIDE
	compare_all(dp_fast_relay_wide);
#endif
}
END_TEST

START_TEST(a_freed_leg_is_not_one_that_goes_on)
{
	static _Alignas(64) uint8_t frame[ROOM];
	struct dp_fast_out out;
	begin(DP_CHECKSUM_FULL);
	for (uint16_t i = 0; i < 3; i++) {
		uint32_t bytes = make_frame(frame, i, i * 160u, 160);
		ck_assert_int_eq(compare(dp_fast_relay, frame, bytes, DP_CHECKSUM_FULL), i > 0);
	}
	ck_assert_int_eq(do_plain(TG_CMD_RELEASE, 1, 1, 0), 0);
	uint32_t bytes = make_frame(frame, 3, 480, 160);
	ck_assert(!dp_fast_relay(&f.legs, &fast, 1, frame, bytes, &out));
	close_fixture();
}
END_TEST

START_TEST(one_over_the_rate_is_dropped_with_its_reason)
{
	static _Alignas(64) uint8_t frame[ROOM];
	uint32_t port;
	begin(DP_CHECKSUM_FULL);
	for (uint16_t i = 0; i < 60; i++) {
		uint32_t bytes = make_frame(frame, i, i * 160u, 160);
		ck_assert_int_eq(go_long(frame, bytes, DP_CHECKSUM_FULL, &port), i < 50);
	}
	ck_assert_uint_eq(dropped(TG_DROP_rate), 10);
	f.now += ms(1000);
	for (uint16_t i = 60; i < 70; i++)
		ck_assert(go_long(frame, make_frame(frame, i, i * 160u, 160), DP_CHECKSUM_FULL, &port));
	close_fixture();
}
END_TEST

TESTS("fast", in_words_it_does_what_the_long_way_does, in_vectors_too, a_freed_leg_is_not_one_that_goes_on,
	one_over_the_rate_is_dropped_with_its_reason)
