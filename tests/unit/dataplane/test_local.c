#include "dataplane/local.h"

#include "tests/unit/contract/suite.h"

START_TEST(it_agrees_with_the_contract_for_every_address)
{
	struct tg_capacity cap = {.workers = 1, .addresses = TG_ADDRS_MAX, .port_min = 30000, .ports = 200};
	struct dp_local l;
	/* Neighbouring addresses, and many with the same low bytes: they collide in the table. */
	for (uint32_t i = 0; i < TG_ADDRS_MAX; i++)
		cap.address[i] = tg_addr_ipv4(i < 32 ? 0x020012c6 + (i << 24) : 0x020012c6 ^ (i << 8));
	dp_local_init(&l, &cap, 0);
	for (uint32_t i = 0; i < TG_ADDRS_MAX; i++)
		for (uint16_t port = 29998; port < 30204; port++) {
			uint32_t number = dp_local_address(&l, tg_addr_ipv4_be(&cap.address[i]));
			ck_assert_uint_ne(number, TG_NONE);
			ck_assert_uint_eq(
				dp_local_leg(&l, number, port), tg_capacity_leg(&cap, &cap.address[i], port));
		}
	for (uint32_t i = 1; i < 100000; i++) {
		uint32_t ip = i * 2654435761u;
		struct tg_addr address = tg_addr_ipv4(ip);
		if (tg_capacity_leg(&cap, &address, 30000) == TG_NONE)
			ck_assert_uint_eq(dp_local_address(&l, ip), TG_NONE);
	}
}
END_TEST

START_TEST(ipv6_addresses_have_the_numbers_behind_those_of_ipv4)
{
	struct tg_capacity cap = {.workers = 1,
		.addresses = TG_ADDRS_MAX,
		.ipv6_addresses = TG_ADDRS_MAX - 2,
		.port_min = 30000,
		.ports = 200};
	struct dp_local l;
	/* The same bytes in both families, addresses of one subnet, and some that differ in the first bytes.
	 */
	for (uint32_t i = 0; i < TG_ADDRS_MAX; i++) {
		cap.address[i] = tg_addr_ipv4(0x0a000001 + i);
		if (i >= 2)
			cap.address[i] = (struct tg_addr){
				.b = {0x20, 0x01, 0x0d, (uint8_t)(i / 8), [15] = (uint8_t)(i % 8)},
				.family = TG_FAMILY_IPV6};
	}
	memcpy(cap.address[2].b, cap.address[0].b, 16);
	dp_local_init(&l, &cap, 0);
	for (uint32_t i = 2; i < TG_ADDRS_MAX; i++) {
		uint32_t number = dp_local_address6(&l, cap.address[i].b);
		ck_assert_uint_eq(number, i);
		ck_assert_uint_eq(
			dp_local_leg(&l, number, 30010), tg_capacity_leg(&cap, &cap.address[i], 30010));
	}
	ck_assert_uint_eq(dp_local_address(&l, tg_addr_ipv4_be(&cap.address[0])), 0);
	static const uint8_t other[16] = {0x20, 0x01, 0x0d, 0xb8};
	ck_assert_uint_eq(dp_local_address6(&l, other), TG_NONE);
	for (uint32_t i = 0; i < 100000; i++) {
		uint8_t ip[16] = {0xfd, (uint8_t)i, (uint8_t)(i >> 8), [14] = (uint8_t)(i >> 16)};
		ck_assert_uint_eq(dp_local_address6(&l, ip), TG_NONE);
	}
}
END_TEST

START_TEST(a_workers_own_legs_are_those_that_the_contract_gives_it)
{
	for (uint32_t workers = 1; workers <= 5; workers++)
		for (uint32_t addresses = 1; addresses <= 4; addresses++) {
			struct tg_capacity cap = {
				.workers = workers, .addresses = addresses, .port_min = 30000, .ports = 134};
			for (uint32_t a = 0; a < addresses; a++)
				cap.address[a] = tg_addr_ipv4(0x020012c6 + (a << 24));
			for (uint32_t w = 0; w < workers; w++) {
				struct dp_local l;
				dp_local_init(&l, &cap, w);
				ck_assert_uint_eq(dp_local_own_leg(&l, 0x01010101, 30000), TG_NONE);
				for (uint32_t port = 1024; port < 65536; port++)
					for (uint32_t a = 0; a < addresses; a++) {
						uint32_t leg = tg_capacity_leg(
							&cap, &cap.address[a], (uint16_t)port);
						bool own = leg != TG_NONE && !(port & 1) &&
							   tg_capacity_worker(&cap, leg) == w;
						uint32_t found = dp_local_own_leg(
							&l, tg_addr_ipv4_be(&cap.address[a]), (uint16_t)port);
						/* An assertion for each would cost most of the test's time.
						 */
						if (found != (own ? leg : TG_NONE))
							ck_abort_msg("port %u: leg %u", port, found);
					}
			}
		}
}
END_TEST

TESTS("local", it_agrees_with_the_contract_for_every_address,
	ipv6_addresses_have_the_numbers_behind_those_of_ipv4,
	a_workers_own_legs_are_those_that_the_contract_gives_it)
