/* Sessions without sockets, region or journal: what happens goes in, what is to be done comes out. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/calls/session.h"
#include "controlplane/calls/state.h"
#include "controlplane/modules/registry_entry.h"
#include "tests/unit/journal/scratch.h"

#define SID_A "AC00000000000000000000000000000001"
#define SID_B "AC00000000000000000000000000000002"
#define S     1000000000ull

static const char registry_text[] =
	"accounts = (\n"
	"  { sid = \"" SID_A "\"; auth_token = \"aaaaaaaaaaaaaaaaaaaa\"; dials_per_second = 5;\n"
	"    destinations = (\"+1555*\"); caller_ids = (\"+15550000\"); },\n"
	"  { sid = \"" SID_B "\"; auth_token = \"bbbbbbbbbbbbbbbbbbbb\"; dials_per_second = 5;\n"
	"    destinations = (\"+1555*\"); });\n"
	"modules = (\n"
	"  { code = \"front\"; account = \"" SID_A
	"\"; url = \"http://h/front/start\"; fallback_url = \"http://h/sorry\"; },\n"
	"  { code = \"connect\"; account = \"" SID_B
	"\"; url = \"http://h/connect/start\"; uri_space = \"http://h/connect/\"; accepts_handoff_from = "
	"(\"*\"); },\n"
	"  { code = \"private\"; account = \"" SID_B "\"; url = \"http://h/private/start\"; });\n"
	"numbers = ({ pattern = \"+15550100\"; account = \"" SID_A "\"; module = \"front\"; });\n";

static struct registry *registry;
static struct session *s;
static struct policy_rate rate;
static uint64_t clock_ns;
static char did[4096];

static struct session_env env(void)
{
	return (struct session_env){.now_ns = clock_ns, .dial_rate = &rate};
}

static struct media_description sdp(uint16_t port, enum media_direction direction)
{
	return (struct media_description){.session_id = 1,
		.session_version = 1,
		.address = tg_addr_ipv4(inet_addr("198.18.0.10")),
		.port = port,
		.direction = direction,
		.ptime = 20,
		.codecs = 2,
		.codec = {{MEDIA_PCMU, 0, 8000}, {MEDIA_TELEPHONE_EVENT, 101, 8000}},
		.streams = 1};
}

static void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static void say(const char *fmt, ...)
{
	size_t n = strlen(did);
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(did + n, sizeof(did) - n, fmt, ap);
	va_end(ap);
}

static const char *command_name(const struct tg_command *c)
{
	static const char *const source[] = {"silence", "relay", "play"};
	switch (c->kind) {
	case TG_CMD_PROGRAM:
		return c->program.flags & TG_LEG_HOLD ? "program-hold" : "program";
	case TG_CMD_SOURCE:
		return source[c->source.kind];
	case TG_CMD_STINT:
		return "stint";
	case TG_CMD_RELEASE:
		return "release";
	}
	return "?";
}

static void describe(const struct action *a)
{
	switch (a->kind) {
	case ACTION_FACT:
		say("%s ", fact_name[a->fact]);
		break;
	case ACTION_RESPOND:
		say("%d%s:%d ", a->status, a->sdp ? "+sdp" : "", a->leg);
		break;
	case ACTION_INVITE:
		say("INVITE:%d ", a->leg);
		break;
	case ACTION_RESEND:
		say("RESEND:%d ", a->leg);
		break;
	case ACTION_ACK:
		say("ACK:%d ", a->leg);
		break;
	case ACTION_CANCEL:
		say("CANCEL:%d ", a->leg);
		break;
	case ACTION_BYE:
		say("BYE:%d ", a->leg);
		break;
	case ACTION_END:
		say("END:%d ", a->leg);
		break;
	case ACTION_CHAIN:
		say("[");
		for (uint32_t i = 0; i < a->chain->n; i++)
			say("%s%s:%u", i ? " " : "", command_name(&a->chain->command[i]),
				a->chain->command[i].leg);
		say("] ");
		break;
	case ACTION_FETCH:
		say("FETCH(%s) ", a->text);
		break;
	case ACTION_RESOLVE:
		say("RESOLVE(%s) ", a->text);
		break;
	case ACTION_LEASE_END:
		say("LEASE_END(%s) ", a->text);
		break;
	case ACTION_FETCH_CANCEL:
		say("FETCH_CANCEL ");
		break;
	case ACTION_RESOLVE_CANCEL:
		say("RESOLVE_CANCEL ");
		break;
	case ACTION_UNRESERVE:
		say("UNRESERVE ");
		break;
	}
}

/* What the engine does for an INVITE: a row and a dialog. */
static void as_the_engine(struct action *a)
{
	if (a->kind != ACTION_INVITE)
		return;
	struct leg *l = s->leg[a->leg];
	l->row = (struct link_row){(uint32_t)a->leg, 100 + (uint32_t)a->leg};
	l->ua = 100 + (uint64_t)a->leg;
	media_offer(s, a->leg);
}

/* After every step the session survives being written down and read again. */
static void check_state(void)
{
	json_t *before = state_of(s);
	struct session *copy;
	ck_assert_int_eq(state_restore(before, registry_ref(registry), &copy), 0);
	json_t *after = state_of(copy);
	ck_assert(json_equal(before, after));
	json_decref(before);
	json_decref(after);
	session_destroy(copy);
}

static const char *done(void)
{
	did[0] = '\0';
	for (struct action *a = session_take_actions(s), *next; a; a = next) {
		next = a->next;
		as_the_engine(a);
		describe(a);
		action_free(a);
	}
	check_state();
	size_t n = strlen(did);
	if (n)
		did[n - 1] = '\0';
	return did;
}

#define EXPECT(text) ck_assert_str_eq(done(), text)

static const char *from_user = "+15550000", *from_display;

static void invite(const struct media_description *offer)
{
	struct ua_event ev = {.kind = UA_INVITE,
		.leg = 100,
		.call_id = "x@y",
		.from_user = from_user,
		.from_display = from_display,
		.from_uri = "sip:+15550000@h",
		.to_user = "+15550100",
		.to_uri = "sip:+15550100@h",
		.request_uri = "sip:+15550100@h",
		.trunk = "t",
		.source = "198.18.0.10:5060/udp",
		.sdp = offer};
	struct session_begin b = {.row = {0, 100},
		.address = tg_addr_ipv4(inet_addr("198.18.0.2")),
		.port = 20000,
		.media_timeout_ms = 30000,
		.ring_seconds = 60,
		.region = 7};
	struct session_env e = env();
	s = session_create(registry_ref(registry), registry_number(registry, "+15550100"), &ev, &b, &e);
	ck_assert_ptr_nonnull(s);
}

static void document(const char *xml)
{
	struct session_document_result r = {
		.status = 200, .content_type = "text/xml", .body = xml, .body_len = strlen(xml)};
	struct session_env e = env();
	session_on_document(s, &r, &e);
}

static void fetch_failed(int number)
{
	struct session_document_result r = {.error = "it did not work", .error_number = number};
	struct session_env e = env();
	session_on_document(s, &r, &e);
}

static void no_document(void)
{
	fetch_failed(11200);
}

static void ua(int leg, enum ua_event_kind kind, int status, const struct media_description *body)
{
	struct ua_event ev = {.kind = kind, .leg = 100 + (uint64_t)leg, .status = status, .sdp = body};
	struct session_env e = env();
	session_on_ua(s, leg, &ev, &e);
}

static void media(bool ok)
{
	struct session_media_result r = {.ok = ok,
		.item = 3,
		.generation = 4,
		.lease = "L1",
		.address = "/v1/media/x",
		.served = "hit",
		.status = ok ? 200 : 502,
		.error = ok ? NULL : "origin-status",
		.sentence = ok ? NULL : "the origin answered 404"};
	struct session_env e = env();
	session_on_media(s, &r, &e);
}

static void digit(char d)
{
	struct session_env e = env();
	session_on_digit(s, 0, d, &e);
}

static void released(int leg)
{
	struct session_env e = env();
	session_on_row_released(s, leg, &e);
}

static void timer(enum session_timer t)
{
	ck_assert_uint_ne(s->deadline[t], 0);
	clock_ns = s->deadline[t];
	struct session_env e = env();
	session_on_timer(s, t, &e);
}

static void setup(void)
{
	char why[512] = "";
	clock_ns = 1000 * S;
	rate = (struct policy_rate){0};
	ck_assert_msg(!registry_parse(registry_text, strlen(registry_text), "r", &registry, why, sizeof(why)),
		"%s", why);
}

static void teardown(void)
{
	session_destroy(s);
	s = NULL;
	registry_unref(registry);
}

static void begin(void)
{
	struct media_description offer = sdp(30000, MEDIA_SENDRECV);
	invite(&offer);
	EXPECT("session_open leg_open 180:0 leg_ringing stint_open FETCH(http://h/front/start)");
}

/* A caller whose call is bridged to leg 1. */
static void bridged(void)
{
	begin();
	document("<Response><Dial>+15551234</Dial></Response>");
	EXPECT("document leg_media leg_answered [program:0] 200+sdp:0 INVITE:1");
	ua(0, UA_ACKED, 0, NULL);
	ua(1, UA_PROGRESS, 180, NULL);
	EXPECT("leg_ringing");
	struct media_description answer = sdp(40000, MEDIA_SENDRECV);
	ua(1, UA_ANSWERED, 200, &answer);
	EXPECT("leg_answered leg_media [program:1 relay:1 relay:0] ACK:1");
}

START_TEST(play_then_the_end)
{
	begin();
	document("<Response><Play>hello.wav</Play></Response>");
	EXPECT("document leg_media leg_answered [program:0] 200+sdp:0 RESOLVE(http://h/front/hello.wav)");
	ua(0, UA_ACKED, 0, NULL);
	media(true);
	EXPECT("play [play:0]");
	struct session_env e = env();
	session_on_play_done(s, 0, 99, false, &e); /* of an earlier play: nothing */
	EXPECT("");
	session_on_play_done(s, 0, s->play.id, false, &e);
	EXPECT("LEASE_END(L1) BYE:0 leg_ended [release:0] stint_close");
	ua(0, UA_GONE, 0, NULL);
	EXPECT("");
	released(0);
	EXPECT("session_close");
	ck_assert_int_eq(s->state, SESSION_CLOSED);
}
END_TEST

START_TEST(a_handoff_closes_and_opens_the_stint_at_one_moment)
{
	begin();
	document("<Response><Gather numDigits='1' action='next'><Play>menu.wav</Play></Gather></Response>");
	EXPECT("document leg_media leg_answered [program:0] 200+sdp:0 RESOLVE(http://h/front/menu.wav)");
	media(true);
	EXPECT("play [play:0]");
	digit('1');
	EXPECT("digit [silence:0] LEASE_END(L1) FETCH(http://h/front/next)");
	document("<Response><Module code='connect'/></Response>");
	EXPECT("document stint_close stint_open [stint:0] FETCH(http://h/connect/start)");
	ck_assert_str_eq(s->module->code, "connect");
	ck_assert_uint_eq(s->stint, 1);
}
END_TEST

START_TEST(a_redirect_into_another_modules_space_is_a_handoff)
{
	begin();
	document("<Response><Redirect>http://h/connect/other</Redirect></Response>");
	EXPECT("document leg_media leg_answered [program:0] 200+sdp:0 stint_close stint_open [stint:0] "
	       "FETCH(http://h/connect/other)");
}
END_TEST

START_TEST(a_module_that_does_not_accept_is_denied_and_the_fallback_asked)
{
	begin();
	document("<Response><Module code='private'/></Response>");
	EXPECT("document leg_media leg_answered [program:0] 200+sdp:0 denied error FETCH(http://h/sorry)");
	ck_assert_str_eq(s->module->code, "front");
}
END_TEST

START_TEST(an_unknown_module_goes_to_the_fallback)
{
	begin();
	document("<Response><Module code='nobody'/></Response>");
	EXPECT("document leg_media leg_answered [program:0] 200+sdp:0 error FETCH(http://h/sorry)");
}
END_TEST

START_TEST(a_failing_server_and_a_failing_fallback_end_the_call)
{
	begin();
	no_document();
	EXPECT("document error FETCH(http://h/sorry)");
	no_document();
	EXPECT("document error 502:0 leg_ended stint_close");
	ua(0, UA_GONE, 0, NULL);
	EXPECT("UNRESERVE session_close");
}
END_TEST

/* Its server's fault and ours are told apart, and neither keeps the peer from sending other calls. */
START_TEST(an_unanswered_caller_is_told_whose_fault_it_is)
{
	static const struct {
		int number;
		const char *wanted;
	} failures[] = {{11200, "document error 502:0 leg_ended stint_close"},
		{11205, "document error 504:0 leg_ended stint_close"},
		{11210, "document error 500:0 leg_ended stint_close"},
		{20500, "document error 500:0 leg_ended stint_close"}};
	begin();
	no_document();
	EXPECT("document error FETCH(http://h/sorry)");
	fetch_failed(failures[_i].number);
	EXPECT(failures[_i].wanted);
}
END_TEST

/* RFC 3261 16.7: or the caller's side would send us no calls for a while. */
START_TEST(a_callees_503_is_not_passed_on)
{
	begin();
	document("<Response><Dial answerOnBridge='true'>+15551234</Dial></Response>");
	EXPECT("document INVITE:1");
	ua(1, UA_FAILED, 503, NULL);
	EXPECT("leg_ended 500:0 leg_ended stint_close");
}
END_TEST

START_TEST(bad_xml_goes_to_the_fallback)
{
	begin();
	document("<Response><Play>");
	EXPECT("document error FETCH(http://h/sorry)");
	document("<Response><Reject reason='busy'/></Response>");
	EXPECT("document 486:0 leg_ended stint_close");
}
END_TEST

START_TEST(bridge_and_the_caller_hangs_up)
{
	bridged();
	clock_ns += 10 * S;
	ua(0, UA_ENDED, 0, NULL);
	EXPECT("leg_ended BYE:1 leg_ended [release:0 release:1] stint_close");
	ua(0, UA_GONE, 0, NULL);
	ua(1, UA_GONE, 0, NULL);
	released(1);
	EXPECT("");
	released(0);
	EXPECT("session_close");
}
END_TEST

START_TEST(bridge_and_the_callee_hangs_up)
{
	bridged();
	ua(1, UA_ENDED, 0, NULL);
	EXPECT("leg_ended [silence:0] [release:1] BYE:0 leg_ended [release:0] stint_close");
}
END_TEST

START_TEST(a_busy_callee_is_the_next_verbs_business)
{
	begin();
	document("<Response><Dial>+15551234</Dial><Play>busy.wav</Play></Response>");
	EXPECT("document leg_media leg_answered [program:0] 200+sdp:0 INVITE:1");
	ua(1, UA_FAILED, 486, NULL);
	EXPECT("leg_ended RESOLVE(http://h/front/busy.wav)");
	ua(1, UA_GONE, 0, NULL);
	EXPECT("UNRESERVE");
}
END_TEST

START_TEST(whatever_a_caller_calls_itself_is_passed_on)
{
	static const struct {
		const char *user, *display, *shown, *name;
	} callers[] = {{"+15550000", "Eve", "+15550000", "Eve"},
		{"+15550000", "Eve \"x\\\" \x1b[1m\r\n\xff Ø\xc3", "+15550000", "Eve x [1m Ø"},
		{"", NULL, "anonymous", ""}, {"a\"b", "\"", "anonymous", ""},
		{"a\r\nTo: b", "c", "anonymous", "c"},
		{"012345678901234567890123456789012345678901234567890123456789012", "", NULL, ""},
		{"0123456789012345678901234567890123456789012345678901234567890123", "", "anonymous", ""}};
	from_user = callers[_i].user;
	from_display = callers[_i].display;
	begin();
	document("<Response><Dial>+15551234</Dial></Response>");
	EXPECT("document leg_media leg_answered [program:0] 200+sdp:0 INVITE:1");
	ck_assert_str_eq(s->leg[1]->from, callers[_i].shown ? callers[_i].shown : from_user);
	ck_assert_str_eq(s->leg[1]->display, callers[_i].name);
}
END_TEST

START_TEST(unanswered_dial_passes_the_status_on)
{
	begin();
	document("<Response><Dial answerOnBridge='true'>+15551234</Dial></Response>");
	EXPECT("document INVITE:1");
	ua(1, UA_FAILED, 486, NULL);
	EXPECT("leg_ended 486:0 leg_ended stint_close");
}
END_TEST

START_TEST(answer_on_bridge_answers_both_at_once)
{
	begin();
	document("<Response><Dial answerOnBridge='true'>+15551234</Dial></Response>");
	EXPECT("document INVITE:1");
	struct media_description answer = sdp(40000, MEDIA_SENDRECV);
	ua(1, UA_ANSWERED, 200, &answer);
	EXPECT("leg_answered leg_media leg_answered leg_media [program:0 program:1 relay:1 relay:0] ACK:1 "
	       "200+sdp:0");
}
END_TEST

START_TEST(caller_gives_up_while_it_rings)
{
	begin();
	document("<Response><Dial answerOnBridge='true'>+15551234</Dial></Response>");
	EXPECT("document INVITE:1");
	ua(0, UA_CANCELLED, 0, NULL);
	EXPECT("leg_ended CANCEL:1 stint_close");
	ua(0, UA_GONE, 0, NULL);
	ua(1, UA_FAILED, 487, NULL);
	EXPECT("UNRESERVE leg_ended");
	ua(1, UA_GONE, 0, NULL);
	EXPECT("UNRESERVE session_close");
}
END_TEST

START_TEST(first_to_answer_wins)
{
	begin();
	document("<Response><Dial><Number>+15551234</Number><Number>+15551235</Number></Dial></Response>");
	EXPECT("document leg_media leg_answered [program:0] 200+sdp:0 INVITE:1 INVITE:2");
	struct media_description answer = sdp(40000, MEDIA_SENDRECV);
	ua(2, UA_ANSWERED, 200, &answer);
	EXPECT("leg_answered CANCEL:1 leg_media [program:2 relay:2 relay:0] ACK:2");
	ua(1, UA_FAILED, 487, NULL);
	EXPECT("leg_ended");
	ck_assert(s->dial.bridged);
}
END_TEST

START_TEST(dial_timeout_cancels)
{
	begin();
	document("<Response><Dial timeout='10'>+15551234</Dial></Response>");
	EXPECT("document leg_media leg_answered [program:0] 200+sdp:0 INVITE:1");
	timer(TIMER_DIAL);
	EXPECT("CANCEL:1 BYE:0 leg_ended [release:0] stint_close");
}
END_TEST

START_TEST(time_limit_ends_the_callee_only)
{
	begin();
	document("<Response><Dial timeLimit='60'>+15551234</Dial><Pause length='5'/></Response>");
	done();
	struct media_description answer = sdp(40000, MEDIA_SENDRECV);
	ua(1, UA_ANSWERED, 200, &answer);
	done();
	uint64_t begun = clock_ns;
	timer(TIMER_LIMIT);
	ck_assert_uint_eq(clock_ns - begun, 60 * S);
	EXPECT("BYE:1 leg_ended [silence:0] [release:1]");
	ck_assert_int_eq(s->state, SESSION_RUNNING);
	timer(TIMER_INTERPRETER);
	EXPECT("BYE:0 leg_ended [release:0] stint_close");
}
END_TEST

START_TEST(a_forbidden_destination_is_never_invited)
{
	begin();
	document("<Response><Dial>+4912345</Dial><Pause length='1'/></Response>");
	EXPECT("document leg_media leg_answered [program:0] 200+sdp:0 denied");
	ck_assert_int_eq(s->legs, 1);
}
END_TEST

START_TEST(a_foreign_caller_id_is_never_shown)
{
	begin();
	document("<Response><Dial callerId='+19995550000'>+15551234</Dial><Pause length='1'/></Response>");
	EXPECT("document leg_media leg_answered [program:0] 200+sdp:0 denied");
}
END_TEST

START_TEST(digits_that_can_not_be_sent_are_an_error_event)
{
	begin();
	document("<Response><Dial><Number sendDigits='12#'>+15551234</Number></Dial></Response>");
	EXPECT("document leg_media leg_answered [program:0] 200+sdp:0 INVITE:1 error");
}
END_TEST

START_TEST(the_dial_rate_holds)
{
	begin();
	document("<Response><Dial><Number>+15551</Number><Number>+15552</Number><Number>+15553</Number>"
		 "<Number>+15554</Number><Number>+15555</Number><Number>+15556</Number></Dial></Response>");
	EXPECT("document leg_media leg_answered [program:0] 200+sdp:0 INVITE:1 INVITE:2 INVITE:3 INVITE:4 "
	       "INVITE:5 denied");
}
END_TEST

START_TEST(hold_and_resume)
{
	bridged();
	struct media_description hold = sdp(30000, MEDIA_SENDONLY);
	ua(0, UA_REINVITE, 0, &hold);
	EXPECT("[program-hold:0] 200+sdp:0");
	ck_assert_int_eq(s->leg[0]->local.direction, MEDIA_RECVONLY);
	uint64_t version = s->leg[0]->local.session_version;
	struct session_env e = env();
	session_on_media_timeout(s, 0, &e); /* a leg on hold may be silent */
	EXPECT("");
	struct media_description resume = sdp(30000, MEDIA_SENDRECV);
	ua(0, UA_REINVITE, 0, &resume);
	EXPECT("[program:0] 200+sdp:0");
	ck_assert_uint_gt(s->leg[0]->local.session_version, version);
}
END_TEST

START_TEST(old_style_hold_keeps_the_address)
{
	bridged();
	struct media_description hold = sdp(30000, MEDIA_SENDRECV);
	hold.address = tg_addr_ipv4(0);
	ua(0, UA_REINVITE, 0, &hold);
	EXPECT("[program-hold:0] 200+sdp:0");
	ck_assert_uint_eq(tg_addr_ipv4_be(&s->leg[0]->agreed.remote), inet_addr("198.18.0.10"));
}
END_TEST

START_TEST(a_reinvite_can_not_change_the_codec)
{
	bridged();
	struct media_description other = sdp(30000, MEDIA_SENDRECV);
	other.codec[0] = (struct media_codec){MEDIA_PCMA, 8, 8000};
	ua(0, UA_REINVITE, 0, &other);
	EXPECT("488:0");
	ck_assert_int_eq(s->leg[0]->agreed.codec.encoding, MEDIA_PCMU);
}
END_TEST

START_TEST(no_common_codec_is_refused_before_anything)
{
	struct media_description offer = sdp(30000, MEDIA_SENDRECV);
	offer.codec[0] = (struct media_codec){MEDIA_OTHER, 96, 48000};
	invite(&offer);
	EXPECT("session_open leg_open 488:0 leg_ended");
	ua(0, UA_GONE, 0, NULL);
	EXPECT("UNRESERVE session_close");
}
END_TEST

START_TEST(a_late_offer_is_programmed_by_the_ack)
{
	invite(NULL);
	EXPECT("session_open leg_open 180:0 leg_ringing stint_open FETCH(http://h/front/start)");
	document("<Response><Play>a.wav</Play></Response>");
	EXPECT("document leg_answered 200+sdp:0 RESOLVE(http://h/front/a.wav)");
	media(true);
	EXPECT("play");
	struct media_description answer = sdp(30000, MEDIA_SENDRECV);
	ua(0, UA_ACKED, 0, &answer);
	EXPECT("leg_media [program:0] [play:0]");
}
END_TEST

START_TEST(a_play_that_fails_goes_on_with_the_next_verb)
{
	begin();
	document("<Response><Play>gone.wav</Play><Play>here.wav</Play></Response>");
	done();
	media(false);
	EXPECT("play error RESOLVE(http://h/front/here.wav)");
}
END_TEST

/* The item was named, and whoever wrote it was killed before the worker looked at it. */
START_TEST(a_play_that_the_worker_refuses_goes_on_with_the_next_verb)
{
	begin();
	document("<Response><Play>a.wav</Play><Play>b.wav</Play></Response>");
	EXPECT("document leg_media leg_answered [program:0] 200+sdp:0 RESOLVE(http://h/front/a.wav)");
	media(true);
	EXPECT("play [play:0]");
	struct session_env e = env();
	session_on_play_refused(s, 0, s->play.id + 1, &e); /* of another play: nothing */
	session_on_play_refused(s, 1, s->play.id, &e);
	EXPECT("");
	session_on_play_refused(s, 0, s->play.id, &e);
	EXPECT("LEASE_END(L1) error RESOLVE(http://h/front/b.wav)");
	session_on_play_refused(s, 0, s->play.id, &e); /* said again by a successor's worker */
	EXPECT("");
	ck_assert_int_eq(s->state, SESSION_RUNNING);
}
END_TEST

START_TEST(media_timeout_ends_the_session)
{
	bridged();
	struct session_env e = env();
	session_on_media_timeout(s, 1, &e);
	EXPECT("BYE:0 leg_ended BYE:1 leg_ended [release:0 release:1] stint_close");
	ck_assert_str_eq(s->cause, "media-timeout");
}
END_TEST

START_TEST(a_dialog_that_vanishes_still_gets_its_record)
{
	bridged();
	ua(1, UA_GONE, 0, NULL);
	ua(0, UA_GONE, 0, NULL);
	done();
	released(0);
	released(1);
	EXPECT("session_close");
}
END_TEST

START_TEST(documents_that_loop_are_stopped)
{
	begin();
	for (int i = 0; i < SESSION_DOCUMENTS_MAX - 1; i++) {
		document("<Response><Redirect>start</Redirect></Response>");
		done();
	}
	ck_assert_int_eq(s->state, SESSION_RUNNING);
	document("<Response><Redirect>start</Redirect></Response>");
	EXPECT("document error BYE:0 leg_ended [release:0] stint_close");
}
END_TEST

START_TEST(control_returns_to_the_module_that_waits)
{
	begin();
	document("<Response><Module code='connect' return='back'/></Response>");
	done();
	document("<Response><Pause length='1'/></Response>");
	done();
	timer(TIMER_INTERPRETER);
	EXPECT("stint_close stint_open [stint:0] FETCH(http://h/front/back)");
	ck_assert_str_eq(s->module->code, "front");
	ck_assert_uint_eq(s->stint, 2);
}
END_TEST

START_TEST(a_state_that_makes_no_sense_is_refused)
{
	bridged();
	json_t *good = state_of(s);
	static const struct {
		const char *name, *value;
		int error;
	} bad[] = {{"version", "9", -EINVAL}, {"session", "\"SE\"", -EINVAL}, {"legs", "[]", -EINVAL},
		{"state", "7", -EINVAL}, {"document", "\"<Response>\"", -EINVAL},
		{"dial", "{\"callee\": 50}", -EINVAL}, {"stack", "[{\"module\": \"front\"}]", -EINVAL},
		{"legs", "[{}]", -EINVAL},
		/* What the registry no longer has. */
		{"module", "\"nobody\"", -ENOENT}, {"owner", "null", -ENOENT},
		{"stack", "[{\"module\": \"nobody\", \"return_url\": \"\"}]", -ENOENT}};
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		json_t *state = json_deep_copy(good);
		json_object_set_new(state, bad[i].name, json_loads(bad[i].value, JSON_DECODE_ANY, NULL));
		struct session *copy = NULL;
		ck_assert_msg(state_restore(state, registry, &copy) == bad[i].error, "%s = %s", bad[i].name,
			bad[i].value);
		ck_assert_ptr_null(copy);
		json_decref(state);
	}
	json_t *nothing = json_object();
	struct session *copy = NULL;
	ck_assert_int_eq(state_restore(nothing, registry, &copy), -EINVAL);
	json_decref(nothing);
	json_decref(good);
}
END_TEST

/* What a successor asks for, having read the state. */
static const char *resumed(bool stint_differs)
{
	json_t *state = state_of(s);
	struct session *copy;
	ck_assert_int_eq(state_restore(state, registry_ref(registry), &copy), 0);
	json_decref(state);
	session_destroy(s);
	s = copy;
	bool differs[SESSION_LEGS_MAX] = {stint_differs, stint_differs};
	struct session_env e = env();
	session_resume(s, differs, &e);
	return done();
}

START_TEST(a_successor_rings_on_and_asks_again_for_the_document)
{
	begin();
	ck_assert_str_eq(resumed(false), "180:0 FETCH(http://h/front/start)");
	document("<Response><Hangup/></Response>");
	EXPECT("document leg_media leg_answered [program:0] 200+sdp:0 BYE:0 leg_ended [release:0] "
	       "stint_close");
}
END_TEST

START_TEST(a_successor_repeats_an_answer_that_was_not_acknowledged)
{
	begin();
	document("<Response><Play>a.wav</Play></Response>");
	done();
	ck_assert_str_eq(resumed(false), "[program:0 silence:0] 200+sdp:0 RESOLVE(http://h/front/a.wav)");
	ua(0, UA_ACKED, 0, NULL);
	media(true);
	done();
	ck_assert_str_eq(resumed(false), "[program:0 play:0]");
	struct session_env e = env();
	session_on_play_done(s, 0, s->play.id, false, &e);
	/* The lease was the dead process's. */
	EXPECT("BYE:0 leg_ended [release:0] stint_close");
}
END_TEST

START_TEST(a_successor_repeats_the_invite_and_its_cancel)
{
	begin();
	document("<Response><Dial timeout='10'>+15551234</Dial><Pause length='9'/></Response>");
	done();
	ua(0, UA_ACKED, 0, NULL);
	done();
	ck_assert_str_eq(resumed(false), "[program:0 silence:0] RESEND:1");
	timer(TIMER_DIAL);
	EXPECT("CANCEL:1");
	ck_assert_str_eq(resumed(false), "[program:0 silence:0] RESEND:1 CANCEL:1");
}
END_TEST

START_TEST(a_successor_keeps_a_bridge_and_moves_the_stint)
{
	bridged();
	ck_assert_str_eq(resumed(false), "[program:0 program:1 relay:0 relay:1] ACK:1");
	ck_assert_str_eq(resumed(true), "[program:0 stint:0 program:1 stint:1 relay:0 relay:1] ACK:1");
	ua(0, UA_ENDED, 0, NULL);
	EXPECT("leg_ended BYE:1 leg_ended [release:0 release:1] stint_close");
	ck_assert_str_eq(resumed(false), "BYE:0 BYE:1");
}
END_TEST

START_TEST(a_successor_goes_on_gathering)
{
	begin();
	document("<Response><Gather numDigits='2' action='next' timeout='5'/></Response>");
	ua(0, UA_ACKED, 0, NULL);
	done();
	digit('4');
	done();
	ck_assert_str_eq(resumed(false), "[program:0 silence:0]");
	digit('2');
	EXPECT("digit FETCH(http://h/front/next)");
}
END_TEST

/* A caller that was refused and may not know: its ACK has not come. */
START_TEST(a_successor_repeats_a_refusal)
{
	begin();
	document("<Response><Reject reason='busy'/></Response>");
	EXPECT("document 486:0 leg_ended stint_close");
	ck_assert_str_eq(resumed(false), "486:0");
	ua(0, UA_GONE, 0, NULL);
	EXPECT("UNRESERVE session_close");
}
END_TEST

/* Answered, cancelled and ended, and nothing of it done when the process was killed: the row was never
 * opened. It is, for a record of it. */
START_TEST(a_successor_opens_a_row_for_its_record)
{
	begin();
	document("<Response><Play>a.wav</Play></Response>");
	ua(0, UA_CANCELLED, 0, NULL);
	EXPECT("document leg_media leg_answered [program:0] 200+sdp:0 RESOLVE(http://h/front/a.wav) "
	       "leg_ended "
	       "RESOLVE_CANCEL [release:0] stint_close");
	s->leg[0]->row_pending = false; /* takeover.c, for such a row */
	ck_assert_str_eq(resumed(false), "[program:0 silence:0] [release:0] 487:0");
	ua(0, UA_GONE, 0, NULL);
	EXPECT("");
	released(0);
	EXPECT("session_close");
}
END_TEST

START_TEST(an_unacknowledged_answer_ends_the_call)
{
	begin();
	document("<Response><Pause length='100'/><Hangup/></Response>");
	timer(TIMER_INTERPRETER);
	done();
	ua(0, UA_NOT_ACKED, 0, NULL);
	done();
	ck_assert_int_eq(s->state, SESSION_CLOSING);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {play_then_the_end, a_handoff_closes_and_opens_the_stint_at_one_moment,
		a_redirect_into_another_modules_space_is_a_handoff,
		a_module_that_does_not_accept_is_denied_and_the_fallback_asked,
		an_unknown_module_goes_to_the_fallback, a_failing_server_and_a_failing_fallback_end_the_call,
		bad_xml_goes_to_the_fallback, bridge_and_the_caller_hangs_up, bridge_and_the_callee_hangs_up,
		a_busy_callee_is_the_next_verbs_business, unanswered_dial_passes_the_status_on,
		a_callees_503_is_not_passed_on, answer_on_bridge_answers_both_at_once,
		caller_gives_up_while_it_rings, first_to_answer_wins, dial_timeout_cancels,
		time_limit_ends_the_callee_only, a_forbidden_destination_is_never_invited,
		a_foreign_caller_id_is_never_shown, digits_that_can_not_be_sent_are_an_error_event,
		the_dial_rate_holds, hold_and_resume, old_style_hold_keeps_the_address,
		a_reinvite_can_not_change_the_codec, no_common_codec_is_refused_before_anything,
		a_late_offer_is_programmed_by_the_ack, a_play_that_fails_goes_on_with_the_next_verb,
		a_play_that_the_worker_refuses_goes_on_with_the_next_verb, media_timeout_ends_the_session,
		a_dialog_that_vanishes_still_gets_its_record, documents_that_loop_are_stopped,
		control_returns_to_the_module_that_waits, a_state_that_makes_no_sense_is_refused,
		a_successor_rings_on_and_asks_again_for_the_document,
		a_successor_repeats_an_answer_that_was_not_acknowledged,
		a_successor_repeats_the_invite_and_its_cancel, a_successor_keeps_a_bridge_and_moves_the_stint,
		a_successor_goes_on_gathering, a_successor_repeats_a_refusal,
		a_successor_opens_a_row_for_its_record, an_unacknowledged_answer_ends_the_call};
	Suite *suite = suite_create("session");
	TCase *tcase = tcase_create("session");
	tcase_set_timeout(tcase, 30);
	tcase_add_checked_fixture(tcase, setup, teardown);
	for (size_t i = 0; i < sizeof(tests) / sizeof(*tests); i++)
		tcase_add_test(tcase, tests[i]);
	tcase_add_loop_test(tcase, an_unanswered_caller_is_told_whose_fault_it_is, 0, 4);
	tcase_add_loop_test(tcase, whatever_a_caller_calls_itself_is_passed_on, 0, 7);
	suite_add_tcase(suite, tcase);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
