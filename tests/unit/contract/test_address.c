#include "contract/address.h"

#include "tests/unit/contract/suite.h"

static struct tg_addr at(const char *text)
{
	struct tg_addr a;
	ck_assert_msg(tg_addr_parse(text, &a), "%s is no address", text);
	return a;
}

START_TEST(text_is_read_and_written)
{
	static const char *const same[] = {"198.18.0.1", "0.0.0.0", "255.255.255.255", "::", "::1",
		"2001:db8::1", "2001:db8:1:2:3:4:5:6"};
	char out[TG_ADDR_TEXT], port[TG_ADDR_PORT_TEXT];
	for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
		struct tg_addr a = at(same[i]);
		ck_assert_str_eq(tg_addr_format(&a, out), same[i]);
	}
	struct tg_addr ipv4 = at("198.18.0.1"), ipv6 = at("2001:DB8:0:0::1"),
		       none = {.family = TG_FAMILY_NONE};
	ck_assert_str_eq(tg_addr_format_port(&ipv4, 20000, port), "198.18.0.1:20000");
	ck_assert_str_eq(tg_addr_format_port(&ipv6, 20000, port), "[2001:db8::1]:20000");
	ck_assert_str_eq(tg_addr_format(&none, out), "");
	/* The longest that there is. */
	struct tg_addr longest = at("ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255");
	tg_addr_format_port(&longest, 65535, port);
	ck_assert_str_eq(port, "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535");
}
END_TEST

START_TEST(what_is_no_address)
{
	static const char *const bad[] = {"", " ", "1", "1.2.3", "1.2.3.256", "01.2.3.4", "1.2.3.4 ", ":",
		":::", "1::2::3", "2001:db8::12345", "[::1]", "::1%lo", "::1/128", "1:2:3:4:5:6:7", "host"};
	struct tg_addr a, before = at("192.0.2.1");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		a = before;
		ck_assert_msg(!tg_addr_parse(bad[i], &a), "%s was taken", bad[i]);
		ck_assert(tg_addr_equal(&a, &before));
	}
}
END_TEST

START_TEST(hosts)
{
	static const char *const good[] = {"1.2.3.4", "127.0.0.1", "223.255.255.255", "2001:db8::1", "::1",
		"fd00::1", "fec0::1", "64:ff9b::1.2.3.4"};
	static const char *const bad[] = {"0.0.0.0", "224.0.0.1", "255.255.255.255", "::", "ff02::1",
		"ff00::", "fe80::1", "febf::1", "::ffff:1.2.3.4"};
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		ck_assert_msg(tg_addr_is_host(&(struct tg_addr[]){at(good[i])}[0]), "%s is none", good[i]);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_msg(!tg_addr_is_host(&(struct tg_addr[]){at(bad[i])}[0]), "%s is one", bad[i]);
	struct tg_addr none = {.family = TG_FAMILY_NONE};
	ck_assert(!tg_addr_is_host(&none));
}
END_TEST

START_TEST(ranges_agree_in_their_first_bits)
{
	static const struct {
		const char *address, *first;
		uint32_t bits;
		bool within;
	} cases[] = {{"10.1.2.3", "10.1.2.0", 24, true}, {"10.1.3.3", "10.1.2.0", 24, false},
		{"10.1.2.3", "10.1.2.2", 31, true}, {"10.1.2.4", "10.1.2.2", 31, false},
		{"10.1.2.3", "10.1.2.3", 32, true}, {"10.1.2.3", "0.0.0.0", 0, true},
		{"::1", "0.0.0.0", 0, false}, {"1.2.3.4", "::", 0, false},
		{"2001:db8::1", "2001:db8::", 32, true}, {"2001:db9::1", "2001:db8::", 32, false},
		{"2001:db8:7fff::1", "2001:db8::", 33, true}, {"2001:db8:8000::1", "2001:db8::", 33, false},
		{"2001:db8::1", "2001:db8::1", 128, true}, {"2001:db8::2", "2001:db8::1", 128, false},
		{"2001:db8::3", "2001:db8::2", 127, true}};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct tg_addr address = at(cases[i].address), first = at(cases[i].first);
		ck_assert_msg(tg_addr_within(&address, &first, cases[i].bits) == cases[i].within,
			"%s in %s/%u", cases[i].address, cases[i].first, cases[i].bits);
	}
}
END_TEST

START_TEST(families_are_never_equal)
{
	struct tg_addr ipv4 = at("32.1.13.184"), ipv6 = at("2001:db8::");
	ck_assert_int_eq(memcmp(ipv4.b, ipv6.b, sizeof(ipv4.b)), 0);
	ck_assert(!tg_addr_equal(&ipv4, &ipv6));
	ck_assert_uint_eq(tg_addr_ipv4_be(&ipv6), 0);
}
END_TEST

TESTS("address", text_is_read_and_written, what_is_no_address, hosts, ranges_agree_in_their_first_bits,
	families_are_never_equal)
