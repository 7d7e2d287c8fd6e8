#include "dataplane/command_check.h"

#include <endian.h>
#include <string.h>

#include "tests/unit/contract/suite.h"

static struct tg_leg_program good(void)
{
	return (struct tg_leg_program){.remote = tg_addr_ipv4(htobe32(0xc612000a)),
		.remote_port_be = htobe16(4000),
		.frame_ms = 20,
		.rx = {0, 101},
		.tx = {8, 255},
		.clock_khz = 8};
}

#define REFUSED(change)                                                                     \
	do {                                                                                \
		struct tg_leg_program p = good();                                           \
		change;                                                                     \
		ck_assert_int_eq(dp_check_program(&p, TG_FAMILY_IPV4), TG_REFUSED_PROGRAM); \
	} while (0)

START_TEST(programs_with_a_value_out_of_range)
{
	ck_assert_int_eq(
		dp_check_program(&(struct tg_leg_program){.flags = 0}, TG_FAMILY_IPV4), TG_REFUSED_PROGRAM);
	REFUSED(p.remote = tg_addr_ipv4(0));
	REFUSED(p.remote_port_be = 0);
	REFUSED(p.remote = tg_addr_ipv4(htobe32(0xe0000001)));
	REFUSED(p.remote = tg_addr_ipv4(htobe32(0xffffffff)));
	REFUSED(p.flags = 0x20);
	REFUSED(p.flags = 0x80);
	REFUSED(p.frame_ms = 10);
	REFUSED(p.frame_ms = 0);
	REFUSED(p.clock_khz = 16);
	REFUSED(p.rx.audio = 128);
	REFUSED(p.rx.event = 254);
	REFUSED(p.tx.audio = 200);
	REFUSED(p.tx.event = 128);
	REFUSED(p.rx.event = p.rx.audio);
	REFUSED(p.rx.audio = 64); /* as RTCP looks on the same port */
	REFUSED(p.tx.event = 95);
	struct tg_leg_program p = good();
	ck_assert_int_eq(dp_check_program(&p, TG_FAMILY_IPV4), 0);
	p.remote = (struct tg_addr){.family = TG_FAMILY_NONE};
	p.remote_port_be = 0;
	p.rx = p.tx = (struct tg_payload_types){255, 255};
	p.flags = TG_LEG_LATCH | TG_LEG_HOLD | TG_LEG_MUX | TG_LEG_VOIP | TG_LEG_RTT;
	ck_assert_int_eq(dp_check_program(&p, TG_FAMILY_IPV4), 0);
}
END_TEST

static struct tg_media_item shared(void)
{
	struct tg_media_item m;
	memset((void *)&m, 0, sizeof(m));
	m.generation = 3;
	m.state = TG_MEDIA_READY;
	m.frames_ready = 10;
	m.frame_bytes = 160;
	m.frame_ms = 20;
	m.offset = 4096;
	m.bytes = 1600;
	return m;
}

#define UNREADABLE(change)                                 \
	do {                                               \
		struct tg_media_item m = shared();         \
		struct dp_item item;                       \
		change;                                    \
		ck_assert(!dp_item_read(&m, 8192, &item)); \
	} while (0)

START_TEST(items_that_lie_outside_the_arena)
{
	UNREADABLE(m.frame_ms = 30);
	UNREADABLE(m.frame_bytes = 0);
	UNREADABLE(m.frame_bytes = DP_FRAME_BYTES_MAX + 1);
	UNREADABLE(m.offset = 8192 - 1599);
	UNREADABLE(m.offset = UINT64_MAX);
	UNREADABLE(m.bytes = UINT64_MAX);
	UNREADABLE(m.bytes = 8193; m.offset = 0);
	struct tg_media_item m = shared();
	struct dp_item item;
	ck_assert(dp_item_read(&m, 8192, &item));
	ck_assert_uint_eq(item.frames, 10);
	ck_assert_uint_eq(item.offset, 4096);
	/* More frames than the item has room for: only those that fit. */
	m.frames_ready = UINT32_MAX;
	ck_assert(dp_item_read(&m, 8192, &item));
	ck_assert_uint_eq(item.frames, 10);
	m.bytes = 1599;
	ck_assert(dp_item_read(&m, 8192, &item));
	ck_assert_uint_eq(item.frames, 9);
}
END_TEST

static int check(const struct tg_leg_source *s, struct tg_media_item m, uint8_t audio)
{
	struct dp_item item;
	ck_assert(dp_item_read(&m, 8192, &item));
	return dp_check_play(s, &item, (struct tg_payload_types){audio, 255});
}

START_TEST(plays_that_do_not_fit)
{
	struct tg_leg_source s = {.kind = TG_SOURCE_PLAY, .generation = 3, .play_id = 1, .loops = 1};
	struct tg_media_item m = shared();
	ck_assert_int_eq(check(&s, m, 0), 0);
	ck_assert_int_eq(check(&s, m, 8), TG_REFUSED_SOURCE);
	m.state = TG_MEDIA_FILLING;
	ck_assert_int_eq(check(&s, m, 0), 0);
	for (uint32_t state = 0; state < 6; state++) {
		m.state = state;
		ck_assert_int_eq(check(&s, m, 0),
			state == TG_MEDIA_FILLING || state == TG_MEDIA_READY ? 0 : TG_REFUSED_SOURCE);
	}
	m = shared();
	s.generation = 2;
	ck_assert_int_eq(check(&s, m, 0), TG_REFUSED_SOURCE);
	s.generation = 0;
	m.generation = 0;
	ck_assert_int_eq(check(&s, m, 0), TG_REFUSED_SOURCE);
	m = shared();
	s = (struct tg_leg_source){.generation = 3, .play_id = 0, .loops = 1};
	ck_assert_int_eq(check(&s, m, 0), TG_REFUSED_SOURCE);
	s = (struct tg_leg_source){.generation = 3, .play_id = 1, .loops = 0};
	ck_assert_int_eq(check(&s, m, 0), TG_REFUSED_SOURCE);
}
END_TEST

TESTS("command_check", programs_with_a_value_out_of_range, items_that_lie_outside_the_arena,
	plays_that_do_not_fit)
