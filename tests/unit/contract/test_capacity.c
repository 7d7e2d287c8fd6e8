#include "contract/region.h"

#include "tests/unit/contract/suite.h"

static struct tg_capacity make(uint32_t workers, uint32_t addresses, uint32_t ports)
{
	struct tg_capacity cap = {
		.workers = workers, .addresses = addresses, .port_min = 20000, .ports = ports};
	for (uint32_t i = 0; i < addresses; i++)
		cap.address[i] = tg_addr_ipv4(0x0a000000 + i * 7919);
	return cap;
}

START_TEST(a_leg_is_its_address_and_port)
{
	struct tg_capacity cap = make(1, 5, 100);
	ck_assert_uint_eq(tg_capacity_legs(&cap), 250);
	for (uint32_t leg = 0; leg < 250; leg++) {
		uint16_t port;
		const struct tg_addr *ip = tg_capacity_address(&cap, leg, &port);
		ck_assert_uint_eq(port % 2, 0);
		ck_assert_uint_eq(tg_capacity_leg(&cap, ip, port), leg);
		ck_assert_uint_eq(tg_capacity_leg(&cap, ip, (uint16_t)(port + 1)), leg);
	}
}
END_TEST

START_TEST(what_is_outside_is_no_leg)
{
	struct tg_capacity cap = make(1, 2, 100);
	ck_assert_uint_eq(tg_capacity_leg(&cap, &cap.address[0], 19999), TG_NONE);
	ck_assert_uint_eq(tg_capacity_leg(&cap, &cap.address[0], 20100), TG_NONE);
	ck_assert_uint_eq(tg_capacity_leg(&cap, &cap.address[0], 0), TG_NONE);
	struct tg_addr other = tg_addr_ipv4(0x01020304);
	ck_assert_uint_eq(tg_capacity_leg(&cap, &other, 20000), TG_NONE);
}
END_TEST

START_TEST(every_leg_has_one_worker_and_every_worker_legs)
{
	static const struct {
		uint32_t workers, addresses, ports;
	} shape[] = {{1, 1, 2}, {2, 1, 100}, {3, 1, 100}, {3, 2, 100}, {4, 8, 100}, {16, 16, 10}, {16, 1, 32},
		{5, 7, 22}};
	for (size_t s = 0; s < sizeof(shape) / sizeof(shape[0]); s++) {
		struct tg_capacity cap = make(shape[s].workers, shape[s].addresses, shape[s].ports);
		uint32_t share[TG_WORKERS_MAX] = {0};
		for (uint32_t leg = 0; leg < tg_capacity_legs(&cap); leg++) {
			uint32_t w = tg_capacity_worker(&cap, leg);
			ck_assert_uint_lt(w, cap.workers);
			share[w]++;
		}
		for (uint32_t w = 0; w < cap.workers; w++)
			ck_assert_uint_gt(share[w], 0);
	}
}
END_TEST

START_TEST(every_worker_has_legs_of_both_families)
{
	static const struct {
		uint32_t workers, ipv4, ipv6;
	} shape[] = {{1, 1, 1}, {2, 1, 1}, {2, 2, 2}, {2, 1, 3}, {4, 4, 1}, {3, 5, 4}, {2, 0, 1}};
	for (size_t s = 0; s < sizeof(shape) / sizeof(shape[0]); s++) {
		uint32_t all = shape[s].ipv4 + shape[s].ipv6, share[TG_WORKERS_MAX][2] = {{0}};
		struct tg_capacity cap = make(shape[s].workers, all, 100);
		cap.ipv6_addresses = shape[s].ipv6;
		for (uint32_t a = shape[s].ipv4; a < all; a++)
			cap.address[a] = (struct tg_addr){
				.b = {0x20, 0x01, [15] = (uint8_t)a}, .family = TG_FAMILY_IPV6};
		for (uint32_t leg = 0; leg < tg_capacity_legs(&cap); leg++) {
			uint16_t port;
			const struct tg_addr *address = tg_capacity_address(&cap, leg, &port);
			ck_assert_uint_eq(address->family, tg_capacity_family(&cap, leg));
			ck_assert_uint_eq(tg_capacity_leg(&cap, address, port), leg);
			share[tg_capacity_worker(&cap, leg)][address->family == TG_FAMILY_IPV6]++;
		}
		for (uint32_t w = 0; w < cap.workers; w++) {
			ck_assert(share[w][0] || !shape[s].ipv4);
			ck_assert_uint_gt(share[w][1], 0);
		}
	}
}
END_TEST

TESTS("capacity", every_worker_has_legs_of_both_families, a_leg_is_its_address_and_port,
	what_is_outside_is_no_leg, every_leg_has_one_worker_and_every_worker_legs)
