#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/sip/digest.h"

/* RFC 7616 3.9.1 has this challenge in both algorithms. */
#define REALM  "realm=\"http-auth@example.org\""
#define NONCE  "nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\""
#define OPAQUE "opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\""
#define CNONCE "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"

static const struct digest_request example = {"GET", "/dir/index.html", "Mufasa", "Circle of Life", CNONCE};

static struct digest_challenge challenge_of(const char *const *params)
{
	return (struct digest_challenge){"Digest", params};
}

START_TEST(rfc_7616)
{
	char out[DIGEST_HEADER_BYTES];
	const char *sha[] = {REALM, "qop=\"auth, auth-int\"", "algorithm=SHA-256", NONCE, OPAQUE, NULL};
	const char *md5[] = {REALM, "qop=\"auth, auth-int\"", "algorithm=MD5", NONCE, OPAQUE, NULL};
	struct digest_challenge c = challenge_of(sha);
	ck_assert_int_eq(digest_algorithm_of(&c), DIGEST_SHA256);
	ck_assert_int_eq(digest_answer(&c, &example, out, sizeof(out)), 0);
	ck_assert_ptr_nonnull(
		strstr(out, "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"));
	ck_assert_ptr_nonnull(strstr(out, "algorithm=SHA-256"));
	ck_assert_ptr_nonnull(strstr(out, OPAQUE));
	ck_assert_ptr_nonnull(strstr(out, "qop=auth, nc=00000001, cnonce=\"" CNONCE "\""));
	ck_assert_ptr_null(strstr(out, "Circle"));
	c = challenge_of(md5);
	ck_assert_int_eq(digest_answer(&c, &example, out, sizeof(out)), 0);
	ck_assert_ptr_nonnull(strstr(out, "8ca523f5e9506fed4657c9700eebdbec"));
}
END_TEST

/* Without qop: RFC 2069. */
START_TEST(without_qop)
{
	char out[DIGEST_HEADER_BYTES];
	const char *params[] = {
		"realm=\"testrealm@host.com\"", "nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\"", NULL};
	struct digest_challenge c = challenge_of(params);
	struct digest_request r = example;
	r.password = "CircleOfLife";
	ck_assert_int_eq(digest_answer(&c, &r, out, sizeof(out)), 0);
	ck_assert_ptr_nonnull(strstr(out, "response=\"1949323746fe6a43ef61f9606e7febea\""));
	ck_assert_ptr_null(strstr(out, "cnonce"));
}
END_TEST

START_TEST(challenges_that_are_not_answered)
{
	char out[DIGEST_HEADER_BYTES], realm[DIGEST_REALM_BYTES], longest[800] = "nonce=\"";
	memset(longest + 7, 'x', 700);
	longest[707] = '"';
	const char *const bad[][6] = {
		{NONCE, NULL}, /* no realm */
		{REALM, NULL}, /* no nonce */
		{REALM, NONCE, "algorithm=SHA-512-256", NULL},
		{REALM, NONCE, "algorithm=MD5-sess", NULL},
		{REALM, NONCE, "qop=\"auth-int\"", NULL},
		{"realm=\"a\\\"b\"", NONCE, NULL}, /* can't be quoted again as it is */
		{"realm=\"a\r\nX: 1\"", NONCE, NULL},
		{REALM, longest, NULL},
	};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct digest_challenge c = challenge_of(bad[i]);
		ck_assert_msg(
			digest_answer(&c, &example, out, sizeof(out)) == -EINVAL, "case %zu is answered", i);
	}
	const char *good[] = {REALM, NONCE, NULL};
	struct digest_challenge c = challenge_of(good);
	c.scheme = "Basic";
	ck_assert_int_eq(digest_answer(&c, &example, out, sizeof(out)), -EINVAL);
	c.scheme = "digest";
	ck_assert_int_eq(digest_answer(&c, &example, out, sizeof(out)), 0);
	ck_assert_int_eq(digest_answer(&c, &example, out, 40), -ENOSPC);
	ck_assert_int_eq(digest_realm(&c, realm), 0);
	ck_assert_str_eq(realm, "http-auth@example.org");
	struct digest_request r = example;
	r.username = "a\"b";
	ck_assert_int_eq(digest_answer(&c, &r, out, sizeof(out)), -EINVAL);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("digest");
	TCase *t = tcase_create("all");
	tcase_add_test(t, rfc_7616);
	tcase_add_test(t, without_qop);
	tcase_add_test(t, challenges_that_are_not_answered);
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
