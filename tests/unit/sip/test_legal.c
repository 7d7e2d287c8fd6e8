#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/sip/legal.h"

START_TEST(header_names)
{
	ck_assert(legal_header_name("X-Order"));
	ck_assert(legal_header_name("x-a.b_c!"));
	ck_assert(!legal_header_name("X-"));
	ck_assert(!legal_header_name("Via"));
	ck_assert(!legal_header_name("X-A:"));
	ck_assert(!legal_header_name("X-A B"));
	ck_assert(!legal_header_name("X-A\r\nVia"));
	ck_assert(!legal_header_name(""));
}
END_TEST

START_TEST(header_values)
{
	char longest[1026];
	ck_assert(legal_header_value(""));
	ck_assert(legal_header_value("one; two=\"three\""));
	ck_assert(legal_header_value("Z\xc3\xbcrich"));
	ck_assert(!legal_header_value("a\r\nX-Evil: 1"));
	ck_assert(!legal_header_value("a\nb"));
	ck_assert(!legal_header_value("a\tb"));
	ck_assert(!legal_header_value("a\x7f"));
	ck_assert(!legal_header_value("\xff"));
	ck_assert(!legal_header_value("\xc0\x8a"));     /* overlong line feed */
	ck_assert(!legal_header_value("\xed\xa0\x80")); /* surrogate */
	ck_assert(!legal_header_value("\xc3"));
	memset(longest, 'x', 1025);
	longest[1025] = '\0';
	ck_assert(!legal_header_value(longest));
	longest[1024] = '\0';
	ck_assert(legal_header_value(longest));
}
END_TEST

START_TEST(quoted)
{
	ck_assert(legal_quoted("O'Neil (home)"));
	ck_assert(!legal_quoted("a\" <sip:evil@x>"));
	ck_assert(!legal_quoted("a\\"));
}
END_TEST

START_TEST(targets)
{
	static const char *const good[] = {"sip:a@b", "sip:+41791234567@198.18.0.1:5060;transport=tcp",
		"sip:host", "SIP:a;b=c@host.example.com;user=phone", "sip:a:secret@host",
		"sip:%2b41@host;transport=UDP", "sip:a@[::1]", "sip:[2001:db8::1]:5060",
		"sip:a@[2001:DB8::1]:5060;transport=tcp"};
	static const char *const bad[] = {"", "sip:", "sip:@host", "sip:a@", "sip:a@b@c", "a@b", "sips:a@b",
		"tel:+41", "sip:a@b?X-Evil=1", "sip:a@b;maddr=10.0.0.1", "sip:a@b;method=REGISTER",
		"sip:a@b;transport=tls", "sip:a@b;transport=tcpx", "sip:a@b;", "sip:a@b;;x",
		"sip:a@b:", "sip:a@b:x", "sip:a@b:123456", "sip:a@b c", "sip:a@b\r\nX: 1", "sip:a@b>",
		"sip:<a@b", "sip:a@b\"", "sip:a@[::1", "sip:a@::1", "sip:a@[]", "sip:a@[198.18.0.1]",
		"sip:a@[::1]x", "sip:a@[::ffff:198.18.0.1]", "sip:a@[fe80::1%25eth0]", "sip:a@b,sip:c@d",
		"sip:a@b/c", "sip:a@\xc3\xbc"};
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		ck_assert_msg(legal_target(good[i]), "%s is refused", good[i]);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_msg(!legal_target(bad[i]), "%s is taken", bad[i]);
}
END_TEST

START_TEST(users)
{
	char out[32];
	ck_assert_int_eq(legal_user("+41791234567", out, sizeof(out)), 0);
	ck_assert_str_eq(out, "+41791234567");
	ck_assert_int_eq(legal_user("a b@c;d:e<f>", out, sizeof(out)), 0);
	ck_assert_str_eq(out, "a%20b%40c;d%3Ae%3Cf%3E");
	ck_assert_int_eq(legal_user("\xc3\xbc", out, sizeof(out)), 0);
	ck_assert_str_eq(out, "%C3%BC");
	ck_assert_int_eq(legal_user("", out, sizeof(out)), -EINVAL);
	ck_assert_int_eq(legal_user("a\r\nX: 1", out, sizeof(out)), -EINVAL);
	ck_assert_int_eq(legal_user("a\"", out, sizeof(out)), -EINVAL);
	ck_assert_int_eq(legal_user("0123456789", out, 10), -ENOSPC);
	ck_assert_int_eq(legal_user("0123456789", out, 11), 0);
	ck_assert_int_eq(legal_user("@@@", out, 9), -ENOSPC);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("legal");
	TCase *t = tcase_create("all");
	tcase_add_test(t, header_names);
	tcase_add_test(t, header_values);
	tcase_add_test(t, quoted);
	tcase_add_test(t, targets);
	tcase_add_test(t, users);
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
