#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/modules/registry_entry.h"

#define SID_A "AC00000000000000000000000000000001"
#define SID_B "AC00000000000000000000000000000002"
#define A     "accounts = ({ sid = \"" SID_A "\"; auth_token = \"0123456789abcdef\"; });\n"
#define M     "modules = ({ code = \"m\"; account = \"" SID_A "\"; url = \"http://h/m\"; });\n"

static const char full[] =
	"accounts = (\n"
	"  { sid = \"" SID_B
	"\"; name = \"Bee\"; auth_token = \"bbbbbbbbbbbbbbbbbbbb\"; status = \"suspended\"; },\n"
	"  { sid = \"" SID_A "\"; auth_token = \"aaaaaaaaaaaaaaaaaaaa\"; dials_per_second = 7;\n"
	"    caller_ids = (\"+15550001\"); destinations = (\"+1555*\", \"!+1555900*\", \"sip:*@10.0.0.1\"); "
	"});\n"
	"modules = (\n"
	"  { code = \"zoo\"; account = \"" SID_A
	"\"; url = \"http://H:80/app/zoo.xml?x=1\"; capabilities = (\"play\", \"say\"); },\n"
	"  { code = \"front\"; account = \"" SID_A
	"\"; url = \"http://h/app/front.xml\"; uri_space = \"http://h/app/\";\n"
	"    method = \"GET\"; fallback_url = \"http://h/sorry\"; capabilities = (\"say\"); },\n"
	"  { code = \"zzz\"; account = \"" SID_A "\"; url = \"http://h/\"; },\n"
	"  { code = \"bee\"; account = \"" SID_B
	"\"; url = \"https://b/\"; accepts_handoff_from = (\"*\"); });\n"
	"numbers = (\n"
	"  { pattern = \"*\"; account = \"" SID_A "\"; module = \"zoo\"; },\n"
	"  { pattern = \"+1555*\"; account = \"" SID_A "\"; module = \"front\"; },\n"
	"  { pattern = \"+1555123\"; account = \"" SID_B "\"; module = \"bee\"; },\n"
	"  { pattern = \"+15551*\"; account = \"" SID_A "\"; module = \"bee\"; });\n";

static struct registry *registry;
static char why[600];

static int parse(const char *text)
{
	return registry_parse(text, strlen(text), "r.conf", &registry, why, sizeof(why));
}

static void setup(void)
{
	ck_assert_msg(parse(full) == 0, "%s", why);
}

static void teardown(void)
{
	registry_unref(registry);
}

START_TEST(accounts)
{
	const struct registry_account *a = registry_account(registry, SID_A);
	ck_assert_ptr_nonnull(a);
	ck_assert_str_eq(a->sid, SID_A);
	ck_assert_str_eq(a->auth_token, "aaaaaaaaaaaaaaaaaaaa");
	ck_assert_int_eq(a->dials_per_second, 7);
	ck_assert_int_eq(a->caller_ids, 1);
	ck_assert_int_eq(a->destinations, 3);
	ck_assert_str_eq(a->destination[1], "!+1555900*");
	ck_assert(!a->suspended);
	ck_assert(registry_account(registry, SID_B)->suspended);
	ck_assert_str_eq(registry_account(registry, SID_B)->name, "Bee");
	ck_assert_ptr_null(registry_account(registry, "AC"));
}
END_TEST

START_TEST(modules)
{
	const struct registry_module *m = registry_module(registry, "front");
	ck_assert_ptr_nonnull(m);
	ck_assert_ptr_eq(m->account, registry_account(registry, SID_A));
	ck_assert_str_eq(m->method, "GET");
	ck_assert_str_eq(m->fallback_url, "http://h/sorry");
	ck_assert_int_eq(m->capabilities, 1);
	m = registry_module(registry, "zoo");
	ck_assert_str_eq(m->url, "http://h/app/zoo.xml?x=1");
	ck_assert_str_eq(m->method, "POST");
	ck_assert_ptr_null(m->fallback_url);
	ck_assert_ptr_null(registry_module(registry, "Front"));
	ck_assert_ptr_null(registry_module(registry, ""));
}
END_TEST

START_TEST(numbers_by_longest_match)
{
	static const struct {
		const char *called, *module;
	} cases[] = {{"+1555123", "bee"}, {"+15551234", "bee"}, {"+15551", "bee"}, {"+15552", "front"},
		{"+1555", "front"}, {"+155", "zoo"}, {"", "zoo"}, {"alice", "zoo"}, {"*", "zoo"}};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct registry_number *n = registry_number(registry, cases[i].called);
		ck_assert_ptr_nonnull(n);
		ck_assert_msg(!strcmp(n->module->code, cases[i].module), "%s went to %s", cases[i].called,
			n->module->code);
	}
	ck_assert_str_eq(registry_number(registry, "+1555123")->account->sid, SID_B);
	ck_assert_str_eq(registry_number(registry, "+15551234")->pattern, "+15551*");
	char longest[400];
	memset(longest, '9', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	ck_assert_str_eq(registry_number(registry, longest)->module->code, "zoo");
	memcpy(longest, "+1555", 5);
	ck_assert_str_eq(registry_number(registry, longest)->module->code, "front");
}
END_TEST

START_TEST(no_number)
{
	struct registry *other;
	ck_assert_int_eq(registry_parse(A M, strlen(A M), "r.conf", &other, why, sizeof(why)), 0);
	ck_assert_ptr_null(registry_number(other, "+1555"));
	registry_unref(other);
}
END_TEST

START_TEST(modules_by_url)
{
	static const struct {
		const char *url, *module;
	} cases[] = {{"http://h/app/zoo.xml", "zoo"}, {"http://h/app/zoo.xml?y=2", "zoo"},
		{"HTTP://H/app/zoo.xml#x", "zoo"}, {"http://h/app/zoo.xml2", "front"},
		{"http://h/app/x/y", "front"}, {"http://h/app/x/../zoo.xml", "zoo"}, {"http://h/app", "zzz"},
		{"http://h/apps/", "zzz"}, {"https://h/app/", NULL}, {"http://x/app/", NULL},
		{"https://b/anything", "bee"}, {"relative", NULL}};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct registry_module *m = registry_module_by_url(registry, cases[i].url);
		ck_assert_msg((m == NULL) == (cases[i].module == NULL), "%s", cases[i].url);
		if (m)
			ck_assert_msg(
				!strcmp(m->code, cases[i].module), "%s went to %s", cases[i].url, m->code);
	}
}
END_TEST

START_TEST(capabilities)
{
	ck_assert_str_eq(registry_module_for_capability(registry, "say")->code, "front");
	ck_assert_str_eq(registry_module_for_capability(registry, "play")->code, "zoo");
	ck_assert_ptr_null(registry_module_for_capability(registry, "fax"));
}
END_TEST

START_TEST(references)
{
	struct registry *r = registry_ref(registry);
	registry_unref(r);
	ck_assert_ptr_nonnull(registry_module(registry, "zoo"));
}
END_TEST

static const struct {
	const char *text, *start, *part;
} bad[] = {
	{"x = 1;", "r.conf:1: x: ", "accounts, modules, numbers"},
	{"accounts = ({ });", "r.conf:1: accounts[0].sid: ", "missing"},
	{"accounts = ({ sid = \"AC1\"; auth_token = \"0123456789abcdef\"; });",
		"r.conf:1: accounts[0].sid: ", "32 hex"},
	{"accounts = ({ sid = \"" SID_A "\"; auth_token = \"short\"; });",
		"r.conf:1: accounts[0].auth_token: ", "at least 16"},
	{"accounts = ({ sid = \"" SID_A "\"; auth_token = \"0123456789abcdef\"; status = \"gone\"; });",
		"r.conf:1: accounts[0].status: ", "suspended"},
	{"accounts = ({ sid = \"" SID_A "\"; auth_token = \"0123456789abcdef\"; dials_per_second = 0; });",
		"r.conf:1: accounts[0].dials_per_second: ", "1 to"},
	{"accounts = ({ sid = \"" SID_A
	 "\"; auth_token = \"0123456789abcdef\"; destinations = (\"sip:x\"); });",
		"r.conf:1: accounts[0].destinations[0]: ", "sip:*@host"},
	{"accounts = ({ sid = \"" SID_A "\"; auth_token = \"0123456789abcdef\"; caller_ids = (\"a b\"); });",
		"r.conf:1: accounts[0].caller_ids[0]: ", "digits"},
	{A "modules = ({ code = \"a b\"; account = \"" SID_A "\"; url = \"http://h/\"; });",
		"r.conf:2: modules[0].code: ", "letters"},
	{A "modules = ({ code = \"a\"; account = \"" SID_B "\"; url = \"http://h/\"; });",
		"r.conf:2: modules.account: ", "no account"},
	{A "modules = ({ code = \"a\"; account = \"" SID_A "\"; url = \"ftp://h/\"; });",
		"r.conf:2: modules[0].url: ", "http://"},
	{A "modules = ({ code = \"a\"; account = \"" SID_A "\"; url = \"http://h/\"; kind = \"routing\"; });",
		"r.conf:2: modules.kind: ", "not available"},
	{A "modules = ({ code = \"a\"; account = \"" SID_A
	   "\"; url = \"http://h/\"; capabilities = (\"A\"); });",
		"r.conf:2: modules[0].capabilities[0]: ", "lower-case"},
	{A "modules = ({ code = \"a\"; account = \"" SID_A
	   "\"; url = \"http://h/\"; accepts_handoff_from = (\"x\"); });",
		"r.conf:2: modules[0].accepts_handoff_from[0]: ", "sid"},
	{A "modules = ({ code = \"a\"; account = \"" SID_A "\"; url = \"http://h/\"; },\n"
	   "{ code = \"b\"; account = \"" SID_A "\"; url = \"http://h:80\"; });",
		"r.conf:3: modules.uri_space: ", "same space"},
	{A "modules = ({ code = \"a\"; account = \"" SID_A "\"; url = \"http://h/\"; },\n"
	   "{ code = \"a\"; account = \"" SID_A "\"; url = \"http://h/2\"; });",
		"r.conf:3: modules.code: ", "twice"},
	{A M "numbers = ({ pattern = \"\"; account = \"" SID_A "\"; module = \"m\"; });",
		"r.conf:3: numbers[0].pattern: ", "digits"},
	{A M "numbers = ({ pattern = \"1\"; account = \"" SID_A "\"; module = \"x\"; });",
		"r.conf:3: numbers.module: ", "no module"},
	{A M "numbers = ({ pattern = \"1\"; account = \"" SID_B "\"; module = \"m\"; });",
		"r.conf:3: numbers.account: ", "no account"},
	{A M "numbers = ({ pattern = \"1\"; account = \"" SID_A "\"; module = \"m\"; },\n"
	     "{ pattern = \"1\"; account = \"" SID_A "\"; module = \"m\"; });",
		"r.conf:4: numbers.pattern: ", "twice"},
	{"accounts = ({ sid = \"" SID_A "\"; auth_token = \"0123456789abcdef\"; },\n"
	 "{ sid = \"" SID_B "\"; auth_token = \"0123456789abcdef\"; });\n" M
	 "numbers = ({ pattern = \"1\"; account = \"" SID_B "\"; module = \"m\"; });",
		"r.conf:4: numbers.module: ", "accepts_handoff_from"},
	{"accounts = 3;", "r.conf:1: accounts: ", "not a list"},
};

START_TEST(refused)
{
	struct registry *r = NULL;
	ck_assert_int_eq(
		registry_parse(bad[_i].text, strlen(bad[_i].text), "r.conf", &r, why, sizeof(why)), -EINVAL);
	ck_assert_ptr_null(r);
	ck_assert_msg(!strncmp(why, bad[_i].start, strlen(bad[_i].start)), "%s\ndoes not begin with %s", why,
		bad[_i].start);
	ck_assert_msg(strstr(why, bad[_i].part) != NULL, "%s\nlacks %s", why, bad[_i].part);
}
END_TEST

START_TEST(unreadable)
{
	struct registry *r;
	ck_assert_int_eq(registry_load("/nonexistent/r.conf", &r, why, sizeof(why)), -ENOENT);
	ck_assert_ptr_nonnull(strstr(why, "/nonexistent/r.conf"));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("registry");
	TCase *tc = tcase_create("lookups");
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, accounts);
	tcase_add_test(tc, modules);
	tcase_add_test(tc, numbers_by_longest_match);
	tcase_add_test(tc, no_number);
	tcase_add_test(tc, modules_by_url);
	tcase_add_test(tc, capabilities);
	tcase_add_test(tc, references);
	suite_add_tcase(suite, tc);
	tc = tcase_create("files");
	tcase_add_loop_test(tc, refused, 0, sizeof(bad) / sizeof(bad[0]));
	tcase_add_test(tc, unreadable);
	suite_add_tcase(suite, tc);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
