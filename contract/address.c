#include "contract/address.h"

#include <arpa/inet.h>
#include <stdio.h>

#define CLASS_D 0xe0

static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

bool tg_addr_is_host(const struct tg_addr *a)
{
	if (a->family == TG_FAMILY_IPV4)
		return a->b[0] < CLASS_D && !tg_addr_is_unspecified(a);
	/* ::a.b.c.d is deprecated; ::1 is this host. */
	return a->family == TG_FAMILY_IPV6 && a->b[0] != 0xff &&
	       !(a->b[0] == 0xfe && (a->b[1] & 0xc0) == 0x80) && memcmp(a->b, mapped, sizeof(mapped)) &&
	       !tg_addr_is_unspecified(a);
}

bool tg_addr_within(const struct tg_addr *a, const struct tg_addr *first, uint32_t bits)
{
	uint32_t bytes = bits / 8, rest = bits % 8;
	if (a->family != first->family || memcmp(a->b, first->b, bytes))
		return false;
	return !rest || (uint8_t)(a->b[bytes] ^ first->b[bytes]) >> (8 - rest) == 0;
}

bool tg_addr_parse(const char *text, struct tg_addr *address)
{
	struct tg_addr a = {.family = TG_FAMILY_IPV4};
	if (inet_pton(AF_INET, text, a.b) != 1) {
		a.family = TG_FAMILY_IPV6;
		if (inet_pton(AF_INET6, text, a.b) != 1)
			return false;
	}
	*address = a;
	return true;
}

const char *tg_addr_format(const struct tg_addr *a, char out[static TG_ADDR_TEXT])
{
	out[0] = '\0';
	if (a->family == TG_FAMILY_IPV4 || a->family == TG_FAMILY_IPV6)
		inet_ntop(a->family == TG_FAMILY_IPV4 ? AF_INET : AF_INET6, a->b, out, TG_ADDR_TEXT);
	return out;
}

const char *tg_addr_format_port(const struct tg_addr *a, uint16_t port, char out[static TG_ADDR_PORT_TEXT])
{
	char ip[TG_ADDR_TEXT];
	bool brackets = a->family == TG_FAMILY_IPV6;
	snprintf(out, TG_ADDR_PORT_TEXT, "%s%s%s:%u", brackets ? "[" : "", tg_addr_format(a, ip),
		brackets ? "]" : "", port);
	return out;
}
