#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/sip/sdp.h"

#define HEAD "v=0\r\no=a 1 2 IN IP4 192.0.2.1\r\ns=-\r\n"
#define CONN "c=IN IP4 192.0.2.1\r\n"
#define TIME "t=0 0\r\n"

static int read_text(const char *text, struct media_description *d)
{
	memset(d, 0xa5, sizeof(*d));
	return sdp_read(text, strlen(text), d);
}

static uint32_t ip(const char *text)
{
	struct in_addr a;
	inet_pton(AF_INET, text, &a);
	return a.s_addr;
}

START_TEST(ordinary_offer)
{
	struct media_description d;
	ck_assert_int_eq(
		read_text(HEAD CONN TIME "m=audio 4000 RTP/AVP 8 0 18 101\r\na=rtpmap:8 PCMA/8000\r\n"
					 "a=rtpmap:101 telephone-event/8000\r\na=ptime:30\r\na=sendonly\r\n",
			&d),
		0);
	ck_assert_uint_eq(d.session_id, 1);
	ck_assert_uint_eq(d.session_version, 2);
	ck_assert_uint_eq(tg_addr_ipv4_be(&d.address), ip("192.0.2.1"));
	ck_assert_uint_eq(d.port, 4000);
	ck_assert_int_eq(d.direction, MEDIA_SENDONLY);
	ck_assert_int_eq(d.ptime, 30);
	ck_assert_int_eq(d.streams, 1);
	ck_assert_int_eq(d.audio, 0);
	ck_assert_int_eq(d.codecs, 4);
	ck_assert_int_eq(d.codec[0].encoding, MEDIA_PCMA);
	ck_assert_int_eq(d.codec[1].encoding, MEDIA_PCMU);
	ck_assert_uint_eq(d.codec[1].payload_type, 0);
	ck_assert_int_eq(d.codec[2].encoding, MEDIA_OTHER);
	ck_assert_int_eq(d.codec[3].encoding, MEDIA_TELEPHONE_EVENT);
	ck_assert_uint_eq(d.codec[3].payload_type, 101);
	ck_assert_uint_eq(d.codec[3].rate, 8000);
}
END_TEST

/* A media-level line goes before the session's, wherever it stands. */
START_TEST(levels)
{
	struct media_description d;
	ck_assert_int_eq(
		read_text(
			HEAD CONN TIME "a=recvonly\r\nm=audio 4000 RTP/AVP 0\r\nc=IN IP4 192.0.2.9\r\n", &d),
		0);
	ck_assert_int_eq(d.direction, MEDIA_RECVONLY);
	ck_assert_uint_eq(tg_addr_ipv4_be(&d.address), ip("192.0.2.9"));
	ck_assert_int_eq(
		read_text(
			HEAD TIME "a=sendonly\nm=audio 4000 RTP/AVP 0\nc=IN IP4 192.0.2.9\na=inactive\n", &d),
		0);
	ck_assert_int_eq(d.direction, MEDIA_INACTIVE);
	ck_assert_int_eq(read_text(HEAD CONN TIME "m=audio 4000 RTP/AVP 0\r\n", &d), 0);
	ck_assert_int_eq(d.direction, MEDIA_SENDRECV);
	ck_assert_int_eq(d.ptime, 0);
}
END_TEST

START_TEST(old_style_hold)
{
	struct media_description d;
	ck_assert_int_eq(read_text(HEAD "c=IN IP4 0.0.0.0\r\n" TIME "m=audio 4000 RTP/AVP 0\r\n", &d), 0);
	ck_assert_uint_eq(tg_addr_ipv4_be(&d.address), 0);
	ck_assert_uint_eq(d.port, 4000);
	ck_assert_int_eq(d.audio, 0);
}
END_TEST

static bool is_at(const struct media_description *d, const char *text)
{
	struct tg_addr address;
	return tg_addr_parse(text, &address) && tg_addr_equal(&d->address, &address);
}

/* RFC 4566 5.7; each line by itself says which family it is of. */
START_TEST(ipv6)
{
	struct media_description d;
	ck_assert_int_eq(
		read_text("v=0\r\no=- 1 2 IN IP6 2001:db8::9\r\ns=-\r\nc=IN IP6 2001:DB8:0::1\r\n" TIME
			  "m=audio 4000 RTP/AVP 0\r\n",
			&d),
		0);
	ck_assert_int_eq(d.audio, 0);
	ck_assert(is_at(&d, "2001:db8::1"));
	/* The line of the stream goes before the session's, whichever families they are of. */
	ck_assert_int_eq(
		read_text(HEAD CONN TIME "m=audio 4000 RTP/AVP 0\r\nc=IN IP6 2001:db8::2\r\n", &d), 0);
	ck_assert(is_at(&d, "2001:db8::2"));
	ck_assert_int_eq(read_text(HEAD "c=IN IP6 2001:db8::1\r\n" TIME
					"m=audio 4000 RTP/AVP 0\r\nc=IN IP4 192.0.2.9\r\n",
				 &d),
		0);
	ck_assert(is_at(&d, "192.0.2.9"));
	/* A hold in the old way. */
	ck_assert_int_eq(read_text(HEAD "c=IN IP6 ::\r\n" TIME "m=audio 4000 RTP/AVP 0\r\n", &d), 0);
	ck_assert_int_eq(d.audio, 0);
	ck_assert(tg_addr_is_unspecified(&d.address));
	ck_assert_uint_eq(d.address.family, TG_FAMILY_IPV6);
	/* What is no line at all. */
	ck_assert_int_eq(read_text(HEAD "c=IN IP6\r\n" TIME "m=audio 4000 RTP/AVP 0\r\n", &d), -EINVAL);
	ck_assert_int_eq(read_text("v=0\r\no=- 1 2 IN IP6\r\ns=-\r\n" TIME, &d), -EINVAL);
}
END_TEST

START_TEST(ipv6_is_written_with_its_family)
{
	struct media_description d = {.session_id = 1,
					 .session_version = 1,
					 .port = 4000,
					 .streams = 1,
					 .codecs = 1,
					 .codec = {{MEDIA_PCMU, 0, 8000}}},
				 back;
	char text[SDP_WRITE_BYTES];
	ck_assert(tg_addr_parse("2001:db8:0:0::2", &d.address));
	int n = sdp_write(&d, text, sizeof(text));
	ck_assert_int_gt(n, 0);
	ck_assert_ptr_nonnull(strstr(text, "\r\no=- 1 1 IN IP6 2001:db8::2\r\n"));
	ck_assert_ptr_nonnull(strstr(text, "\r\nc=IN IP6 2001:db8::2\r\n"));
	ck_assert_int_eq(sdp_read(text, (size_t)n, &back), 0);
	ck_assert(tg_addr_equal(&back.address, &d.address));
}
END_TEST

START_TEST(streams_that_cannot_be_used)
{
	static const char *const streams[] = {
		"m=video 4000 RTP/AVP 31\r\n",
		"m=audio 4000 RTP/SAVP 0\r\n",
		"m=audio 4000 RTP/AVPF 0\r\n",
		"m=audio 4000 RTP/AVP 0\r\nc=IN IP6 ff15::101/3\r\n",
		"m=audio 4000 RTP/AVP 0\r\nc=IN IP6 ff15::101\r\n",
		"m=audio 4000 RTP/AVP 0\r\nc=IN IP6 fe80::1\r\n",
		"m=audio 4000 RTP/AVP 0\r\nc=IN IP6 fe80::1%eth0\r\n",
		"m=audio 4000 RTP/AVP 0\r\nc=IN IP6 ::ffff:192.0.2.1\r\n",
		"m=audio 4000 RTP/AVP 0\r\nc=IN IP6 192.0.2.1\r\n",
		"m=audio 4000 RTP/AVP 0\r\nc=IN IP6 [2001:db8::1]\r\n",
		"m=audio 4000 RTP/AVP 0\r\nc=IN IP6 2001:db8::1::2\r\n",
		"m=audio 4000 RTP/AVP 0\r\nc=IN IP6 2001:0db8:0:0:0:0:0:0:0:0:0:0:1\r\n",
		"m=audio 4000 RTP/AVP 0\r\nc=IN IP6 0000000000000000000000000000000000000000000::1\r\n",
		"m=audio 4000 RTP/AVP 0\r\nc=IN IP4 2001:db8::1\r\n",
		"m=audio 4000 RTP/AVP 0\r\nc=IN IP4 224.2.1.1/127\r\n",
		"m=audio 4000 RTP/AVP 0\r\nc=IN IP4 239.0.0.1\r\n",
		"m=audio 4000 RTP/AVP 0\r\nc=IN IP4 255.255.255.255\r\n",
		"m=audio 4000 RTP/AVP 0\r\nc=IN IP4 host.example.com\r\n",
		"m=audio 4000 RTP/AVP 0\r\nc=TN RFC2543 +1-201-406-4090\r\n",
		"m=image 4000 udptl t38\r\n",
	};
	for (size_t i = 0; i < sizeof(streams) / sizeof(streams[0]); i++) {
		struct media_description d;
		char text[512];
		snprintf(text, sizeof(text), "%s%s%s%s", HEAD, CONN, TIME, streams[i]);
		ck_assert_int_eq(read_text(text, &d), 0);
		ck_assert_int_eq(d.audio, -1);
		ck_assert_int_eq(d.streams, 1);
		ck_assert_int_eq(d.codecs, 0);
	}
}
END_TEST

START_TEST(several_streams)
{
	struct media_description d;
	ck_assert_int_eq(read_text(HEAD CONN TIME "m=video 5000 RTP/AVP 31 34\r\nm=audio 0 RTP/AVP 8\r\n"
						  "m=audio 4000/2 RTP/AVP 0\r\nm=image 0 udptl t38\r\n",
				 &d),
		0);
	ck_assert_int_eq(d.streams, 4);
	ck_assert_int_eq(d.audio, 2);
	ck_assert_uint_eq(d.port, 4000);
	ck_assert_str_eq(d.refused[0], "video RTP/AVP 31 34");
	ck_assert_str_eq(d.refused[1], "audio RTP/AVP 8");
	ck_assert_str_eq(d.refused[3], "image udptl t38");
	ck_assert_int_eq(read_text(HEAD TIME "m=audio 0 RTP/AVP 0\r\n", &d), 0);
	ck_assert_int_eq(d.audio, 0);
	ck_assert_uint_eq(d.port, 0);
	ck_assert_int_eq(read_text(HEAD TIME, &d), 0);
	ck_assert_int_eq(d.streams, 0);
	ck_assert_int_eq(d.audio, -1);
}
END_TEST

START_TEST(codecs)
{
	struct media_description d;
	/* Case doesn't matter, rate and channels do; a payload type named twice counts once. */
	ck_assert_int_eq(
		read_text(HEAD CONN TIME "m=audio 4000 RTP/AVP 96 97 98 99 0 0\r\na=rtpmap:96 pcmu/8000/1\r\n"
					 "a=rtpmap:97 PCMU/16000\r\na=rtpmap:98 PCMA/8000/2\r\n"
					 "a=rtpmap:99 opus/48000/2\r\na=rtpmap:0 G726-32/8000\r\n",
			&d),
		0);
	ck_assert_int_eq(d.codecs, 5);
	ck_assert_int_eq(d.codec[0].encoding, MEDIA_PCMU);
	ck_assert_int_eq(d.codec[1].encoding, MEDIA_OTHER);
	ck_assert_int_eq(d.codec[2].encoding, MEDIA_OTHER);
	ck_assert_uint_eq(d.codec[3].rate, 48000);
	ck_assert_int_eq(d.codec[4].encoding, MEDIA_OTHER);
}
END_TEST

/* One that we can use is kept, however many come before it. */
START_TEST(many_codecs)
{
	struct media_description d;
	char text[1024] = HEAD CONN TIME "m=audio 4000 RTP/AVP";
	for (int pt = 20; pt < 60; pt++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), " %d", pt);
	strcat(text, " 8 101\r\na=rtpmap:101 telephone-event/8000\r\n");
	ck_assert_int_eq(read_text(text, &d), 0);
	ck_assert_int_eq(d.codecs, MEDIA_CODECS_MAX);
	ck_assert_int_eq(d.codec[MEDIA_CODECS_MAX - 2].encoding, MEDIA_PCMA);
	ck_assert_int_eq(d.codec[MEDIA_CODECS_MAX - 1].encoding, MEDIA_TELEPHONE_EVENT);
}
END_TEST

START_TEST(not_sdp)
{
	static const char *const bad[] = {
		"",
		"\r\n",
		"hello",
		"v=1\r\no=a 1 1 IN IP4 1.2.3.4\r\n",
		"o=a 1 1 IN IP4 1.2.3.4\r\n",
		"v=0\r\ns=-\r\n" CONN TIME "m=audio 4000 RTP/AVP 0\r\n", /* no o= */
		"v=0\r\no=a x 1 IN IP4 1.2.3.4\r\n",
		"v=0\r\no=a 1 -1 IN IP4 1.2.3.4\r\n",
		"v=0\r\no=a 1 1 IN IP4\r\n",
		HEAD TIME "m=audio 4000 RTP/AVP 0\r\n", /* no c= */
		HEAD CONN TIME "m=audio 65536 RTP/AVP 0\r\n",
		HEAD CONN TIME "m=audio -1 RTP/AVP 0\r\n",
		HEAD CONN TIME "m=audio 99999999999999999999 RTP/AVP 0\r\n",
		HEAD CONN TIME "m=audio 4000 RTP/AVP\r\n",
		HEAD CONN TIME "m=audio 4000 RTP/AVP 128\r\n",
		HEAD CONN TIME "m=audio 4000 RTP/AVP x\r\n",
		HEAD CONN TIME "m=image 9 udptl (x)\r\n", /* ties Sofia's parser up */
		HEAD CONN TIME "m=audio 4000\r\n",
		HEAD CONN TIME "m=\r\n",
		HEAD CONN TIME "m=au\rdio 4000 RTP/AVP 0\r\n",
		HEAD CONN TIME "m=audio 4000 RTP/AVP 96\r\na=rtpmap:96 PCMU\r\n",
		HEAD CONN TIME "m=audio 4000 RTP/AVP 96\r\na=rtpmap:96 PCMU/99999999999\r\n",
		HEAD CONN TIME "nonsense\r\n",
		HEAD "c=IN IP4\r\n" TIME "m=audio 4000 RTP/AVP 0\r\n",
		HEAD CONN TIME "m=audio 4000 RTP/AVP 0\r\n\r\na=sendonly\r\n",
		HEAD CONN TIME "m=audio 4000 RTP/AVP 0\r\n" HEAD, /* two descriptions */
		HEAD CONN TIME "m=x-a-type-that-is-as-long-as-a-line-may-hardly-be 4000 RTP/AVP 0\r\n",
	};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct media_description d, before;
		memset(&before, 0xa5, sizeof(before));
		ck_assert_msg(read_text(bad[i], &d) == -EINVAL, "case %zu is taken: %s", i, bad[i]);
		ck_assert_mem_eq(&d, &before, sizeof(d));
	}
}
END_TEST

START_TEST(limits)
{
	struct media_description d;
	char *text = calloc(1, SDP_BYTES_MAX + 200);
	strcpy(text, HEAD CONN TIME);
	for (int i = 0; i < MEDIA_STREAMS_MAX; i++)
		strcat(text, "m=audio 4000 RTP/AVP 0\r\n");
	ck_assert_int_eq(read_text(text, &d), 0);
	ck_assert_int_eq(d.streams, MEDIA_STREAMS_MAX);
	strcat(text, "m=audio 4000 RTP/AVP 0\r\n");
	ck_assert_int_eq(read_text(text, &d), -E2BIG);

	strcpy(text, HEAD CONN TIME "m=audio 4000 RTP/AVP 0\r\na=");
	size_t len = strlen(text);
	memset(text + len, 'x', SDP_BYTES_MAX - len);
	ck_assert_int_eq(sdp_read(text, SDP_BYTES_MAX, &d), 0);
	text[SDP_BYTES_MAX] = 'x';
	ck_assert_int_eq(sdp_read(text, SDP_BYTES_MAX + 1, &d), -E2BIG);
	text[SDP_BYTES_MAX - 1] = '\0';
	ck_assert_int_eq(sdp_read(text, SDP_BYTES_MAX, &d), -EINVAL);
	free(text);
}
END_TEST

START_TEST(long_numbers_of_origin)
{
	struct media_description d;
	ck_assert_int_eq(
		read_text("v=0\r\no=- 99999999999999999999999 18446744073709551615 IN IP4 1.2.3.4\r\ns=-\r\n",
			&d),
		0);
	ck_assert_uint_eq(d.session_id, UINT64_MAX);
	ck_assert_uint_eq(d.session_version, UINT64_MAX);
}
END_TEST

START_TEST(written_and_read)
{
	struct media_description d = {.session_id = 7,
					 .session_version = 9,
					 .port = 20000,
					 .ptime = 20,
					 .direction = MEDIA_RECVONLY,
					 .streams = 3,
					 .audio = 1,
					 .codecs = 3},
				 back;
	d.address = tg_addr_ipv4(ip("198.18.0.2"));
	d.codec[0] = (struct media_codec){MEDIA_PCMU, 0, 8000};
	d.codec[1] = (struct media_codec){MEDIA_OTHER, 18, 8000};
	d.codec[2] = (struct media_codec){MEDIA_TELEPHONE_EVENT, 96, 8000};
	strcpy(d.refused[0], "video RTP/AVP 31 34");
	strcpy(d.refused[2], "image udptl t38");
	char text[SDP_WRITE_BYTES];
	int n = sdp_write(&d, text, sizeof(text));
	ck_assert_int_eq(n, (int)strlen(text));
	ck_assert_str_eq(text,
		"v=0\r\no=- 7 9 IN IP4 198.18.0.2\r\ns=-\r\nc=IN IP4 198.18.0.2\r\nt=0 0\r\n"
		"m=video 0 RTP/AVP 31 34\r\nm=audio 20000 RTP/AVP 0 96\r\na=rtpmap:0 PCMU/8000\r\n"
		"a=rtpmap:96 telephone-event/8000\r\na=fmtp:96 0-15\r\na=ptime:20\r\na=recvonly\r\n"
		"m=image 0 udptl t38\r\n");
	ck_assert_int_eq(sdp_read(text, (size_t)n, &back), 0);
	ck_assert_int_eq(back.codecs, 2);
	ck_assert_int_eq(back.audio, 1);
	ck_assert_int_eq(back.direction, MEDIA_RECVONLY);
	ck_assert_str_eq(back.refused[0], d.refused[0]);
}
END_TEST

static struct media_description with(const char *lines)
{
	struct media_description d;
	char text[1024];
	snprintf(text, sizeof(text), HEAD CONN TIME "m=audio 4000 RTP/AVP 0\r\n%s", lines);
	ck_assert_msg(!read_text(text, &d), "%s", lines);
	return d;
}

START_TEST(rtcp_of_a_stream)
{
	ck_assert_uint_eq(with("").rtcp_port, 4001);
	ck_assert(!with("").rtcp_mux);
	ck_assert_uint_eq(with("a=rtcp:53020\r\n").rtcp_port, 53020);
	ck_assert_uint_eq(with("a=rtcp:53020 IN IP4 192.0.2.1\r\n").rtcp_port, 53020);
	/* Elsewhere than the media, or told to be silent: none. */
	ck_assert_uint_eq(with("a=rtcp:53020 IN IP4 192.0.2.2\r\n").rtcp_port, 0);
	ck_assert_uint_eq(with("a=rtcp:53020 IN IP6 ::1\r\n").rtcp_port, 0);
	ck_assert_uint_eq(with("a=rtcp:53020 IN\r\n").rtcp_port, 0);
	ck_assert_uint_eq(with("b=RS:0\r\nb=RR:0\r\n").rtcp_port, 0);
	ck_assert_uint_eq(with("b=RS:0\r\nb=RR:800\r\n").rtcp_port, 4001);
	/* What makes no sense is as if it were not there. */
	ck_assert_uint_eq(with("a=rtcp:x\r\n").rtcp_port, 4001);
	ck_assert_uint_eq(with("a=rtcp:70000\r\n").rtcp_port, 4001);
	ck_assert_uint_eq(with("a=rtcp:\r\n").rtcp_port, 4001);
	ck_assert(with("a=rtcp-mux\r\n").rtcp_mux);
	ck_assert(!with("a=rtcp-muxed\r\n").rtcp_mux);
	struct media_description d;
	ck_assert_int_eq(read_text(HEAD CONN TIME "m=audio 65535 RTP/AVP 0\r\n", &d), 0);
	ck_assert_uint_eq(d.rtcp_port, 0);
	static const char six[] = HEAD "c=IN IP6 2001:db8::a\r\n" TIME "m=audio 4000 RTP/AVP 0\r\n";
	ck_assert_int_eq(read_text(six, &d), 0);
	ck_assert_uint_eq(d.rtcp_port, 4001);
	static const struct {
		const char *line;
		uint16_t port;
	} of[] = {{"a=rtcp:53020 IN IP6 2001:db8:0::a\r\n", 53020},
		{"a=rtcp:53020 IN IP6 2001:db8::b\r\n", 0}, {"a=rtcp:53020 IN IP4 192.0.2.1\r\n", 0}};
	for (size_t i = 0; i < sizeof(of) / sizeof(*of); i++) {
		char text[1024];
		snprintf(text, sizeof(text), "%s%s", six, of[i].line);
		ck_assert_int_eq(read_text(text, &d), 0);
		ck_assert_uint_eq(d.rtcp_port, of[i].port);
	}
}
END_TEST

START_TEST(extended_reports)
{
	struct media_description d;
	ck_assert_uint_eq(with("").xr, 0);
	ck_assert_uint_eq(with("a=rtcp-xr:voip-metrics\r\n").xr, MEDIA_XR_VOIP);
	ck_assert_uint_eq(with("a=rtcp-xr:pkt-loss-rle=40 rcvr-rtt=all:10000 voip-metrics\r\n").xr,
		MEDIA_XR_VOIP | MEDIA_XR_RTT);
	ck_assert_uint_eq(with("a=rtcp-xr:\r\na=rtcp-xr:voip-metric\r\na=rtcp-xr\r\n").xr, 0);
	ck_assert_int_eq(
		read_text(HEAD CONN TIME "a=rtcp-xr:voip-metrics\r\nm=audio 4000 RTP/AVP 0\r\n", &d), 0);
	ck_assert_uint_eq(d.xr, MEDIA_XR_VOIP);
}
END_TEST

/* Where RTCP shares the port, a payload type of its range is nobody's. */
START_TEST(payload_types_of_rtcp)
{
	struct media_description d;
	ck_assert_int_eq(
		read_text(HEAD CONN TIME "m=audio 4000 RTP/AVP 63 64 95 96\r\na=rtpmap:63 PCMU/8000\r\n"
					 "a=rtpmap:64 PCMA/8000\r\na=rtpmap:95 telephone-event/8000\r\n"
					 "a=rtpmap:96 telephone-event/8000\r\n",
			&d),
		0);
	ck_assert_int_eq(d.codec[0].encoding, MEDIA_PCMU);
	ck_assert_int_eq(d.codec[1].encoding, MEDIA_OTHER);
	ck_assert_int_eq(d.codec[2].encoding, MEDIA_OTHER);
	ck_assert_int_eq(d.codec[3].encoding, MEDIA_TELEPHONE_EVENT);
}
END_TEST

START_TEST(rtcp_that_is_written)
{
	struct media_description d = with("a=rtcp:4005\r\na=rtcp-mux\r\n"), back;
	char text[SDP_WRITE_BYTES];
	int n = sdp_write(&d, text, sizeof(text));
	ck_assert_int_gt(n, 0);
	ck_assert_ptr_nonnull(strstr(text, "a=rtcp:4005\r\na=rtcp-mux\r\n"));
	ck_assert_int_eq(sdp_read(text, (size_t)n, &back), 0);
	ck_assert_uint_eq(back.rtcp_port, 4005);
	ck_assert(back.rtcp_mux);
	d = with(""); /* the next port needs no words */
	ck_assert_int_gt(sdp_write(&d, text, sizeof(text)), 0);
	ck_assert_ptr_null(strstr(text, "rtcp"));
}
END_TEST

START_TEST(what_cannot_be_written)
{
	struct media_description d = {.streams = 1, .port = 4000};
	char text[SDP_WRITE_BYTES];
	ck_assert_int_eq(sdp_write(&d, text, sizeof(text)), -EINVAL);
	d.codec[d.codecs++] = (struct media_codec){MEDIA_OTHER, 18, 8000};
	ck_assert_int_eq(sdp_write(&d, text, sizeof(text)), -EINVAL);
	d.codec[0] = (struct media_codec){MEDIA_PCMA, 8, 8000};
	ck_assert_int_gt(sdp_write(&d, text, sizeof(text)), 0);
	ck_assert_int_eq(sdp_write(&d, text, 60), -ENOSPC);
	d.streams = 2; /* of which one is not described */
	ck_assert_int_eq(sdp_write(&d, text, sizeof(text)), -EINVAL);
	d.streams = MEDIA_STREAMS_MAX + 1;
	ck_assert_int_eq(sdp_write(&d, text, sizeof(text)), -EINVAL);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("sdp");
	TCase *t = tcase_create("all");
	tcase_add_test(t, ordinary_offer);
	tcase_add_test(t, levels);
	tcase_add_test(t, old_style_hold);
	tcase_add_test(t, ipv6);
	tcase_add_test(t, ipv6_is_written_with_its_family);
	tcase_add_test(t, streams_that_cannot_be_used);
	tcase_add_test(t, several_streams);
	tcase_add_test(t, codecs);
	tcase_add_test(t, many_codecs);
	tcase_add_test(t, not_sdp);
	tcase_add_test(t, limits);
	tcase_add_test(t, long_numbers_of_origin);
	tcase_add_test(t, written_and_read);
	tcase_add_test(t, what_cannot_be_written);
	tcase_add_test(t, rtcp_of_a_stream);
	tcase_add_test(t, extended_reports);
	tcase_add_test(t, payload_types_of_rtcp);
	tcase_add_test(t, rtcp_that_is_written);
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
