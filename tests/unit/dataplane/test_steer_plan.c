#include <arpa/inet.h>

#include "dataplane/steer_plan.h"
#include "tests/unit/contract/suite.h"

static struct dp_steer_rule rule[DP_STEER_RULES_MAX];

static struct tg_capacity capacity(uint32_t workers, uint32_t addresses, uint32_t port_min, uint32_t ports)
{
	struct tg_capacity cap = {
		.workers = workers, .addresses = addresses, .port_min = port_min, .ports = ports};
	for (uint32_t a = 0; a < addresses; a++)
		cap.address[a] = tg_addr_ipv4(htonl(0xc6120001u + a));
	return cap;
}

static struct tg_capacity with_ipv6(struct tg_capacity cap, uint32_t ipv6)
{
	for (uint32_t a = cap.addresses; a < cap.addresses + ipv6; a++)
		cap.address[a] = (struct tg_addr){
			.b = {0x20, 0x01, [15] = (uint8_t)a}, .family = TG_FAMILY_IPV6};
	cap.addresses += ipv6;
	cap.ipv6_addresses = ipv6;
	return cap;
}

/* Each media port, RTP and RTCP, is one worker's: the owner's. */
static void check_plan(struct tg_capacity cap)
{
	uint32_t n = dp_steer_plan(&cap, rule);
	ck_assert_uint_gt(n, 0);
	ck_assert_uint_le(n, DP_STEER_RULES_MAX);
	for (uint32_t leg = 0; leg < tg_capacity_legs(&cap); leg++) {
		uint32_t found[2] = {0};
		uint16_t port;
		const struct tg_addr *address = tg_capacity_address(&cap, leg, &port);
		for (uint32_t i = 0; i < n; i++) {
			for (uint16_t odd = 0; odd < 2; odd++) {
				if (!tg_addr_equal(&rule[i].address, address) ||
					((port + odd) & rule[i].mask) != rule[i].port)
					continue;
				found[odd] += rule[i].worker == tg_capacity_worker(&cap, leg) ? 1 : 100;
			}
		}
		/* An assertion for each would cost most of the test's time. */
		if (found[0] != 1 || found[1] != 1)
			ck_abort_msg("port %u: %u and %u", port, found[0], found[1]);
	}
}

START_TEST(one_worker_needs_no_rules)
{
	struct tg_capacity cap = capacity(1, 2, 20000, 1000);
	ck_assert_uint_eq(dp_steer_plan(&cap, rule), 0);
}
END_TEST

START_TEST(addresses_are_dealt_out_where_there_are_enough)
{
	struct tg_capacity cap = capacity(3, 4, 20000, 100);
	ck_assert_uint_eq(dp_steer_plan(&cap, rule), 4);
	for (uint32_t i = 0; i < 4; i++)
		ck_assert_uint_eq(rule[i].mask, 0);
	check_plan(cap);
}
END_TEST

START_TEST(ports_are_shared_where_there_are_not)
{
	check_plan(with_ipv6(capacity(2, 1, 20000, 1000), 1));
	check_plan(with_ipv6(capacity(2, 1, 20000, 1000), 3));
	check_plan(with_ipv6(capacity(3, 3, 20000, 1000), 1));
	check_plan(capacity(2, 1, 20000, 10000));
	check_plan(capacity(3, 2, 1024, 64512)); /* up to the last port there is */
	check_plan(capacity(16, 1, 20002, 34));
	check_plan(capacity(16, 15, 1026, 64510));
	check_plan(capacity(2, 1, 1024, 4));
}
END_TEST

TESTS("steer_plan", one_worker_needs_no_rules, addresses_are_dealt_out_where_there_are_enough,
	ports_are_shared_where_there_are_not)
