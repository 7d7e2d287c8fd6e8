#include "dataplane/nexthop.h"

#include <string.h>

#include "tests/unit/contract/suite.h"

static struct tg_next_hop table[TG_NEXT_HOPS];
static struct dp_nexthops hops;

static void setup(void)
{
	memset((void *)table, 0, sizeof(table));
	dp_nexthops_attach(&hops, table);
}

static uint32_t ref(uint32_t ip_be)
{
	struct tg_addr address = tg_addr_ipv4(ip_be);
	return dp_nexthops_ref(&hops, &address);
}

START_TEST(families_are_told_apart)
{
	struct tg_addr ipv4 = tg_addr_ipv4(1000), ipv6 = ipv4, other = ipv4;
	ipv6.family = other.family = TG_FAMILY_IPV6;
	other.b[15] = 1;
	setup();
	uint32_t a = dp_nexthops_ref(&hops, &ipv4), b = dp_nexthops_ref(&hops, &ipv6),
		 c = dp_nexthops_ref(&hops, &other);
	ck_assert(a != b && b != c && a != c);
	ck_assert_uint_eq(dp_nexthops_ref(&hops, &ipv6), b);
	ck_assert_uint_eq(dp_nexthops_ref(&hops, &other), c);
	ck_assert(tg_addr_equal(&table[c].address, &other));
}
END_TEST

START_TEST(an_address_has_one_entry)
{
	setup();
	uint32_t a = ref(1000), b = ref(1001);
	ck_assert_uint_ne(a, b);
	ck_assert_uint_eq(ref(1000), a);
	ck_assert_uint_eq(table[a].refs, 2);
	ck_assert_uint_eq(table[a].state, TG_NEXT_HOP_WANTED);
	/* It stays known without references. */
	dp_nexthops_unref(&hops, a);
	dp_nexthops_unref(&hops, a);
	dp_nexthops_unref(&hops, a);
	ck_assert_uint_eq(hops.idle, 1);
	table[a].link = 5;
	ck_assert_uint_eq(ref(1000), a);
	ck_assert_uint_eq(dp_nexthops_link(&hops, a), 5);
	ck_assert_uint_eq(hops.idle, 0);
	dp_nexthops_unref(&hops, TG_NONE);
	ck_assert_uint_eq(dp_nexthops_link(&hops, TG_NONE), 0);
}
END_TEST

START_TEST(a_full_table_says_so_and_gives_up_what_is_unused)
{
	setup();
	for (uint32_t i = 0; i < TG_NEXT_HOPS; i++) {
		uint32_t at = ref(5000 + i);
		ck_assert_uint_ne(at, TG_NONE);
		table[at].link = 99;
	}
	ck_assert_uint_eq(ref(1), TG_NONE);
	dp_nexthops_unref(&hops, 7);
	ck_assert_uint_eq(ref(1), TG_NONE);
	/* Given up, but its link is still that of the old neighbour. */
	ck_assert_uint_eq(table[7].state, TG_NEXT_HOP_FREE);
	ck_assert_uint_eq(ref(1), TG_NONE);
	table[7].link = 0; /* the main lcore has seen it */
	ck_assert_uint_eq(ref(1), 7);
	ck_assert_uint_eq(tg_addr_ipv4_be(&table[7].address), 1);
}
END_TEST

START_TEST(a_start_takes_the_table_as_it_is)
{
	setup();
	uint32_t a = ref(1000);
	table[a].link = 5;
	table[3].state = 77; /* damage */
	dp_nexthops_attach(&hops, table);
	ck_assert_uint_eq(table[a].refs, 0);
	ck_assert_uint_eq(table[3].state, TG_NEXT_HOP_FREE);
	ck_assert_uint_eq(ref(1000), a);
	ck_assert_uint_eq(table[a].refs, 1);
}
END_TEST

START_TEST(a_link_is_packed_into_one_word)
{
	static const uint8_t mac[6] = {0xde, 0xad, 0xbe, 0xef, 1, 2};
	for (uint32_t port = 0; port < 8; port++)
		for (uint32_t vlan = 0; vlan < 4096; vlan += 91) {
			struct dp_link link;
			uint64_t v = dp_link_pack(mac, port, (uint16_t)vlan);
			ck_assert_uint_ne(v, 0);
			ck_assert_uint_eq(dp_link_unpack(v, &link), port);
			ck_assert_uint_eq(link.vlan, vlan);
			ck_assert_mem_eq(link.to, mac, 6);
		}
}
END_TEST

TESTS("nexthop", families_are_told_apart, an_address_has_one_entry,
	a_full_table_says_so_and_gives_up_what_is_unused, a_start_takes_the_table_as_it_is,
	a_link_is_packed_into_one_word)
