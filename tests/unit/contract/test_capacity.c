#include "contract/region.h"

#include "tests/unit/contract/suite.h"

static struct tg_capacity make(uint32_t workers, uint32_t addresses, uint32_t ports)
{
	struct tg_capacity cap = {
		.workers = workers, .addresses = addresses, .port_min = 20000, .ports = ports};
	for (uint32_t i = 0; i < addresses; i++)
		cap.address_be[i] = 0x0a000000 + i * 7919;
	return cap;
}

START_TEST(a_leg_is_its_address_and_port)
{
	struct tg_capacity cap = make(1, 5, 100);
	ck_assert_uint_eq(tg_capacity_legs(&cap), 250);
	for (uint32_t leg = 0; leg < 250; leg++) {
		uint32_t ip;
		uint16_t port;
		tg_capacity_address(&cap, leg, &ip, &port);
		ck_assert_uint_eq(port % 2, 0);
		ck_assert_uint_eq(tg_capacity_leg(&cap, ip, port), leg);
		ck_assert_uint_eq(tg_capacity_leg(&cap, ip, (uint16_t)(port + 1)), leg);
	}
}
END_TEST

START_TEST(what_is_outside_is_no_leg)
{
	struct tg_capacity cap = make(1, 2, 100);
	ck_assert_uint_eq(tg_capacity_leg(&cap, cap.address_be[0], 19999), TG_NONE);
	ck_assert_uint_eq(tg_capacity_leg(&cap, cap.address_be[0], 20100), TG_NONE);
	ck_assert_uint_eq(tg_capacity_leg(&cap, cap.address_be[0], 0), TG_NONE);
	ck_assert_uint_eq(tg_capacity_leg(&cap, 0x01020304, 20000), TG_NONE);
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

TESTS("capacity", a_leg_is_its_address_and_port, what_is_outside_is_no_leg,
	every_leg_has_one_worker_and_every_worker_legs)
