#include "controlplane/modules/policy.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "contract/address.h"

#define SIP_TEXT_MAX 256

#define POLICY(denial, code, text) static const struct policy_denial denial = {code, #denial, text};
#include "controlplane/modules/policy.def"
#undef POLICY

const struct policy_denial *policy_denial_of(enum policy_number number)
{
	switch (number) {
#define POLICY(denial, code, text) \
	case POLICY_##denial:      \
		return &denial;
#include "controlplane/modules/policy.def"
#undef POLICY
	}
	return NULL;
}

const struct policy_denial *policy_handoff(
	const struct registry_module *from, const struct registry_module *to)
{
	if (!to)
		return &NO_SUCH_MODULE;
	if (to->account->suspended)
		return &ACCOUNT_SUSPENDED;
	if (from && !registry_module_accepts(to, from->account))
		return &MODULE_CLOSED;
	return NULL;
}

/* '*' at the pattern's end stands for anything. */
static bool number_matches(const char *pattern, const char *number)
{
	size_t n = strlen(pattern);
	if (n && pattern[n - 1] == '*' && !strncmp(pattern, number, n - 1))
		return true;
	return !strcmp(pattern, number);
}

static bool plain_number(const char *text)
{
	return *text && strlen(text) < SIP_TEXT_MAX &&
	       strspn(text, "+0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_.#*") ==
		       strlen(text);
}

struct sip_address {
	const char *user, *host; /* host: with port if there is one */
	size_t user_len, host_len;
	struct tg_addr ipv6; /* of a host in brackets; else NONE */
};

/* One parameter that can't lead the request elsewhere, as maddr would. */
static bool harmless_parameter(const char *p, size_t n)
{
	static const char *const known[] = {"transport=udp", "transport=tcp", "user=phone"};
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (n == strlen(known[i]) && !strncasecmp(p, known[i], n))
			return true;
	return false;
}

/* ";parameters": known ones only. */
static bool harmless_rest(const char *p)
{
	while (*p == ';') {
		size_t n = strcspn(++p, ";");
		if (!harmless_parameter(p, n))
			return false;
		p += n;
	}
	return !*p;
}

/* A Route or a Contact in a URI would send the call past what the list of destinations allows; no INVITE
 * takes headers from its URI, so none are let pass here. */
static bool has_headers(const char *destination)
{
	return !strncasecmp(destination, "sip:", 4) && strchr(destination, '?');
}

/* Length of "[IPv6]" at the beginning of a host, with what may follow it being a port or nothing; 0: it is no
 * such thing. The same address can be written in many ways: it is compared as what it is. */
static size_t bracketed_length(const char *host, struct tg_addr *address)
{
	char text[TG_ADDR_TEXT];
	size_t len = *host == '[' ? strcspn(host + 1, "]") : sizeof(text);
	if (len >= sizeof(text) || host[1 + len] != ']' || !strchr(":;", host[2 + len]))
		return 0;
	memcpy(text, host + 1, len);
	text[len] = '\0';
	if (!tg_addr_parse(text, address) || address->family != TG_FAMILY_IPV6 || !tg_addr_is_host(address))
		return 0;
	return len + 2;
}

/* Only the plain form is taken apart: who reads a URI in two ways is fooled by it. */
static bool parse_sip(const char *uri, struct sip_address *out)
{
	const char *user = uri + 4;
	if (strncasecmp(uri, "sip:", 4) || strlen(uri) >= SIP_TEXT_MAX)
		return false;
	for (const char *p = uri; *p; p++)
		if ((unsigned char)*p <= ' ' || (unsigned char)*p >= 0x7f || strchr("<>\"\\,", *p))
			return false;
	size_t user_len = strspn(
		user, "+0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_.#~!$&'()=");
	if (!user_len || user[user_len] != '@')
		return false;
	const char *host = user + user_len + 1;
	size_t host_len = strcspn(host, ";");
	if (!host_len || memchr(host, '@', host_len) || !harmless_rest(host + host_len))
		return false;
	*out = (struct sip_address){.user = user, .host = host, .user_len = user_len, .host_len = host_len};
	bool brackets = memchr(host, '[', host_len) || memchr(host, ']', host_len);
	return !brackets || bracketed_length(host, &out->ipv6);
}

static bool host_matches(const char *pattern, const struct sip_address *a)
{
	size_t n = strlen(pattern);
	struct tg_addr ipv6;
	size_t own = bracketed_length(pattern, &ipv6), theirs = strcspn(a->host, "]") + 1;
	if (own && a->ipv6.family)
		return tg_addr_equal(&ipv6, &a->ipv6) &&
		       (!pattern[own] || (n - own == a->host_len - theirs &&
						 !strncmp(pattern + own, a->host + theirs, n - own)));
	if (n == a->host_len && !strncasecmp(pattern, a->host, n))
		return true;
	/* A pattern without port: any port. */
	return !strchr(pattern, ':') && n < a->host_len && a->host[n] == ':' &&
	       !strncasecmp(pattern, a->host, n);
}

static bool sip_matches(const char *pattern, const struct sip_address *a)
{
	if (strncasecmp(pattern, "sip:", 4))
		return false;
	pattern += 4;
	if (!strcmp(pattern, "*"))
		return true;
	const char *at = strchr(pattern, '@');
	if (!at || !host_matches(at + 1, a))
		return false;
	size_t n = (size_t)(at - pattern);
	return (n == 1 && *pattern == '*') || (n == a->user_len && !strncmp(pattern, a->user, n));
}

/* Characters that a pattern fixes; one without '*' comes before one with. */
static size_t specificity(const char *pattern)
{
	size_t n = strlen(pattern);
	return strchr(pattern, '*') ? 2 * (n - 1) : 2 * n + 1;
}

static bool destination_allowed(const struct registry_account *account, const char *destination)
{
	struct sip_address sip = {0};
	bool is_sip = !strncasecmp(destination, "sip:", 4), allowed = false;
	size_t longest = 0;
	if (is_sip ? !parse_sip(destination, &sip) : !plain_number(destination))
		return false;
	for (int i = 0; i < account->destinations; i++) {
		const char *pattern = account->destination[i];
		bool forbids = *pattern == '!';
		pattern += forbids;
		size_t n = specificity(pattern);
		if (n < longest ||
			!(is_sip ? sip_matches(pattern, &sip) : number_matches(pattern, destination)))
			continue;
		/* Both allowed and forbidden by the same pattern is forbidden. */
		allowed = n > longest ? !forbids : allowed && !forbids;
		longest = n;
	}
	return allowed;
}

static bool owns(const struct registry_account *account, const char *caller_id)
{
	if (!strcmp(caller_id, "anonymous"))
		return true;
	if (!plain_number(caller_id))
		return false;
	for (int i = 0; i < account->caller_ids; i++)
		if (number_matches(account->caller_id[i], caller_id))
			return true;
	return false;
}

/* Time fills the bucket; a dial costs a second divided by the rate. The bucket holds one second, which is as
 * many dials as the rate. */
static bool take_token(struct policy_rate *rate, int per_second, uint64_t now_ns)
{
	uint64_t cost = CLOCK_NS_PER_S / (uint64_t)per_second;
	uint64_t passed = now_ns > rate->last_ns ? now_ns - rate->last_ns : 0;
	if (rate->last_ns == 0 || passed > CLOCK_NS_PER_S - rate->tokens_ns)
		rate->tokens_ns = CLOCK_NS_PER_S;
	else
		rate->tokens_ns += passed;
	if (now_ns > rate->last_ns)
		rate->last_ns = now_ns;
	if (rate->tokens_ns < cost)
		return false;
	rate->tokens_ns -= cost;
	return true;
}

const struct policy_denial *policy_dial(const struct registry_account *account, const char *destination,
	const char *caller_id, struct policy_rate *rate, uint64_t now_ns)
{
	if (account->suspended)
		return &ACCOUNT_SUSPENDED;
	if (has_headers(destination))
		return &DESTINATION_HEADERS;
	if (!destination_allowed(account, destination))
		return &DESTINATION;
	if (!owns(account, caller_id))
		return &CALLER_ID;
	if (!take_token(rate, account->dials_per_second, now_ns))
		return &DIAL_RATE;
	return NULL;
}
