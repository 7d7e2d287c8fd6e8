#include "controlplane/sip/legal.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "contract/address.h"

#define NAME_MAX_BYTES  64
#define VALUE_MAX_BYTES 1024
#define URI_MAX_BYTES   512

static bool is_alnum(unsigned char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool legal_header_name(const char *name)
{
	size_t len = strlen(name);
	if (len < 3 || len > NAME_MAX_BYTES || strncasecmp(name, "X-", 2))
		return false;
	for (const char *p = name; *p; p++)
		if (!is_alnum((unsigned char)*p) && !strchr("-.!%*_+`'~", *p))
			return false;
	return true;
}

/* Length of the UTF-8 sequence at p, or 0: RFC 3629, no surrogates, nothing overlong. */
static size_t utf8_length(const unsigned char *p)
{
	size_t n = p[0] < 0x80   ? 1
		   : p[0] < 0xc2 ? 0
		   : p[0] < 0xe0 ? 2
		   : p[0] < 0xf0 ? 3
		   : p[0] < 0xf5 ? 4
				 : 0;
	for (size_t i = 1; i < n; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) || (p[0] == 0xf0 && p[1] < 0x90) ||
		(p[0] == 0xf4 && p[1] > 0x8f))
		return 0;
	return n;
}

bool legal_header_value(const char *value)
{
	const unsigned char *p = (const unsigned char *)value;
	if (strlen(value) > VALUE_MAX_BYTES)
		return false;
	while (*p) {
		size_t n = utf8_length(p);
		if (!n || *p < ' ' || *p == 0x7f)
			return false;
		p += n;
	}
	return true;
}

bool legal_quoted(const char *text)
{
	return legal_header_value(text) && !strpbrk(text, "\"\\");
}

/* One ";name=value" of a URI, up to the next ';'. */
static bool legal_parameter(const char *p, size_t len)
{
	if (!strncasecmp(p, "maddr", 5) || !strncasecmp(p, "method", 6))
		return false;
	if (!strncasecmp(p, "transport=", 10))
		return len == 13 && (!strncasecmp(p + 10, "udp", 3) || !strncasecmp(p + 10, "tcp", 3));
	return true;
}

/* Length of a name, an IPv4 address, or an IPv6 address in brackets; 0: none of them. */
static size_t host_length(const char *host)
{
	char text[TG_ADDR_TEXT];
	struct tg_addr address;
	if (*host != '[') {
		size_t len = strcspn(host, ":;");
		for (size_t i = 0; i < len; i++)
			if (!is_alnum((unsigned char)host[i]) && host[i] != '.' && host[i] != '-')
				return 0;
		return len;
	}
	size_t len = strcspn(host + 1, "]");
	if (len >= sizeof(text) || host[1 + len] != ']')
		return 0;
	memcpy(text, host + 1, len);
	text[len] = '\0';
	return tg_addr_parse(text, &address) && address.family == TG_FAMILY_IPV6 && tg_addr_is_host(&address)
		       ? len + 2
		       : 0;
}

bool legal_target(const char *uri)
{
	if (strncasecmp(uri, "sip:", 4) || strlen(uri) > URI_MAX_BYTES)
		return false;
	for (const char *p = uri; *p; p++)
		if (*p <= ' ' || *p > '~' || strchr("<>\"{}|\\^`?,", *p))
			return false;
	const char *host = uri + 4;
	const char *at = strchr(host, '@');
	if (at) {
		if (at == host || strchr(at + 1, '@'))
			return false;
		host = at + 1;
	}
	size_t len = host_length(host);
	if (!len)
		return false;
	const char *p = host + len;
	if (*p == ':') {
		size_t digits = strspn(++p, "0123456789");
		if (!digits || digits > 5)
			return false;
		p += digits;
	}
	while (*p == ';') {
		size_t n = strcspn(++p, ";");
		if (!n || !legal_parameter(p, n))
			return false;
		p += n;
	}
	return !*p;
}

int legal_user(const char *text, char *out, size_t bytes)
{
	size_t used = 0;
	if (!*text)
		return -EINVAL;
	for (const char *p = text; *p; p++) {
		unsigned char c = (unsigned char)*p;
		bool plain = is_alnum(c) || strchr("-_.!~*'()&=+$,;?/", c);
		if (c < ' ' || c == 0x7f || c == '"')
			return -EINVAL;
		if (used + (plain ? 1 : 3) >= bytes)
			return -ENOSPC;
		if (plain)
			out[used++] = (char)c;
		else
			used += (size_t)snprintf(out + used, 4, "%%%02X", c);
	}
	out[used] = '\0';
	return 0;
}
