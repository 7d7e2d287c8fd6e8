#include <arpa/inet.h>
#include <check.h>
#include <stdlib.h>

#include "settings/settings.h"
#include "settings/settings_check.h"

START_TEST(names)
{
	ck_assert_ptr_null(settings_check_name("gw1"));
	ck_assert_ptr_null(settings_check_name("a-b_c.d"));
	ck_assert_ptr_nonnull(settings_check_name(""));
	ck_assert_ptr_nonnull(settings_check_name("a b"));
	ck_assert_ptr_nonnull(settings_check_name("../x"));
	ck_assert_ptr_nonnull(settings_check_name("..hidden"));
	ck_assert_ptr_nonnull(settings_check_name("gw\xc3\xa9"));
}
END_TEST

START_TEST(paths)
{
	ck_assert_ptr_null(settings_check_path("/var/lib/tollgate"));
	ck_assert_ptr_null(settings_check_path("/var/a..b"));
	ck_assert_ptr_nonnull(settings_check_path("var/lib"));
	ck_assert_ptr_nonnull(settings_check_path("/var/../etc"));
	ck_assert_ptr_nonnull(settings_check_path("/var/.."));
	ck_assert_ptr_nonnull(settings_check_path(""));
	ck_assert_ptr_null(settings_check_path_or_name("worker"));
	ck_assert_ptr_nonnull(settings_check_path_or_name("bin/worker"));
	ck_assert_ptr_nonnull(settings_check_path_or_name(""));
}
END_TEST

START_TEST(ranges)
{
	struct settings_range r;
	ck_assert_ptr_null(settings_parse_range("198.18.0.0/24", &r));
	ck_assert_uint_eq(ntohl(tg_addr_ipv4_be(&r.first)), 0xc6120000);
	ck_assert_uint_eq(r.bits, 24);
	ck_assert_ptr_null(settings_parse_range("10.1.2.3", &r));
	ck_assert_uint_eq(r.bits, 32);
	ck_assert_ptr_null(settings_parse_range("0.0.0.0/0", &r));
	ck_assert_uint_eq(r.bits, 0);
	ck_assert_ptr_null(settings_parse_range("2001:db8::/32", &r));
	ck_assert_uint_eq(r.first.family, TG_FAMILY_IPV6);
	ck_assert_uint_eq(r.bits, 32);
	ck_assert_ptr_null(settings_parse_range("2001:db8::1", &r));
	ck_assert_uint_eq(r.bits, 128);
	ck_assert_ptr_null(settings_parse_range("::/0", &r));
	ck_assert_ptr_null(settings_parse_range("fe80::/10", &r));
	static const char *const bad[] = {"", "10", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/", "10.0.0.0/8x",
		"10.0.0.1/8", "::/129", "2001:db8::1/64", "2001:db8::/-1", "[2001:db8::1]", "fe80::1%eth0",
		"2001:db8::/", ":::", "2001:db8::/65535", "010.0.0.1", "10.0.0.0/ 8",
		"1111111111111111111111111111/8"};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_msg(settings_parse_range(bad[i], &r) != NULL, "%s was taken", bad[i]);
}
END_TEST

START_TEST(addresses)
{
	static const char *const good[] = {"198.18.0.2", "127.0.0.1", "2001:db8::2", "fd00::1", "::1"};
	static const char *const bad[] = {"", "0.0.0.0", "224.0.0.1", "255.255.255.255", "::", "ff02::1",
		"fe80::1", "fe80::1%eth0", "::ffff:198.18.0.2", "198.18.0.2/24", "[2001:db8::2]", "host",
		"198.18.0"};
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		ck_assert_msg(!settings_check_address(good[i]), "%s was refused", good[i]);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_msg(settings_check_address(bad[i]) != NULL, "%s was taken", bad[i]);
	ck_assert_ptr_null(settings_check_address_or_none(""));
	ck_assert_ptr_nonnull(settings_check_address_or_none("::"));
}
END_TEST

START_TEST(lcores)
{
	ck_assert_int_eq(settings_count_lcores("0@0,1@0"), 2);
	ck_assert_int_eq(settings_count_lcores("0-3"), 4);
	ck_assert_int_eq(settings_count_lcores("(0-2,7)@(0,1),3@2"), 5);
	ck_assert_int_eq(settings_count_lcores("1,1"), 1);
	static const char *const bad[] = {
		"", ",", "0,", "a", "0@", "(0", "0)", "3-1", "0-200", "0@0@0", "0-"};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_msg(settings_count_lcores(bad[i]) == -1, "%s was taken", bad[i]);
	ck_assert_ptr_nonnull(settings_check_lcores("0"));
	ck_assert_ptr_null(settings_check_lcores("0,1"));
}
END_TEST

START_TEST(targets)
{
	ck_assert_ptr_null(settings_check_target(""));
	ck_assert_ptr_null(settings_check_target("198.18.0.1"));
	ck_assert_ptr_null(settings_check_target("sbc.example.net:5080;transport=tcp"));
	ck_assert_ptr_null(settings_check_target("[2001:db8::1]"));
	ck_assert_ptr_null(settings_check_target("[2001:db8::1]:5080;transport=tcp"));
	static const char *const bad[] = {":5060", "h:0", "h:70000", "h:x", "a b", "sip:h", "h;transport=tls",
		"h;maddr=1.2.3.4", "u@h", "2001:db8::1", "[2001:db8::1", "[198.18.0.1]", "[]",
		"[2001:db8::1]x", "[::ffff:198.18.0.1]", "[fe80::1]", "[2001:db8::1]:0",
		"[2001:db8::1%eth0]"};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_msg(settings_check_target(bad[i]) != NULL, "%s was taken", bad[i]);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("settings_check");
	TCase *tc = tcase_create("all");
	tcase_add_test(tc, names);
	tcase_add_test(tc, paths);
	tcase_add_test(tc, ranges);
	tcase_add_test(tc, addresses);
	tcase_add_test(tc, lcores);
	tcase_add_test(tc, targets);
	suite_add_tcase(suite, tc);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
