#include "settings/settings_check.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "settings/settings.h"

#define LCORES_MAX 128 /* DPDK's RTE_MAX_LCORE as packaged */

const char *settings_check_any(const char *text)
{
	return NULL;
}

const char *settings_check_name(const char *text)
{
	if (!*text || *text == '.' || *text == '-')
		return "not a name; allowed: letters, digits, '-', '_', '.', the first a letter or digit";
	for (const char *p = text; *p; p++)
		if (!isalnum((unsigned char)*p) && !strchr("-_.", *p))
			return "not a name; allowed: letters, digits, '-', '_', '.'";
	return NULL;
}

static bool has_parent_segment(const char *path)
{
	for (const char *p = path; (p = strstr(p, "..")); p += 2)
		if ((p == path || p[-1] == '/') && (p[2] == '/' || p[2] == '\0'))
			return true;
	return false;
}

const char *settings_check_path(const char *text)
{
	if (*text != '/' || has_parent_segment(text))
		return "not a full path; allowed: a path that starts with '/', without \"..\"";
	return NULL;
}

const char *settings_check_path_or_name(const char *text)
{
	if (*text == '/')
		return settings_check_path(text);
	if (!*text || strchr(text, '/') || !strcmp(text, ".."))
		return "not a program; allowed: a full path, or a bare name";
	return NULL;
}

const char *settings_check_file(const char *text)
{
	return *text ? NULL : "empty; allowed: a path, relative ones beside this file";
}

const char *settings_parse_address(const char *text, struct tg_addr *address)
{
	struct tg_addr a;
	if (!tg_addr_parse(text, &a) || !tg_addr_is_host(&a))
		return "not an address of a host; allowed: IPv4 such as 198.18.0.2, or IPv6 such as "
		       "2001:db8::2 that is not link-local";
	*address = a;
	return NULL;
}

const char *settings_check_address(const char *text)
{
	struct tg_addr ignored;
	return settings_parse_address(text, &ignored);
}

const char *settings_check_address_or_none(const char *text)
{
	return *text ? settings_check_address(text) : NULL;
}

/* 0 to most, digits only; most + 1 for anything else. */
static uint32_t prefix_length(const char *text, uint32_t most)
{
	char *end;
	if (!isdigit((unsigned char)*text))
		return most + 1;
	unsigned long bits = strtoul(text, &end, 10);
	return *end || bits > most ? most + 1 : (uint32_t)bits;
}

static bool has_bits_behind(const struct tg_addr *a, uint32_t bits)
{
	for (uint32_t i = bits; i < 8 * sizeof(a->b); i++)
		if (a->b[i / 8] & 0x80 >> i % 8)
			return true;
	return false;
}

const char *settings_parse_range(const char *text, struct settings_range *range)
{
	static const char wrong[] =
		"not a range of addresses; allowed: a.b.c.d/n with n from 0 to 32, or IPv6 "
		"such as 2001:db8::/n with n from 0 to 128; without /n one address";
	char address[TG_ADDR_TEXT];
	const char *slash = strchr(text, '/');
	size_t len = slash ? (size_t)(slash - text) : strlen(text);
	struct settings_range r;
	if (len >= sizeof(address))
		return wrong;
	memcpy(address, text, len);
	address[len] = '\0';
	if (!tg_addr_parse(address, &r.first))
		return wrong;
	uint32_t most = r.first.family == TG_FAMILY_IPV4 ? 32 : 128;
	r.bits = slash ? prefix_length(slash + 1, most) : most;
	if (r.bits > most)
		return wrong;
	if (has_bits_behind(&r.first, r.bits))
		return "an address inside a range; allowed: the range's first address (bits after /n are 0)";
	*range = r;
	return NULL;
}

const char *settings_check_idle(const char *text)
{
	if (!strcmp(text, "spin") || !strcmp(text, "adaptive"))
		return NULL;
	return "unknown; allowed: \"spin\", \"adaptive\"";
}

const char *settings_check_checksum(const char *text)
{
	if (!strcmp(text, "full") || !strcmp(text, "carry") || !strcmp(text, "zero"))
		return NULL;
	return "unknown; allowed: \"full\", \"carry\", \"zero\"";
}

const char *settings_check_interface(const char *text)
{
	if (strlen(text) > 15)
		return "too long for an interface; allowed: at most 15 characters";
	for (const char *p = text; *p; p++)
		if (!isalnum((unsigned char)*p) && !strchr("-_.", *p))
			return "not an interface; allowed: letters, digits, '-', '_', '.'";
	return NULL;
}

/* Length of "[IPv6]" with its brackets; 0: it is no such thing. */
static size_t bracketed_length(const char *text)
{
	char address[TG_ADDR_TEXT];
	struct tg_addr a;
	size_t len = strcspn(text + 1, "]");
	if (text[1 + len] != ']' || len >= sizeof(address))
		return 0;
	memcpy(address, text + 1, len);
	address[len] = '\0';
	return tg_addr_parse(address, &a) && a.family == TG_FAMILY_IPV6 && tg_addr_is_host(&a) ? len + 2 : 0;
}

const char *settings_check_target(const char *text)
{
	static const char wrong[] =
		"not a target; allowed: host[:port][;transport=udp|tcp] with an IPv6 address in brackets, or "
		"\"\" for none";
	if (!*text)
		return NULL;
	size_t host = *text == '['
			      ? bracketed_length(text)
			      : strspn(text,
					"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-");
	const char *p = text + host;
	if (!host)
		return wrong;
	if (*p == ':') {
		char *end;
		long port = isdigit((unsigned char)p[1]) ? strtol(p + 1, &end, 10) : 0;
		if (port < 1 || port > 65535)
			return wrong;
		p = end;
	}
	if (*p && strcmp(p, ";transport=udp") && strcmp(p, ";transport=tcp"))
		return wrong;
	return NULL;
}

/* N or N-M; sets the bits. */
static const char *lcore_span(const char *p, bool *set)
{
	char *end;
	if (!isdigit((unsigned char)*p))
		return NULL;
	long from = strtol(p, &end, 10), to = from;
	if (*end == '-') {
		if (!isdigit((unsigned char)end[1]))
			return NULL;
		to = strtol(end + 1, &end, 10);
	}
	if (from > to || to >= LCORES_MAX)
		return NULL;
	for (long i = from; i <= to; i++)
		set[i] = true;
	return end;
}

/* A span, or spans in parentheses. */
static const char *lcore_set(const char *p, bool *set)
{
	if (*p != '(')
		return lcore_span(p, set);
	do {
		p = lcore_span(p + 1, set);
		if (!p)
			return NULL;
	} while (*p == ',');
	return *p == ')' ? p + 1 : NULL;
}

int settings_count_lcores(const char *text)
{
	bool lcores[LCORES_MAX] = {false}, processors[LCORES_MAX];
	const char *p = text;
	for (;;) {
		p = lcore_set(p, lcores);
		if (p && *p == '@')
			p = lcore_set(p + 1, processors);
		if (!p || (*p && *p != ','))
			return -1;
		if (!*p)
			break;
		p++;
	}
	int n = 0;
	for (int i = 0; i < LCORES_MAX; i++)
		n += lcores[i];
	return n;
}

const char *settings_check_lcores(const char *text)
{
	if (settings_count_lcores(text) < 2)
		return "not a list of at least two lcores; allowed: as for --lcores, such as \"0@0,1@0\" or "
		       "\"0-3\"";
	return NULL;
}
