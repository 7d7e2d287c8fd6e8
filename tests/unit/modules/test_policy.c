#include <check.h>
#include <stdlib.h>

#include "controlplane/modules/policy.h"

#define SECOND 1000000000ull

static struct registry_account a = {.sid = "ACa", .dials_per_second = 2},
			       b = {.sid = "ACb", .dials_per_second = 2};
static struct registry_module from = {.code = "from", .account = &a}, to = {.code = "to", .account = &b};
static struct policy_rate rate;

static void setup(void)
{
	a = (struct registry_account){.sid = "ACa",
		.dials_per_second = 2,
		.caller_id = {"+15550001", "+1666*"},
		.caller_ids = 2,
		.destination = {"+1555*", "!+1555900*", "+15559001", "sip:*@10.0.0.1", "sip:bob@pbx:5070",
			"!sip:eve@10.0.0.1", "sip:*@[2001:db8::1]", "!sip:eve@[2001:db8::1]",
			"sip:*@[2001:db8::2]:5070"},
		.destinations = 9};
	b = (struct registry_account){.sid = "ACb", .dials_per_second = 2};
	to.accepts = 0;
	to.account = &b;
	rate = (struct policy_rate){0};
}

static int handoff(void)
{
	const struct policy_denial *d = policy_handoff(&from, &to);
	return d ? d->number : 0;
}

static int dial(const char *destination, const char *caller_id, uint64_t now_ns)
{
	const struct policy_denial *d = policy_dial(&a, destination, caller_id, &rate, now_ns);
	return d ? d->number : 0;
}

START_TEST(handoff_within_the_account)
{
	to.account = &a;
	ck_assert_int_eq(handoff(), 0);
	a.suspended = true;
	ck_assert_int_eq(handoff(), POLICY_ACCOUNT_SUSPENDED);
}
END_TEST

START_TEST(handoff_across_accounts)
{
	ck_assert_int_eq(handoff(), POLICY_MODULE_CLOSED);
	to.accepts = 1;
	to.accepts_from[0] = "ACc";
	ck_assert_int_eq(handoff(), POLICY_MODULE_CLOSED);
	to.accepts_from[0] = "ACa";
	ck_assert_int_eq(handoff(), 0);
	to.accepts_from[0] = "*";
	ck_assert_int_eq(handoff(), 0);
	b.suspended = true;
	ck_assert_int_eq(handoff(), POLICY_ACCOUNT_SUSPENDED);
	ck_assert_int_eq(policy_handoff(&from, NULL)->number, POLICY_NO_SUCH_MODULE);
}
END_TEST

static const struct {
	const char *destination;
	int denial;
} destinations[] = {
	{"+15551234", 0},
	{"+1555", 0},
	{"+155", POLICY_DESTINATION},
	{"+44123", POLICY_DESTINATION},
	{"", POLICY_DESTINATION},
	{"+1555900", POLICY_DESTINATION},
	{"+15559002", POLICY_DESTINATION},
	{"+15559001", 0}, /* the longest decides */
	{"+1555 1", POLICY_DESTINATION},
	{"+1555;phone-context=x", POLICY_DESTINATION},
	{"+1555@10.0.0.9", POLICY_DESTINATION},
	{"sip:alice@10.0.0.1", 0},
	{"SIP:alice@10.0.0.1", 0},
	{"sip:alice@10.0.0.1:5090", 0},
	{"sip:alice@10.0.0.1;transport=tcp", 0},
	{"sip:alice@10.0.0.1?X-Id=1&x-other=2", POLICY_DESTINATION_HEADERS},
	{"sip:alice@10.0.0.1?Route=%3Csip:evil%3E", POLICY_DESTINATION_HEADERS},
	{"SIP:alice@10.0.0.1;transport=tcp?X-Id=1", POLICY_DESTINATION_HEADERS},
	{"sip:alice@10.0.0.1?", POLICY_DESTINATION_HEADERS},
	{"+1555?X-Id=1", POLICY_DESTINATION},
	{"sip:alice@10.0.0.1;maddr=10.9.9.9", POLICY_DESTINATION},
	{"sip:alice@10.0.0.1;transport=tcp;maddr=1.1.1.1", POLICY_DESTINATION},
	{"sip:alice@10.0.0.1;transport=tcpx", POLICY_DESTINATION},
	{"sip:alice@10.0.0.1@evil", POLICY_DESTINATION},
	{"sip:alice@10.0.0.11", POLICY_DESTINATION},
	{"sip:alice@evil?x=@10.0.0.1", POLICY_DESTINATION_HEADERS},
	{"sip:a;b@10.0.0.1", POLICY_DESTINATION},
	{"sip:10.0.0.1", POLICY_DESTINATION},
	{"sip:@10.0.0.1", POLICY_DESTINATION},
	{"sip:eve@10.0.0.1", POLICY_DESTINATION},
	{"sip:bob@pbx:5070", 0},
	{"sip:bob@PBX:5070", 0},
	{"sip:Bob@pbx:5070", POLICY_DESTINATION},
	{"sip:bob@pbx", POLICY_DESTINATION},
	{"sip:bob@pbx:50700", POLICY_DESTINATION},
	{"sip:alice@[2001:db8::1]", 0},
	{"sip:alice@[2001:DB8:0:0::1]:5090;transport=tcp", 0},
	{"sip:alice@[2001:db8::11]", POLICY_DESTINATION},
	{"sip:alice@[2001:db8::1", POLICY_DESTINATION},
	{"sip:alice@2001:db8::1", POLICY_DESTINATION},
	{"sip:alice@[2001:db8::1]x", POLICY_DESTINATION},
	{"sip:alice@[2001:db8::1][2001:db8::1]", POLICY_DESTINATION},
	{"sip:eve@[2001:db8::1]", POLICY_DESTINATION},
	{"sip:eve@[2001:0db8:0::0001]:5060", POLICY_DESTINATION}, /* forbidden however it is written */
	{"sip:alice@[2001:db8::2]:5070", 0},
	{"sip:alice@[2001:db8:0::2]:5070", 0},
	{"sip:alice@[2001:db8::2]", POLICY_DESTINATION},
	{"sip:alice@[2001:db8::2]:50700", POLICY_DESTINATION},
	{"sip:alice@[::ffff:10.0.0.1]", POLICY_DESTINATION},
	{"sip:alice@[10.0.0.1]", POLICY_DESTINATION},
	{"sips:alice@10.0.0.1", POLICY_DESTINATION},
	{"sip:a\r\nb@10.0.0.1", POLICY_DESTINATION},
};

START_TEST(destination)
{
	int got = dial(destinations[_i].destination, "+15550001", SECOND);
	ck_assert_msg(got == destinations[_i].denial, "%s: %d", destinations[_i].destination, got);
}
END_TEST

START_TEST(caller_id)
{
	ck_assert_int_eq(dial("+15551", "+15550002", SECOND), POLICY_CALLER_ID);
	ck_assert_int_eq(dial("+15551", "+155500011", SECOND), POLICY_CALLER_ID);
	ck_assert_int_eq(dial("+15551", "", SECOND), POLICY_CALLER_ID);
	ck_assert_int_eq(dial("+15551", "+16667", SECOND), 0);
	ck_assert_int_eq(dial("+15551", "anonymous", SECOND), 0);
}
END_TEST

START_TEST(suspended)
{
	a.suspended = true;
	ck_assert_int_eq(dial("+15551", "+15550001", SECOND), POLICY_ACCOUNT_SUSPENDED);
}
END_TEST

START_TEST(dial_rate)
{
	uint64_t now = 100 * SECOND;
	ck_assert_int_eq(dial("+15551", "+15550001", now), 0);
	ck_assert_int_eq(dial("+15551", "+15550001", now), 0);
	ck_assert_int_eq(dial("+15551", "+15550001", now), POLICY_DIAL_RATE);
	ck_assert_int_eq(dial("+15551", "+15550001", now + SECOND / 2 - 1), POLICY_DIAL_RATE);
	ck_assert_int_eq(dial("+15551", "+15550001", now + SECOND / 2), 0);
	ck_assert_int_eq(dial("+15551", "+15550001", now + SECOND / 2), POLICY_DIAL_RATE);
	/* A long pause saves up one second's worth, no more. */
	now += 3600 * SECOND;
	ck_assert_int_eq(dial("+15551", "+15550001", now), 0);
	ck_assert_int_eq(dial("+15551", "+15550001", now), 0);
	ck_assert_int_eq(dial("+15551", "+15550001", now), POLICY_DIAL_RATE);
	/* A clock that steps back gives nothing. */
	ck_assert_int_eq(dial("+15551", "+15550001", SECOND), POLICY_DIAL_RATE);
	/* What is denied anyway costs nothing. */
	now += SECOND;
	ck_assert_int_eq(dial("+44", "+15550001", now), POLICY_DESTINATION);
	ck_assert_int_eq(dial("+15551", "+1", now), POLICY_CALLER_ID);
	ck_assert_int_eq(dial("+15551", "+15550001", now), 0);
	ck_assert_int_eq(dial("+15551", "+15550001", now), 0);
	ck_assert_int_eq(dial("+15551", "+15550001", now), POLICY_DIAL_RATE);
}
END_TEST

START_TEST(denials)
{
	ck_assert_int_eq(policy_denial_of(POLICY_LEGS)->number, 40013);
	ck_assert_str_eq(policy_denial_of(POLICY_LEGS)->name, "LEGS");
	ck_assert_ptr_null(policy_denial_of((enum policy_number)1));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("policy");
	TCase *tc = tcase_create("all");
	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_test(tc, handoff_within_the_account);
	tcase_add_test(tc, handoff_across_accounts);
	tcase_add_loop_test(tc, destination, 0, sizeof(destinations) / sizeof(destinations[0]));
	tcase_add_test(tc, caller_id);
	tcase_add_test(tc, suspended);
	tcase_add_test(tc, dial_rate);
	tcase_add_test(tc, denials);
	suite_add_tcase(suite, tc);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
