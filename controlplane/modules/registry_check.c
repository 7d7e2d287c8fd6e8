#include "controlplane/modules/registry_check.h"

#include <ctype.h>
#include <string.h>

#include "base/id.h"
#include "controlplane/modules/url.h"

#include "contract/address.h"

#define NUMBER_CHARACTERS "+0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_.#*"

const char *registry_check_any(const char *text)
{
	return NULL;
}

const char *registry_check_sid(const char *text)
{
	struct id ignored;
	return id_parse(text, "AC", &ignored)
		       ? "not an account sid; allowed: \"AC\" and 32 hex digits in lower case"
		       : NULL;
}

const char *registry_check_token(const char *text)
{
	for (const char *p = text; *p; p++)
		if (!isgraph((unsigned char)*p))
			return "not a token; allowed: at least 16 visible characters without spaces";
	return strlen(text) < 16 ? "too short; allowed: at least 16 visible characters" : NULL;
}

const char *registry_check_code(const char *text)
{
	static const char wrong[] =
		"not a code; allowed: letters, digits, '-', '_', '.', a letter or digit first";
	if (!isalnum((unsigned char)*text))
		return wrong;
	for (const char *p = text; *p; p++)
		if (!isalnum((unsigned char)*p) && !strchr("-_.", *p))
			return wrong;
	return NULL;
}

const char *registry_check_url(const char *text)
{
	char out[URL_BYTES_MAX];
	return url_resolve(NULL, text, out, sizeof(out))
		       ? "not a URL; allowed: http://host/path or https://host/path"
		       : NULL;
}

const char *registry_check_optional_url(const char *text)
{
	return *text ? registry_check_url(text) : NULL;
}

/* NUMBER_CHARACTERS, '*' as a wildcard only at the end (elsewhere it is the key). */
const char *registry_check_pattern(const char *text)
{
	if (!*text || strspn(text, NUMBER_CHARACTERS) != strlen(text))
		return "not a number; allowed: digits, letters, '+', '-', '_', '.', '#', and '*' at the end "
		       "for anything";
	return NULL;
}

const char *registry_check_caller_id(const char *text)
{
	return registry_check_pattern(text);
}

/* "[IPv6]" or "[IPv6]:port". */
static bool is_bracketed(const char *host)
{
	char text[TG_ADDR_TEXT];
	struct tg_addr address;
	size_t len = strcspn(host + 1, "]");
	const char *rest = host + 2 + len;
	if (host[1 + len] != ']' || len >= sizeof(text))
		return false;
	memcpy(text, host + 1, len);
	text[len] = '\0';
	return tg_addr_parse(text, &address) && address.family == TG_FAMILY_IPV6 &&
	       (!*rest || (*rest == ':' && strspn(rest + 1, "0123456789") == strlen(rest + 1) && rest[1]));
}

const char *registry_check_destination(const char *text)
{
	static const char wrong[] =
		"not a destination; allowed: a number (\"+1555*\"), \"sip:user@host[:port]\", "
		"\"sip:*@host[:port]\" or \"sip:*\", each with '!' in front to forbid it";
	if (*text == '!')
		text++;
	if (strncmp(text, "sip:", 4))
		return registry_check_pattern(text) ? wrong : NULL;
	text += 4;
	if (!strcmp(text, "*"))
		return NULL;
	size_t user = strcspn(text, "@");
	const char *host = text + user + 1;
	if (!user || text[user] != '@' || !*host || (memchr(text, '*', user) && user != 1))
		return wrong;
	if (strspn(text, NUMBER_CHARACTERS "~!$&'()=") < user)
		return wrong;
	if (*host == '[')
		return is_bracketed(host) ? NULL : wrong;
	return strspn(host, "abcdefghijklmnopqrstuvwxyz0123456789.-:") == strlen(host) ? NULL : wrong;
}

const char *registry_check_capability(const char *text)
{
	for (const char *p = text; *p; p++)
		if (!islower((unsigned char)*p) && !isdigit((unsigned char)*p) && *p != '-')
			return "not a capability; allowed: lower-case letters, digits, '-'";
	return *text ? NULL : "empty; allowed: lower-case letters, digits, '-'";
}

const char *registry_check_accepts(const char *text)
{
	return strcmp(text, "*") ? registry_check_sid(text) : NULL;
}
