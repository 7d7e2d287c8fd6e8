#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/sip/saved.h"

#define SDP                                                                                               \
	"v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 20000 RTP/AVP " \
	"0\r\n"

static struct saved saved;
static json_t *state; /* an established call of ours, that each test changes */

static void setup(void)
{
	state = json_pack(
		"{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:i, s:i, s:i, s:[s], s:s, s:s, s:s, s:[s], "
		"s:s, s:s, s:n, s:i}",
		"state", "up", "direction", "out", "transport", "udp", "peer", "192.0.2.1", "call_id", "a1@b",
		"local", "\"Me\" <sip:me@127.0.0.1>;tag=l1", "remote", "<sip:you@192.0.2.1>;tag=r1",
		"local_tag", "l1", "cseq_local", 5, "cseq_remote", 0, "invite_cseq", 5, "route",
		"<sip:192.0.2.2;lr>", "target", "<sip:you@192.0.2.1:5070>", "branch",
		"z9hG4bK0123456789abcdef0123456789abcdef", "uri", "sip:you@192.0.2.1", "headers", "X-A: b: c",
		"offer", SDP, "sdp", SDP, "invite", "attempt", 1);
	ck_assert_ptr_nonnull(state);
}

static void teardown(void)
{
	json_decref(state);
}

static int read_state(void)
{
	return saved_read(&saved, state);
}

static int read_text(const char *text)
{
	json_t *value = json_loads(text, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, NULL);
	int rc = saved_read(&saved, value);
	json_decref(value);
	return rc;
}

/* What becomes of the state with one value changed (taken over), or left out: NULL. */
static int with(const char *name, json_t *value)
{
	json_t *kept = json_incref(json_object_get(state, name));
	if (value)
		json_object_set_new(state, name, value);
	else
		json_object_del(state, name);
	int rc = read_state();
	saved_free(&saved);
	if (kept)
		json_object_set_new(state, name, kept);
	else
		json_object_del(state, name);
	return rc;
}

static int with_text(const char *name, const char *text)
{
	return with(name, json_string(text));
}

START_TEST(whole)
{
	ck_assert_int_eq(read_state(), 0);
	ck_assert_int_eq(saved.state, SAVED_UP);
	ck_assert(saved.outgoing && !saved.tcp && !saved.cancelled && saved.offered && saved.sent_any);
	ck_assert_str_eq(saved.call_id, "a1@b");
	ck_assert_str_eq(saved.target, "<sip:you@192.0.2.1:5070>");
	ck_assert_int_eq(saved.routes, 1);
	ck_assert_str_eq(saved.route[0], "<sip:192.0.2.2;lr>");
	ck_assert_int_eq(saved.headers, 1);
	ck_assert_str_eq(saved.header[0], "X-A: b: c");
	ck_assert_uint_eq(saved.cseq_local, 5);
	ck_assert_uint_eq(tg_addr_ipv4_be(&saved.peer), htonl(0xc0000201));
	ck_assert_uint_eq(saved.sent.session_version, 2);
	ck_assert_ptr_null(saved.invite);
	ck_assert_ptr_null(saved.username);
	saved_free(&saved);
}
END_TEST

START_TEST(no_object)
{
	static const char *const texts[] = {"", "null", "[]", "{", "{}", "\"up\"", "{\"state\":\"up\"}",
		"{\"state\":\"up\",\"state\":\"up\"}"};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		ck_assert_int_eq(read_text(texts[i]), -EINVAL);
		saved_free(&saved);
	}
}
END_TEST

/* Each of these must be there, and be of its kind. */
START_TEST(required)
{
	static const char *const names[] = {"state", "direction", "transport", "peer", "call_id", "local",
		"remote", "local_tag", "branch", "cseq_local", "cseq_remote", "invite_cseq", "attempt"};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		ck_assert_msg(with(names[i], NULL) == -EINVAL, "without %s", names[i]);
		ck_assert_msg(with(names[i], json_null()) == -EINVAL, "%s is null", names[i]);
		ck_assert_msg(with(names[i], json_array()) == -EINVAL, "%s is a list", names[i]);
		ck_assert_msg(with_text(names[i], "") == -EINVAL, "%s is empty", names[i]);
		ck_assert_msg(with_text(names[i], "a\r\nX-Evil: 1") == -EINVAL, "%s has lines", names[i]);
	}
	ck_assert_int_eq(with("target", NULL), -EINVAL); /* of a call of ours */
	ck_assert_int_eq(read_state(), 0);
	saved_free(&saved);
}
END_TEST

START_TEST(peers)
{
	static const struct {
		const char *text;
		enum tg_family family;
	} good[] = {
		{"198.18.0.1", TG_FAMILY_IPV4}, {"2001:db8::1", TG_FAMILY_IPV6}, {"0.0.0.0", TG_FAMILY_NONE}};
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		json_object_set_new(state, "peer", json_string(good[i].text));
		ck_assert_int_eq(read_state(), 0);
		ck_assert_uint_eq(saved.peer.family, good[i].family);
		saved_free(&saved);
	}
}
END_TEST

START_TEST(bad_values)
{
	static const struct {
		const char *name, *value;
	} bad[] = {
		{"state", "over"},
		{"state", "UP"},
		{"direction", "both"},
		{"transport", "tls"},
		{"peer", "192.0.2.256"},
		{"peer", "::"},
		{"peer", "[2001:db8::1]"},
		{"peer", "fe80::1%eth0"},
		{"call_id", "a b"},
		{"call_id", "a;b"},
		{"local_tag", "a;b"},
		{"local_tag", "a b"},
		{"branch", "z9hG4bK"},
		{"branch", "z9hG4bK0123456789abcdef0123456789abcde"},
		{"branch", "z9hG4bK0123456789abcdef0123456789abcdef0"},
		{"branch", "z9hG4bK0123456789abcdef0123456789abcdeg"},
		{"branch", "x9hG4bK0123456789abcdef0123456789abcdef"},
		{"target", "sip:you@192.0.2.1"},
		{"target", "<sip:a@b>, <sip:c@d>"},
		{"target", "<sip:a@b"},
		{"route", "<sip:192.0.2.2;lr>"},
		{"headers", "X-A: b"},
		{"offer", "v=0\r\n"},
		{"sdp", ""},
		{"sdp", "nonsense"},
		{"username", "a\"b"},
		{"realm", "a\nb"},
		{"authorization", "Digest\r\nX-Evil: 1"},
		{"cancelled", "yes"},
		{"invite", "a"},
		{"invite", "?@#!"},
		{"invite", "===="},
	};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_msg(
			with_text(bad[i].name, bad[i].value) == -EINVAL, "%s: %s", bad[i].name, bad[i].value);
}
END_TEST

START_TEST(bad_headers)
{
	static const char *const lines[] = {"X-A", "X-A:b", "Via: x", "X-A: b\r\nX-B: c", ": b", ""};
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		ck_assert_msg(with("headers", json_pack("[s]", lines[i])) == -EINVAL, "%s", lines[i]);
	ck_assert_int_eq(with("headers", json_pack("[i]", 1)), -EINVAL);
	json_t *many = json_array();
	for (int i = 0; i <= SAVED_HEADERS_MAX; i++)
		json_array_append_new(many, json_string("X-A: b"));
	ck_assert_int_eq(with("headers", many), -EINVAL);
	many = json_array();
	for (int i = 0; i <= SAVED_ROUTES_MAX; i++)
		json_array_append_new(many, json_string("<sip:192.0.2.2;lr>"));
	ck_assert_int_eq(with("route", many), -EINVAL);
}
END_TEST

START_TEST(numbers)
{
	ck_assert_int_eq(with("cseq_local", json_integer(0)), -EINVAL);
	ck_assert_int_eq(with("cseq_local", json_integer(-1)), -EINVAL);
	ck_assert_int_eq(with("cseq_local", json_integer(0x7fffffff)), 0);
	ck_assert_int_eq(with("cseq_local", json_integer(0x80000000)), -EINVAL);
	ck_assert_int_eq(with("cseq_local", json_integer(0x100000005)), -EINVAL);
	ck_assert_int_eq(with("cseq_local", json_real(5)), -EINVAL);
	ck_assert_int_eq(with("cseq_remote", json_integer(0xffffffff)), 0);
	ck_assert_int_eq(with("cseq_remote", json_integer(0x100000000)), -EINVAL);
	ck_assert_int_eq(with("attempt", json_integer(-1)), -EINVAL);
	ck_assert_int_eq(with("attempt", json_integer(1 << 20)), -EINVAL);
}
END_TEST

/* A state needs what is done in it. */
START_TEST(fits_its_state)
{
	static const char *const need_invite[] = {"invited", "unacknowledged"};
	for (size_t i = 0; i < 2; i++) {
		json_object_set_new(state, "direction", json_string("in"));
		ck_assert_int_eq(with_text("state", need_invite[i]), -EINVAL);
		json_object_set_new(state, "invite", json_string("SU5WSVRF"));
		ck_assert_int_eq(with_text("state", need_invite[i]), 0);
		json_object_set_new(state, "invite", json_null());
	}
	json_object_set_new(state, "direction", json_string("out"));
	ck_assert_int_eq(with_text("state", "invited"), -EINVAL);
	ck_assert_int_eq(with_text("state", "calling"), 0);
	ck_assert_int_eq(with_text("state", "prepared"), 0);
	ck_assert_int_eq(with_text("state", "answered"), 0);
	ck_assert_int_eq(with_text("state", "ending"), 0);
	json_object_set_new(state, "uri", json_string("sip:a@b?X-Evil=1"));
	ck_assert_int_eq(with_text("state", "calling"), -EINVAL);
	json_object_set_new(state, "uri", json_null());
	ck_assert_int_eq(with_text("state", "calling"), -EINVAL);
	ck_assert_int_eq(with_text("state", "answered"), -EINVAL);
	json_object_set_new(state, "direction", json_string("in"));
	ck_assert_int_eq(with_text("state", "prepared"), -EINVAL);
	ck_assert_int_eq(with("target", json_null()), 0); /* a caller without a Contact */
	json_object_set_new(state, "cseq_local", json_integer(1));
	ck_assert_int_eq(with_text("state", "ending"), -EINVAL);
}
END_TEST

START_TEST(invite_of_the_far_end)
{
	static const struct {
		const char *encoded, *bytes;
	} good[] = {{"SU5WSVRF", "INVITE"}, {"SU5WSVQ=", "INVIT"}, {"SU5WSQ==", "INVI"}};
	json_object_set_new(state, "direction", json_string("in"));
	json_object_set_new(state, "state", json_string("invited"));
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		json_object_set_new(state, "invite", json_string(good[i].encoded));
		ck_assert_int_eq(read_state(), 0);
		ck_assert_uint_eq(saved.invite_len, strlen(good[i].bytes));
		ck_assert_int_eq(memcmp(saved.invite, good[i].bytes, saved.invite_len), 0);
		saved_free(&saved);
	}
	size_t len = SAVED_INVITE_BYTES / 3 * 4 + 4;
	char *big = malloc(len + 1);
	memset(big, 'A', len);
	big[len] = '\0';
	ck_assert_int_eq(with_text("invite", big), -EINVAL);
	big[len - 4] = '\0';
	ck_assert_int_eq(with_text("invite", big), 0);
	free(big);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("saved");
	TCase *tc = tcase_create("saved");
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, whole);
	tcase_add_test(tc, no_object);
	tcase_add_test(tc, required);
	tcase_add_test(tc, peers);
	tcase_add_test(tc, bad_values);
	tcase_add_test(tc, bad_headers);
	tcase_add_test(tc, numbers);
	tcase_add_test(tc, fits_its_state);
	tcase_add_test(tc, invite_of_the_far_end);
	suite_add_tcase(suite, tc);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
