#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/calls/negotiation.h"

static struct media_description local, offer, answer;
static struct negotiation_agreed agreed;

static void add(struct media_description *d, enum media_encoding e, int pt, uint32_t rate)
{
	d->codec[d->codecs++] = (struct media_codec){e, (uint8_t)pt, rate};
}

static struct media_description make(uint32_t ip_be, uint16_t port)
{
	return (struct media_description){.session_id = 1,
		.session_version = 1,
		.address = tg_addr_ipv4(ip_be),
		.port = port,
		.direction = MEDIA_SENDRECV,
		.streams = 1};
}

static void setup(void)
{
	local = make(0x01020304, 20000);
	local.session_version = 5;
	local.ptime = 20;
	add(&local, MEDIA_PCMU, 0, 8000);
	add(&local, MEDIA_PCMA, 8, 8000);
	add(&local, MEDIA_TELEPHONE_EVENT, 101, 8000);
	offer = make(0x0a000001, 4000);
	add(&offer, MEDIA_OTHER, 18, 8000);
	add(&offer, MEDIA_PCMA, 8, 8000);
	add(&offer, MEDIA_PCMU, 0, 8000);
	add(&offer, MEDIA_TELEPHONE_EVENT, 96, 8000);
	memset(&answer, 0, sizeof(answer));
	memset(&agreed, 0, sizeof(agreed));
}

START_TEST(answer_follows_the_offer)
{
	ck_assert_int_eq(negotiation_answer(&offer, &local, &answer, &agreed), 0);
	ck_assert_int_eq(answer.codecs, 2);
	ck_assert_int_eq(answer.codec[0].encoding, MEDIA_PCMA); /* the offer's order, not ours */
	ck_assert_uint_eq(answer.codec[1].payload_type, 96);    /* the offer's payload type */
	ck_assert(tg_addr_equal(&answer.address, &local.address));
	ck_assert_uint_eq(answer.port, 20000);
	ck_assert_uint_eq(answer.session_version, 5);
	ck_assert_int_eq(answer.ptime, 20);
	ck_assert_int_eq(answer.direction, MEDIA_SENDRECV);
	ck_assert_uint_eq(agreed.payload_type_tx, 8);
	ck_assert_uint_eq(agreed.payload_type_rx, 8);
	ck_assert_uint_eq(agreed.event_tx, 96);
	ck_assert_uint_eq(agreed.event_rx, 96);
	ck_assert(tg_addr_equal(&agreed.remote, &offer.address));
	ck_assert_uint_eq(agreed.remote_port, 4000);
	ck_assert_int_eq(agreed.ptime, 20);
}
END_TEST

START_TEST(nothing_in_common)
{
	offer.codecs = 1;
	ck_assert_int_eq(negotiation_answer(&offer, &local, &answer, &agreed), -ENOTSUP);
	offer.codec[0] = (struct media_codec){
		MEDIA_TELEPHONE_EVENT, 101, 8000}; /* digits alone are no call */
	ck_assert_int_eq(negotiation_answer(&offer, &local, &answer, &agreed), -ENOTSUP);
	setup();
	offer.audio = -1;
	ck_assert_int_eq(negotiation_answer(&offer, &local, &answer, &agreed), -ENOTSUP);
	ck_assert_int_eq(answer.codecs, 0);
}
END_TEST

START_TEST(digits_only_where_both_have_them)
{
	offer.codec[3].rate = 16000;
	ck_assert_int_eq(negotiation_answer(&offer, &local, &answer, &agreed), 0);
	ck_assert_int_eq(answer.codecs, 1);
	ck_assert_uint_eq(agreed.event_tx, MEDIA_PT_NONE);
	setup();
	local.codecs = 2;
	ck_assert_int_eq(negotiation_answer(&offer, &local, &answer, &agreed), 0);
	ck_assert_int_eq(answer.codecs, 1);
	ck_assert_uint_eq(agreed.event_rx, MEDIA_PT_NONE);
}
END_TEST

/* RFC 3264 6.1: what the far end only sends we only receive; what we want less stays less. */
START_TEST(directions)
{
	static const struct {
		enum media_direction offered, wanted, answered;
	} cases[] = {
		{MEDIA_SENDRECV, MEDIA_SENDRECV, MEDIA_SENDRECV},
		{MEDIA_SENDONLY, MEDIA_SENDRECV, MEDIA_RECVONLY},
		{MEDIA_RECVONLY, MEDIA_SENDRECV, MEDIA_SENDONLY},
		{MEDIA_INACTIVE, MEDIA_SENDRECV, MEDIA_INACTIVE},
		{MEDIA_SENDRECV, MEDIA_SENDONLY, MEDIA_SENDONLY},
		{MEDIA_SENDONLY, MEDIA_SENDONLY, MEDIA_INACTIVE},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		offer.direction = cases[i].offered;
		local.direction = cases[i].wanted;
		ck_assert_int_eq(negotiation_answer(&offer, &local, &answer, &agreed), 0);
		ck_assert_int_eq(answer.direction, cases[i].answered);
		ck_assert_int_eq(agreed.direction, cases[i].answered);
	}
}
END_TEST

START_TEST(old_style_hold)
{
	offer.address = tg_addr_ipv4(0);
	ck_assert_int_eq(negotiation_answer(&offer, &local, &answer, &agreed), 0);
	ck_assert_int_eq(answer.direction, MEDIA_SENDRECV);
	ck_assert_int_eq(agreed.direction, MEDIA_RECVONLY); /* nothing may be sent to 0.0.0.0 */
}
END_TEST

START_TEST(another_family_is_no_way_to_reach_anybody)
{
	struct tg_addr ipv6 = {.b = {0x20, 0x01, 0x0d, 0xb8, [15] = 1}, .family = TG_FAMILY_IPV6};
	struct tg_addr ipv4 = offer.address;
	offer.address = ipv6;
	ck_assert_int_eq(negotiation_answer(&offer, &local, &answer, &agreed), -EAFNOSUPPORT);
	local.address = ipv6;
	local.address.b[15] = 2;
	ck_assert_int_eq(negotiation_answer(&offer, &local, &answer, &agreed), 0);
	ck_assert(tg_addr_equal(&agreed.remote, &ipv6));
	ck_assert(tg_addr_equal(&answer.address, &local.address));
	/* A hold says nothing about where. */
	offer.address = tg_addr_ipv4(0);
	ck_assert_int_eq(negotiation_answer(&offer, &local, &answer, &agreed), 0);
	ck_assert(!(agreed.direction & MEDIA_SENDONLY));
	/* An answer of the other family than our offer's. */
	negotiation_offer(&local, &offer);
	answer = offer;
	answer.address = ipv4;
	ck_assert_int_eq(negotiation_agree(&offer, &answer, &agreed), -EPROTO);
	answer.address = ipv6;
	ck_assert_int_eq(negotiation_agree(&offer, &answer, &agreed), 0);
}
END_TEST

START_TEST(other_streams_are_refused)
{
	offer.streams = 3;
	offer.audio = 1;
	strcpy(offer.refused[0], "video RTP/AVP 31");
	strcpy(offer.refused[2], "image udptl t38");
	ck_assert_int_eq(negotiation_answer(&offer, &local, &answer, &agreed), 0);
	ck_assert_int_eq(answer.streams, 3);
	ck_assert_int_eq(answer.audio, 1);
	ck_assert_str_eq(answer.refused[0], "video RTP/AVP 31");
	ck_assert_str_eq(answer.refused[2], "image udptl t38");
}
END_TEST

START_TEST(stream_that_is_switched_off)
{
	offer.port = 0;
	ck_assert_int_eq(negotiation_answer(&offer, &local, &answer, &agreed), 0);
	ck_assert_uint_eq(answer.port, 0);
	ck_assert_int_eq(agreed.direction, MEDIA_INACTIVE);
	ck_assert_uint_eq(agreed.remote_port, 0);
}
END_TEST

START_TEST(our_offer)
{
	local.refused[0][0] = 'x';
	local.streams = 7;
	negotiation_offer(&local, &offer);
	ck_assert_int_eq(offer.streams, 1);
	ck_assert_int_eq(offer.audio, 0);
	ck_assert_int_eq(offer.codecs, 3);
	ck_assert_uint_eq(offer.port, 20000);
	ck_assert_str_eq(offer.refused[0], "");
}
END_TEST

START_TEST(their_answer)
{
	negotiation_offer(&local, &offer);
	answer = make(0x0a000002, 5000);
	answer.ptime = 30;
	answer.direction = MEDIA_RECVONLY;
	add(&answer, MEDIA_OTHER, 18, 8000);
	add(&answer, MEDIA_PCMA, 8, 8000);
	add(&answer, MEDIA_PCMU, 0, 8000);
	add(&answer, MEDIA_TELEPHONE_EVENT, 97,
		8000); /* against the RFC's advice; both ways are told apart */
	ck_assert_int_eq(negotiation_agree(&offer, &answer, &agreed), 0);
	ck_assert_int_eq(agreed.codec.encoding, MEDIA_PCMA);
	ck_assert_uint_eq(agreed.event_tx, 97);
	ck_assert_uint_eq(agreed.event_rx, 101);
	ck_assert_int_eq(agreed.direction, MEDIA_SENDONLY);
	ck_assert_int_eq(agreed.ptime, 30);
	ck_assert_uint_eq(agreed.remote_port, 5000);
}
END_TEST

START_TEST(answers_that_are_none)
{
	negotiation_offer(&local, &offer);
	answer = make(0x0a000002, 5000);
	add(&answer, MEDIA_PCMU, 0, 8000);
	struct media_description good = answer;
	ck_assert_int_eq(negotiation_agree(&offer, &answer, &agreed), 0);
	answer.port = 0;
	ck_assert_int_eq(negotiation_agree(&offer, &answer, &agreed), -ENOTSUP);
	answer = good;
	answer.audio = -1;
	ck_assert_int_eq(negotiation_agree(&offer, &answer, &agreed), -ENOTSUP);
	answer = good;
	answer.streams = 2;
	ck_assert_int_eq(negotiation_agree(&offer, &answer, &agreed), -EPROTO);
	answer = good;
	answer.codec[0].encoding = MEDIA_OTHER;
	ck_assert_int_eq(negotiation_agree(&offer, &answer, &agreed), -EPROTO);
	answer = good;
	answer.codec[0].rate = 16000;
	ck_assert_int_eq(negotiation_agree(&offer, &answer, &agreed), -EPROTO);
}
END_TEST

START_TEST(rtcp)
{
	offer.rtcp_port = 4001;
	offer.xr = MEDIA_XR_VOIP;
	ck_assert_int_eq(negotiation_answer(&offer, &local, &answer, &agreed), 0);
	ck_assert(!answer.rtcp_mux && !agreed.rtcp_mux);
	ck_assert_uint_eq(agreed.rtcp_port, 4001);
	ck_assert_uint_eq(agreed.xr, MEDIA_XR_VOIP);
	ck_assert_uint_eq(answer.xr, 0);
	offer.rtcp_mux = true;
	ck_assert_int_eq(negotiation_answer(&offer, &local, &answer, &agreed), 0);
	ck_assert(answer.rtcp_mux && agreed.rtcp_mux);
	offer.rtcp_port = 0; /* none at all */
	ck_assert_int_eq(negotiation_answer(&offer, &local, &answer, &agreed), 0);
	ck_assert(!answer.rtcp_mux && !agreed.rtcp_mux);
	ck_assert_uint_eq(agreed.rtcp_port, 0);
	/* What we didn't offer is not agreed, whatever they say. */
	negotiation_offer(&local, &offer);
	answer = make(0x0a000001, 4000);
	add(&answer, MEDIA_PCMA, 8, 8000);
	answer.rtcp_mux = true;
	answer.rtcp_port = 4009;
	ck_assert_int_eq(negotiation_agree(&offer, &answer, &agreed), 0);
	ck_assert(!agreed.rtcp_mux);
	ck_assert_uint_eq(agreed.rtcp_port, 4009);
}
END_TEST

START_TEST(unchanged)
{
	struct media_description other = offer;
	other.session_id = 77;
	other.session_version = 78;
	ck_assert(negotiation_unchanged(&offer, &other));
	other.direction = MEDIA_SENDONLY;
	ck_assert(!negotiation_unchanged(&offer, &other));
	other = offer;
	other.codec[3].payload_type = 97;
	ck_assert(!negotiation_unchanged(&offer, &other));
	other = offer;
	other.port++;
	ck_assert(!negotiation_unchanged(&offer, &other));
	other = offer;
	other.streams = 2;
	ck_assert(!negotiation_unchanged(&offer, &other));
	other = offer;
	other.rtcp_mux = true;
	ck_assert(!negotiation_unchanged(&offer, &other));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("negotiation");
	TCase *t = tcase_create("all");
	tcase_add_checked_fixture(t, setup, NULL);
	tcase_add_test(t, answer_follows_the_offer);
	tcase_add_test(t, nothing_in_common);
	tcase_add_test(t, digits_only_where_both_have_them);
	tcase_add_test(t, directions);
	tcase_add_test(t, old_style_hold);
	tcase_add_test(t, other_streams_are_refused);
	tcase_add_test(t, another_family_is_no_way_to_reach_anybody);
	tcase_add_test(t, stream_that_is_switched_off);
	tcase_add_test(t, our_offer);
	tcase_add_test(t, their_answer);
	tcase_add_test(t, answers_that_are_none);
	tcase_add_test(t, rtcp);
	tcase_add_test(t, unchanged);
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
