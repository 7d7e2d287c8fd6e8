#include <check.h>
#include <stdlib.h>

#include "settings/settings.h"
#include "settings/settings_check.h"

static struct settings settings;

static bool may(const char *text)
{
	struct tg_addr address;
	ck_assert(tg_addr_parse(text, &address));
	return settings_may_fetch(&settings, &address);
}

START_TEST(public_addresses)
{
	static const char *const good[] = {"8.8.8.8", "1.1.1.1", "100.63.255.255", "100.128.0.0",
		"172.15.255.255", "172.32.0.0", "198.17.255.255", "198.20.0.0", "223.255.255.255",
		"2606:4700::1111", "2a00::1", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2002:808:808::1"};
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		ck_assert_msg(may(good[i]), "%s was refused", good[i]);
}
END_TEST

START_TEST(special_addresses)
{
	static const char *const bad[] = {"0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "127.0.0.1",
		"127.255.255.255", "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.8",
		"192.0.2.1", "192.168.1.1", "198.18.0.1", "198.19.255.255", "198.51.100.7", "203.0.113.9",
		"224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255", "::", "::1", "::127.0.0.1",
		"::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::10.0.0.1", "64:ff9b:1::1", "2002:7f00:1::1",
		"2002:a00:1::", "2001::1", "2001:db8::1", "3fff::1", "fc00::1", "fd12::1", "fe80::1",
		"fec0::1", "ff02::1", "100::1", "4000::1"};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_msg(!may(bad[i]), "%s was allowed", bad[i]);
}
END_TEST

START_TEST(allowed_by_name)
{
	ck_assert_ptr_null(settings_parse_range("127.0.0.1", &settings.allow[0]));
	ck_assert_ptr_null(settings_parse_range("10.1.0.0/16", &settings.allow[1]));
	settings.allowed = 2;
	ck_assert(may("127.0.0.1"));
	ck_assert(!may("127.0.0.2"));
	ck_assert(may("10.1.2.3"));
	ck_assert(!may("10.2.0.0"));
	ck_assert(may("::ffff:10.1.2.3"));
	ck_assert(!may("::1"));
	settings.allowed = 0;
}
END_TEST

START_TEST(ipv6_allowed_by_name)
{
	ck_assert_ptr_null(settings_parse_range("fd00:1::/32", &settings.allow[0]));
	ck_assert_ptr_null(settings_parse_range("::1", &settings.allow[1]));
	ck_assert_ptr_null(settings_parse_range("fe80::/10", &settings.allow[2]));
	settings.allowed = 3;
	ck_assert(may("fd00:1::1"));
	ck_assert(!may("fd00:2::1"));
	ck_assert(may("::1"));
	ck_assert(!may("::2"));
	ck_assert(may("fe80::1"));
	ck_assert(!may("fc00::1"));
	ck_assert(!may("127.0.0.1"));
	ck_assert(!may("::ffff:127.0.0.1"));
	/* The first 32 bits of fd00:1:: as an IPv4 address are no range of IPv4. */
	ck_assert(!may("10.0.0.1"));
	settings.allowed = 0;
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("settings_fetch");
	TCase *tc = tcase_create("all");
	tcase_add_test(tc, public_addresses);
	tcase_add_test(tc, special_addresses);
	tcase_add_test(tc, allowed_by_name);
	tcase_add_test(tc, ipv6_allowed_by_name);
	suite_add_tcase(suite, tc);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
