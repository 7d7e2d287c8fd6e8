#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/modules/url.h"

static char out[URL_BYTES_MAX];

/* RFC 3986, 5.4.1 and 5.4.2, without references of other schemes. */
static const struct {
	const char *reference, *target;
} examples[] = {{"g", "http://a/b/c/g"}, {"./g", "http://a/b/c/g"}, {"g/", "http://a/b/c/g/"},
	{"/g", "http://a/g"}, {"//g", "http://g/"}, {"?y", "http://a/b/c/d;p?y"}, {"g?y", "http://a/b/c/g?y"},
	{"#s", "http://a/b/c/d;p?q#s"}, {"g#s", "http://a/b/c/g#s"}, {"g?y#s", "http://a/b/c/g?y#s"},
	{";x", "http://a/b/c/;x"}, {"g;x", "http://a/b/c/g;x"}, {"g;x?y#s", "http://a/b/c/g;x?y#s"},
	{"", "http://a/b/c/d;p?q"}, {".", "http://a/b/c/"}, {"./", "http://a/b/c/"}, {"..", "http://a/b/"},
	{"../", "http://a/b/"}, {"../g", "http://a/b/g"}, {"../..", "http://a/"}, {"../../", "http://a/"},
	{"../../g", "http://a/g"}, {"../../../g", "http://a/g"}, {"../../../../g", "http://a/g"},
	{"/./g", "http://a/g"}, {"/../g", "http://a/g"}, {"g.", "http://a/b/c/g."}, {".g", "http://a/b/c/.g"},
	{"g..", "http://a/b/c/g.."}, {"..g", "http://a/b/c/..g"}, {"./../g", "http://a/b/g"},
	{"./g/.", "http://a/b/c/g/"}, {"g/./h", "http://a/b/c/g/h"}, {"g/../h", "http://a/b/c/h"},
	{"g;x=1/./y", "http://a/b/c/g;x=1/y"}, {"g;x=1/../y", "http://a/b/c/y"},
	{"g?y/./x", "http://a/b/c/g?y/./x"}, {"g?y/../x", "http://a/b/c/g?y/../x"},
	{"g#s/./x", "http://a/b/c/g#s/./x"}, {"g#s/../x", "http://a/b/c/g#s/../x"},
	{" \n g\t", "http://a/b/c/g"}, {"HTTPS://Example.COM:443/%41 b", "https://example.com/%41%20b"},
	{"http://H:8080", "http://h:8080/"}, {"http://u:p@H/x", "http://u:p@h/x"},
	{"http://[::1]:80/", "http://[::1]/"}, {"%2e%2E/g", "http://a/b/g"}, {".%2e/%2e/g", "http://a/b/g"},
	{"/x/%2E%2e", "http://a/"}, {"g%2ehtml?%2e#%2e", "http://a/b/c/g.html?%2e#%2e"},
	{"%2", "http://a/b/c/%2"}, {"%252e%252e/g", "http://a/b/c/%252e%252e/g"}};

START_TEST(resolve)
{
	ck_assert_int_eq(url_resolve("http://a/b/c/d;p?q", examples[_i].reference, out, sizeof(out)), 0);
	ck_assert_str_eq(out, examples[_i].target);
}
END_TEST

START_TEST(resolve_drops_the_bases_fragment)
{
	ck_assert_int_eq(url_resolve("http://a/b?q#f", "", out, sizeof(out)), 0);
	ck_assert_str_eq(out, "http://a/b?q");
}
END_TEST

static const char *const refused[] = {"ftp://h/x", "file:///etc/passwd", "javascript:x", "a:b", "http:h",
	"http:/h", "http:///h", "http://", "http://h\\@evil/", "a\\b", "http://h /", "http://a b/",
	"http://h:99999/", "http://h:x/", "http://u@v@w/", "a\001b", "gopher://h/"};

START_TEST(refuse)
{
	ck_assert_int_eq(url_resolve("http://a/b", refused[_i], out, sizeof(out)), -EINVAL);
}
END_TEST

START_TEST(relative_needs_a_base)
{
	ck_assert_int_eq(url_resolve(NULL, "x", out, sizeof(out)), -EINVAL);
	ck_assert_int_eq(url_resolve(NULL, "//h/x", out, sizeof(out)), -EINVAL);
	ck_assert_int_eq(url_resolve(NULL, "", out, sizeof(out)), -EINVAL);
}
END_TEST

START_TEST(length)
{
	char small[12], *long_url = malloc(URL_BYTES_MAX + 10);
	ck_assert_int_eq(url_resolve(NULL, "http://h/xx", small, sizeof(small)), 0);
	ck_assert_int_eq(url_resolve(NULL, "http://h/xxx", small, sizeof(small)), -E2BIG);
	memset(long_url, 'a', URL_BYTES_MAX + 9);
	long_url[URL_BYTES_MAX + 9] = '\0';
	memcpy(long_url, "http://h/", 9);
	ck_assert_int_eq(url_resolve(NULL, long_url, out, sizeof(out)), -E2BIG);
	/* Longer than the 1,024 that other systems break at. */
	long_url[4000] = '\0';
	ck_assert_int_eq(url_resolve(NULL, long_url, out, sizeof(out)), 0);
	ck_assert_uint_eq(strlen(out), 4000);
	free(long_url);
}
END_TEST

START_TEST(strip)
{
	ck_assert_int_eq(url_strip("https://u:p@Host:8443/a?b=c#d", out, sizeof(out)), 0);
	ck_assert_str_eq(out, "https://host:8443/a?b=c");
	ck_assert_int_eq(url_strip("http://Host", out, sizeof(out)), 0);
	ck_assert_str_eq(out, "http://host/");
	ck_assert_int_eq(url_strip("http://h:80/#x", out, sizeof(out)), 0);
	ck_assert_str_eq(out, "http://h/");
}
END_TEST

START_TEST(spaces)
{
	ck_assert(url_in_space("http://h/app", "http://h/app"));
	ck_assert(url_in_space("http://h/app", "http://h/app/x"));
	ck_assert(url_in_space("http://h/app", "http://h/app?x"));
	ck_assert(url_in_space("http://h/app", "http://h/app#x"));
	ck_assert(url_in_space("http://h/app", "http://u:p@h/app/x"));
	ck_assert(url_in_space("http://h/app/", "http://h/app/x"));
	ck_assert(!url_in_space("http://h/app/", "http://h/app"));
	ck_assert(!url_in_space("http://h/app", "http://h/apple"));
	ck_assert(!url_in_space("http://h/app", "https://h/app"));
	ck_assert(!url_in_space("http://h/app", "http://h:81/app"));
	ck_assert(!url_in_space("http://h/", "http://h.evil/"));
	ck_assert(!url_in_space("http://h/app", "http://x/?u=http://h/app"));
	ck_assert(!url_in_space("http://h/app", "http://h@x/app"));
	ck_assert(!url_in_space("http://h/app", "http://h/app/..%2fx"));
	ck_assert(!url_in_space("http://h/app", "http://h/app/x%2F..%2fy"));
	ck_assert(!url_in_space("http://h/app", "http://h/app/..%5cx"));
	ck_assert(!url_in_space("http://h/app", "http://h/app/..;a=b/x"));
	ck_assert(!url_in_space("http://h/app", "http://h/app/a%2f..?x"));
	ck_assert(url_in_space("http://h/app", "http://h/app/..x"));
	ck_assert(url_in_space("http://h/app", "http://h/app/x..%2fy"));
	ck_assert(url_in_space("http://h/app", "http://h/app?/..%2fx"));
	ck_assert(url_in_space("http://h/app", "http://h/app/%252e%252e%252f"));
}
END_TEST

START_TEST(a_password_is_not_shown)
{
	static const char *const shown[][2] = {{"http://u:p@h/app?x=a@b#rt=5", "http://h/app?x=a@b#rt=5"},
		{"https://u@p@h:81", "https://h:81"}, {"http://h/a@b", "http://h/a@b"},
		{"http://h", "http://h"}, {"a@b", "b"}, {"", ""}};
	char small[8];
	for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++)
		ck_assert_str_eq(url_show(shown[i][0], out, sizeof(out)), shown[i][1]);
	ck_assert_str_eq(url_show("http://u:p@host/", small, sizeof(small)), "http://");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("url");
	TCase *tc = tcase_create("all");
	tcase_add_loop_test(tc, resolve, 0, sizeof(examples) / sizeof(examples[0]));
	tcase_add_loop_test(tc, refuse, 0, sizeof(refused) / sizeof(refused[0]));
	tcase_add_test(tc, resolve_drops_the_bases_fragment);
	tcase_add_test(tc, relative_needs_a_base);
	tcase_add_test(tc, length);
	tcase_add_test(tc, strip);
	tcase_add_test(tc, spaces);
	tcase_add_test(tc, a_password_is_not_shown);
	suite_add_tcase(suite, tc);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
