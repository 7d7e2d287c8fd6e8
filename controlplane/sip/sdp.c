#include "controlplane/sip/sdp.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* Part of the body; never with an end mark of its own. */
struct slice {
	const char *p;
	size_t len;
};

enum address_kind { ADDRESS_NONE, ADDRESS_USABLE, ADDRESS_UNUSABLE };

struct address {
	enum address_kind kind;
	struct tg_addr ip;
};

/* One m= section as far as the first pass looks at it. */
struct section {
	struct slice type, proto, formats;
	uint16_t port;
	struct slice lines; /* from after the m= line to the next one */
	struct address address;
	int direction; /* -1: not said */
	uint8_t xr;    /* MEDIA_XR_* */
};

struct body {
	struct slice rest;
	struct address address;
	int direction;
	uint8_t xr;
	bool origin;
	uint64_t session_id, session_version;
	struct section section[MEDIA_STREAMS_MAX];
	int sections;
};

static bool is(struct slice s, const char *word)
{
	return strlen(word) == s.len && !strncasecmp(s.p, word, s.len);
}

/* Takes one line off, without its end. False at the end of the text. */
static bool next_line(struct slice *rest, struct slice *line)
{
	if (!rest->len)
		return false;
	const char *lf = memchr(rest->p, '\n', rest->len);
	size_t used = lf ? (size_t)(lf - rest->p) + 1 : rest->len;
	line->p = rest->p;
	line->len = lf ? used - 1 : used;
	if (line->len && line->p[line->len - 1] == '\r')
		line->len--;
	rest->p += used;
	rest->len -= used;
	return true;
}

/* Takes one word off, up to any of the separators. False if there is none. */
static bool next_word(struct slice *rest, const char *separators, struct slice *word)
{
	while (rest->len && strchr(separators, *rest->p))
		rest->p++, rest->len--;
	word->p = rest->p;
	while (rest->len && !strchr(separators, *rest->p))
		rest->p++, rest->len--;
	word->len = (size_t)(rest->p - word->p);
	return word->len > 0;
}

/* Digits only. Larger than max: max with -ERANGE. */
static int read_number(struct slice s, uint64_t max, uint64_t *value)
{
	uint64_t v = 0;
	int rc = 0;
	if (!s.len)
		return -EINVAL;
	for (size_t i = 0; i < s.len; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return -EINVAL;
		uint64_t digit = (uint64_t)(s.p[i] - '0');
		if (v > (max - digit) / 10)
			rc = -ERANGE;
		if (!rc)
			v = v * 10 + digit;
	}
	*value = rc ? max : v;
	return rc;
}

/* RFC 4566 token characters, and '/' for transports. */
static bool is_token(struct slice s, bool slash)
{
	for (size_t i = 0; i < s.len; i++) {
		char c = s.p[i];
		if (c <= ' ' || c > '~' || strchr("\"(),:;<=>?@[\\]", c) || (c == '/' && !slash))
			return false;
	}
	return s.len > 0;
}

static int read_origin(struct body *b, struct slice line)
{
	struct slice user, id, version, net, type, address;
	if (!next_word(&line, " ", &user) || !next_word(&line, " ", &id) ||
		!next_word(&line, " ", &version) || !next_word(&line, " ", &net) ||
		!next_word(&line, " ", &type) || !next_word(&line, " ", &address))
		return -EINVAL;
	/* Longer than 64 bits is legal; only that a version changes matters, and it won't change back. */
	if (read_number(id, UINT64_MAX, &b->session_id) == -EINVAL ||
		read_number(version, UINT64_MAX, &b->session_version) == -EINVAL)
		return -EINVAL;
	b->origin = true;
	return 0;
}

static int read_connection(struct slice line, struct address *address)
{
	struct slice net, type, host;
	if (!next_word(&line, " ", &net) || !next_word(&line, " ", &type) || !next_word(&line, " ", &host))
		return -EINVAL;
	char text[TG_ADDR_TEXT] = "";
	struct tg_addr ip;
	bool ipv6 = is(type, "IP6");
	*address = (struct address){.kind = ADDRESS_UNUSABLE};
	if (!is(net, "IN") || (!ipv6 && !is(type, "IP4")) || host.len >= sizeof(text))
		return 0;
	memcpy(text, host.p, host.len);
	if (!tg_addr_parse(text, &ip) || (ip.family == TG_FAMILY_IPV6) != ipv6)
		return 0; /* a name, a group with its TTL, or one that says it is of the other family */
	if (tg_addr_is_host(&ip) || tg_addr_is_unspecified(&ip))
		*address = (struct address){.kind = ADDRESS_USABLE, .ip = ip};
	return 0;
}

static int direction_of(struct slice attribute)
{
	static const struct {
		const char *name;
		enum media_direction direction;
	} directions[] = {{"sendrecv", MEDIA_SENDRECV}, {"sendonly", MEDIA_SENDONLY},
		{"recvonly", MEDIA_RECVONLY}, {"inactive", MEDIA_INACTIVE}};
	for (size_t i = 0; i < sizeof(directions) / sizeof(directions[0]); i++)
		if (is(attribute, directions[i].name))
			return (int)directions[i].direction;
	return -1;
}

/* "a=rtcp-xr:voip-metrics rcvr-rtt=all:10000": what of it we can send (RFC 3611 section 5). */
static uint8_t xr_of(struct slice attribute)
{
	static const char name[] = "rtcp-xr:";
	struct slice word;
	uint8_t xr = 0;
	if (attribute.len < sizeof(name) - 1 || strncasecmp(attribute.p, name, sizeof(name) - 1))
		return 0;
	attribute.p += sizeof(name) - 1;
	attribute.len -= sizeof(name) - 1;
	while (next_word(&attribute, " ", &word)) {
		struct slice value = word, format;
		if (!next_word(&value, "=", &format))
			continue;
		xr |= is(format, "voip-metrics") ? MEDIA_XR_VOIP : is(format, "rcvr-rtt") ? MEDIA_XR_RTT : 0;
	}
	return xr;
}

static int read_media(struct body *b, struct slice line)
{
	if (b->sections == MEDIA_STREAMS_MAX)
		return -E2BIG;
	struct section s = {.direction = -1, .lines = {b->rest.p, 0}};
	struct slice port, number;
	if (!next_word(&line, " ", &s.type) || !next_word(&line, " ", &port) ||
		!next_word(&line, " ", &s.proto))
		return -EINVAL;
	uint64_t value;
	if (!next_word(&port, "/", &number) || read_number(number, UINT16_MAX, &value))
		return -EINVAL;
	s.port = (uint16_t)value;
	s.formats = line;
	struct slice formats = line, format;
	if (!is_token(s.type, false) || !is_token(s.proto, true) || !next_word(&formats, " ", &format))
		return -EINVAL;
	bool rtp = is(s.proto, "RTP/AVP");
	do {
		if (!is_token(format, false) || (rtp && read_number(format, 127, &value)))
			return -EINVAL;
	} while (next_word(&formats, " ", &format));
	b->section[b->sections++] = s;
	return 0;
}

static int read_line(struct body *b, struct slice line)
{
	struct section *s = b->sections ? &b->section[b->sections - 1] : NULL;
	if (line.len < 2 || line.p[1] != '=' || line.p[0] < 'a' || line.p[0] > 'z')
		return -EINVAL;
	struct slice value = {line.p + 2, line.len - 2};
	int direction;
	switch (line.p[0]) {
	case 'o':
		return s || b->origin ? -EINVAL : read_origin(b, value);
	case 'c':
		return read_connection(value, s ? &s->address : &b->address);
	case 'm':
		return read_media(b, value);
	case 'a':
		direction = direction_of(value);
		if (direction >= 0)
			*(s ? &s->direction : &b->direction) = direction;
		*(s ? &s->xr : &b->xr) |= xr_of(value);
		return 0;
	case 'v':
		return -EINVAL; /* a second session description */
	default:
		return 0;
	}
}

static int read_body(struct body *b)
{
	struct slice line;
	if (!next_line(&b->rest, &line) || !is(line, "v=0"))
		return -EINVAL;
	for (;;) {
		const char *before = b->rest.p;
		if (!next_line(&b->rest, &line))
			break;
		if (!line.len && !b->rest.len)
			break; /* an empty line after everything: harmless, and seen */
		struct section *s = b->sections ? &b->section[b->sections - 1] : NULL;
		if (s && line.len && *line.p != 'm')
			s->lines.len += (size_t)(b->rest.p - before);
		int rc = read_line(b, line);
		if (rc)
			return rc;
	}
	return b->origin ? 0 : -EINVAL;
}

/* "a=rtpmap:PT name/rate[/channels]" */
static int read_rtpmap(struct slice value, uint64_t wanted, struct media_codec *codec)
{
	struct slice pt, name, rate, channels;
	uint64_t number, hz, count = 1;
	if (!next_word(&value, " ", &pt) || read_number(pt, 127, &number))
		return -EINVAL;
	if (number != wanted)
		return 0;
	if (!next_word(&value, " /", &name) || !next_word(&value, "/", &rate) ||
		read_number(rate, UINT32_MAX, &hz))
		return -EINVAL;
	if (next_word(&value, "/", &channels) && read_number(channels, 255, &count))
		return -EINVAL;
	codec->rate = (uint32_t)hz;
	codec->encoding = MEDIA_OTHER;
	if (hz == 8000 && count == 1 && is(name, "PCMU"))
		codec->encoding = MEDIA_PCMU;
	else if (hz == 8000 && count == 1 && is(name, "PCMA"))
		codec->encoding = MEDIA_PCMA;
	else if (is(name, "telephone-event"))
		codec->encoding = MEDIA_TELEPHONE_EVENT;
	/* On one port with RTCP it couldn't be told from that (RFC 5761 section 4). */
	if (wanted >= 64 && wanted <= 95)
		codec->encoding = MEDIA_OTHER;
	return 0;
}

static void add_codec(struct media_description *d, const struct media_codec *codec)
{
	if (d->codecs < MEDIA_CODECS_MAX) {
		d->codec[d->codecs++] = *codec;
		return;
	}
	/* No room: one that we can use takes the place of the last one that we can't. */
	if (codec->encoding == MEDIA_OTHER)
		return;
	for (int i = d->codecs; i-- > 0;)
		if (d->codec[i].encoding == MEDIA_OTHER) {
			memmove(&d->codec[i], &d->codec[i + 1],
				(size_t)(d->codecs - i - 1) * sizeof(d->codec[0]));
			d->codec[d->codecs - 1] = *codec;
			return;
		}
}

static int read_codecs(const struct section *s, struct media_description *d)
{
	struct slice formats = s->formats, format;
	bool seen[128] = {false};
	while (next_word(&formats, " ", &format)) {
		uint64_t pt = 0;
		read_number(format, 127, &pt); /* read_media() has seen to it */
		if (seen[pt])
			continue;
		seen[pt] = true;
		struct media_codec codec = {.payload_type = (uint8_t)pt, .rate = 8000};
		if (pt == 0)
			codec.encoding = MEDIA_PCMU;
		else if (pt == 8)
			codec.encoding = MEDIA_PCMA;
		struct slice lines = s->lines, line;
		while (next_line(&lines, &line)) {
			if (line.len < 9 || memcmp(line.p, "a=rtpmap:", 9))
				continue;
			int rc = read_rtpmap((struct slice){line.p + 9, line.len - 9}, pt, &codec);
			if (rc)
				return rc;
		}
		add_codec(d, &codec);
	}
	return 0;
}

static void read_ptime(const struct section *s, struct media_description *d)
{
	struct slice lines = s->lines, line;
	while (next_line(&lines, &line)) {
		uint64_t ms;
		if (line.len > 8 && !memcmp(line.p, "a=ptime:", 8) &&
			!read_number((struct slice){line.p + 8, line.len - 8}, 1000, &ms))
			d->ptime = (int)ms;
	}
}

static bool begins(struct slice line, const char *with, struct slice *rest)
{
	size_t len = strlen(with);
	if (line.len < len || memcmp(line.p, with, len))
		return false;
	*rest = (struct slice){line.p + len, line.len - len};
	return true;
}

/* RFC 3605: "a=rtcp:port [IN IP4|IP6 address]". At another address than the RTP there is nobody we know. */
static uint16_t read_rtcp_port(struct slice value, const struct tg_addr *of_rtp, uint16_t otherwise)
{
	struct slice number;
	struct address address;
	uint64_t port;
	if (!next_word(&value, " ", &number) || read_number(number, UINT16_MAX, &port))
		return otherwise;
	if (value.len && (read_connection(value, &address) || !tg_addr_equal(&address.ip, of_rtp)))
		return 0;
	return (uint16_t)port;
}

/* RTCP has the next port unless something else is said; none with a bandwidth of nothing (RFC 3556). */
static void read_rtcp(const struct section *s, struct media_description *d)
{
	struct slice lines = s->lines, line, value;
	bool no_senders = false, no_receivers = false;
	d->rtcp_port = (uint16_t)(d->port && d->port < UINT16_MAX ? d->port + 1 : 0);
	while (next_line(&lines, &line)) {
		if (begins(line, "a=rtcp:", &value))
			d->rtcp_port = read_rtcp_port(value, &d->address, d->rtcp_port);
		d->rtcp_mux |= is(line, "a=rtcp-mux");
		no_senders |= is(line, "b=RS:0");
		no_receivers |= is(line, "b=RR:0");
	}
	if (no_senders && no_receivers)
		d->rtcp_port = 0;
}

static bool is_usable(const struct body *b, const struct section *s)
{
	const struct address *a = s->address.kind ? &s->address : &b->address;
	return is(s->type, "audio") && is(s->proto, "RTP/AVP") &&
	       (a->kind == ADDRESS_USABLE || (!s->port && a->kind == ADDRESS_NONE));
}

static int choose_audio(const struct body *b)
{
	int refused = -1;
	for (int i = 0; i < b->sections; i++) {
		if (!is_usable(b, &b->section[i]))
			continue;
		if (b->section[i].port)
			return i;
		if (refused < 0)
			refused = i;
	}
	return refused;
}

/* What an answer says about a stream that it refuses: as many of its formats as there is room for. */
static int describe_refused(const struct section *s, char *out, size_t bytes)
{
	int n = snprintf(out, bytes, "%.*s %.*s", (int)s->type.len, s->type.p, (int)s->proto.len, s->proto.p);
	if (n < 0 || (size_t)n >= bytes)
		return -EINVAL;
	size_t used = (size_t)n, begin = used;
	struct slice formats = s->formats, format;
	while (next_word(&formats, " ", &format) && used + 1 + format.len < bytes) {
		out[used++] = ' ';
		memcpy(out + used, format.p, format.len);
		used += format.len;
	}
	out[used] = '\0';
	return used > begin ? 0 : -EINVAL;
}

static int describe(const struct body *b, struct media_description *d)
{
	d->session_id = b->session_id;
	d->session_version = b->session_version;
	d->streams = b->sections;
	d->audio = choose_audio(b);
	d->direction = MEDIA_INACTIVE;
	for (int i = 0; i < b->sections; i++) {
		const struct section *s = &b->section[i];
		/* Every stream that is to flow needs an address (RFC 4566 5.7). */
		if (s->port && !s->address.kind && !b->address.kind)
			return -EINVAL;
		if (i != d->audio && describe_refused(s, d->refused[i], sizeof(d->refused[i])))
			return -EINVAL;
	}
	if (d->audio < 0)
		return 0;
	const struct section *s = &b->section[d->audio];
	d->address = (s->address.kind ? s->address : b->address).ip;
	d->port = s->port;
	int direction = s->direction >= 0 ? s->direction : b->direction;
	d->direction = direction >= 0 ? (enum media_direction)direction : MEDIA_SENDRECV;
	read_ptime(s, d);
	read_rtcp(s, d);
	d->xr = b->xr | s->xr;
	return read_codecs(s, d);
}

int sdp_read(const char *text, size_t len, struct media_description *description)
{
	if (len > SDP_BYTES_MAX)
		return -E2BIG;
	if (!len || memchr(text, '\0', len))
		return -EINVAL;
	struct body body = {.rest = {text, len}, .direction = -1};
	struct media_description d = {0};
	int rc = read_body(&body);
	if (!rc)
		rc = describe(&body, &d);
	if (!rc)
		*description = d;
	return rc;
}

struct writer {
	char *out;
	size_t bytes, used;
};

static void __attribute__((format(printf, 2, 3))) put(struct writer *w, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	size_t room = w->used < w->bytes ? w->bytes - w->used : 0;
	int n = vsnprintf(room ? w->out + w->used : NULL, room, fmt, ap);
	va_end(ap);
	if (n > 0)
		w->used += (size_t)n;
}

static const char *encoding_name(enum media_encoding encoding)
{
	switch (encoding) {
	case MEDIA_PCMU:
		return "PCMU";
	case MEDIA_PCMA:
		return "PCMA";
	case MEDIA_TELEPHONE_EVENT:
		return "telephone-event";
	default:
		return NULL;
	}
}

static void put_audio(struct writer *w, const struct media_description *d)
{
	static const char *const directions[] = {"inactive", "sendonly", "recvonly", "sendrecv"};
	put(w, "m=audio %u RTP/AVP", d->port);
	for (int i = 0; i < d->codecs; i++)
		if (encoding_name(d->codec[i].encoding))
			put(w, " %u", d->codec[i].payload_type);
	put(w, "\r\n");
	for (int i = 0; i < d->codecs; i++) {
		const struct media_codec *c = &d->codec[i];
		if (!encoding_name(c->encoding))
			continue;
		put(w, "a=rtpmap:%u %s/%u\r\n", c->payload_type, encoding_name(c->encoding), c->rate);
		if (c->encoding == MEDIA_TELEPHONE_EVENT)
			put(w, "a=fmtp:%u 0-15\r\n", c->payload_type);
	}
	if (d->ptime > 0)
		put(w, "a=ptime:%d\r\n", d->ptime);
	if (d->rtcp_port && d->rtcp_port != d->port + 1)
		put(w, "a=rtcp:%u\r\n", d->rtcp_port);
	if (d->rtcp_mux)
		put(w, "a=rtcp-mux\r\n");
	put(w, "a=%s\r\n", directions[d->direction & MEDIA_SENDRECV]);
}

int sdp_write(const struct media_description *d, char *out, size_t bytes)
{
	int streams = d->streams ? d->streams : 1;
	int known = 0;
	if (streams > MEDIA_STREAMS_MAX || d->audio >= streams || d->codecs > MEDIA_CODECS_MAX)
		return -EINVAL;
	for (int i = 0; i < d->codecs; i++)
		known += encoding_name(d->codec[i].encoding) != NULL;
	if (d->audio >= 0 && !known)
		return -EINVAL;
	char ip[TG_ADDR_TEXT] = "0.0.0.0";
	const char *type = d->address.family == TG_FAMILY_IPV6 ? "IP6" : "IP4";
	if (d->address.family)
		tg_addr_format(&d->address, ip);
	struct writer w = {out, bytes, 0};
	put(&w, "v=0\r\no=- %llu %llu IN %s %s\r\ns=-\r\nc=IN %s %s\r\nt=0 0\r\n",
		(unsigned long long)d->session_id, (unsigned long long)d->session_version, type, ip, type,
		ip);
	for (int i = 0; i < streams; i++) {
		if (i == d->audio) {
			put_audio(&w, d);
			continue;
		}
		size_t kind = strcspn(d->refused[i], " ");
		if (!kind || !d->refused[i][kind])
			return -EINVAL;
		put(&w, "m=%.*s 0%s\r\n", (int)kind, d->refused[i], d->refused[i] + kind);
	}
	return w.used < bytes ? (int)w.used : -ENOSPC;
}
