/* What is shown as an example can be loaded, and fits together. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "controlplane/modules/document.h"
#include "controlplane/modules/policy.h"
#include "controlplane/modules/registry.h"
#include "settings/settings.h"

static struct settings settings;
static struct registry *registry;
static char why[600];

static void setup(void)
{
	ck_assert_msg(settings_load(EXAMPLES "/gateway.conf", &settings, why, sizeof(why)) == 0, "%s", why);
	ck_assert_msg(registry_load(settings.registry, &registry, why, sizeof(why)) == 0, "%s", why);
}

static void teardown(void)
{
	registry_unref(registry);
}

static struct document *load(const char *name)
{
	char path[256], *body;
	size_t len;
	snprintf(path, sizeof(path), EXAMPLES "/www/%s", name);
	ck_assert_int_eq(file_read(path, DOCUMENT_BYTES_MAX, &body, &len), 0);
	struct document *d = NULL;
	struct document_error error = {0};
	ck_assert_msg(document_parse(body, len, "text/xml", "http://198.18.1.2/", &d, &error) == 0, "%s: %s",
		name, error.sentence);
	ck_assert_msg(document_warnings(d) == 0, "%s: %s", name, document_warning(d, 0));
	free(body);
	return d;
}

START_TEST(number_reaches_a_module)
{
	const struct registry_number *n = registry_number(registry, "100");
	ck_assert_ptr_nonnull(n);
	ck_assert_str_eq(n->module->code, "front-desk");
	ck_assert_ptr_eq(registry_module_by_url(registry, n->module->url), n->module);
}
END_TEST

START_TEST(front_desk_may_hand_over)
{
	struct document *d = load("front-desk/start.xml");
	const struct document_verb *gather = document_verb(d, 0);
	ck_assert_int_eq(gather->type, VERB_Gather);
	ck_assert_str_eq(gather->u.Gather.action, "chosen.xml");
	document_free(d);
	d = load("front-desk/chosen.xml");
	const struct document_verb *module = document_verb(d, 0);
	ck_assert_int_eq(module->type, VERB_Module);
	const struct registry_module *to = registry_module(registry, module->u.Module.code);
	ck_assert_ptr_null(policy_handoff(registry_module(registry, "front-desk"), to));
	ck_assert_int_eq(
		policy_handoff(to, registry_module(registry, "front-desk"))->number, POLICY_MODULE_CLOSED);
	document_free(d);
}
END_TEST

START_TEST(connect_may_dial)
{
	struct document *d = load("connect/start.xml");
	const struct document_verb *dial = document_verb(d, 0);
	ck_assert_int_eq(dial->type, VERB_Dial);
	struct policy_rate rate = {0};
	const struct registry_account *account = registry_module(registry, "connect")->account;
	ck_assert_ptr_null(policy_dial(account, dial->child[0].text, dial->u.Dial.callerId, &rate, 1));
	document_free(d);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("examples");
	TCase *tc = tcase_create("all");
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, number_reaches_a_module);
	tcase_add_test(tc, front_desk_may_hand_over);
	tcase_add_test(tc, connect_may_dial);
	suite_add_tcase(suite, tc);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
