#include <string.h>

#include "settings/settings.h"

#define V4(first, second, third, fourth, length)                                        \
	{                                                                               \
		{.b = {first, second, third, fourth}, .family = TG_FAMILY_IPV4}, length \
	}

/* What is not the public internet: the IANA special-purpose registry (RFC 6890), multicast and class E. */
static const struct settings_range special[] = {
	V4(0, 0, 0, 0, 8),
	V4(10, 0, 0, 0, 8),
	V4(100, 64, 0, 0, 10),
	V4(127, 0, 0, 0, 8),
	V4(169, 254, 0, 0, 16),
	V4(172, 16, 0, 0, 12),
	V4(192, 0, 0, 0, 24),
	V4(192, 0, 2, 0, 24),
	V4(192, 88, 99, 0, 24),
	V4(192, 168, 0, 0, 16),
	V4(198, 18, 0, 0, 15),
	V4(198, 51, 100, 0, 24),
	V4(203, 0, 113, 0, 24),
	V4(224, 0, 0, 0, 4),
	V4(240, 0, 0, 0, 4),
};

static bool in_any(const struct settings_range *range, size_t n, const struct tg_addr *address)
{
	for (size_t i = 0; i < n; i++)
		if (settings_in_range(&range[i], address))
			return true;
	return false;
}

/* The IPv4 address that a translator or a tunnel leads to from this one. False: none. */
static bool inner_ipv4(const uint8_t a[16], struct tg_addr *inner)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};   /* RFC 4291, 2.5.5.2 */
	static const uint8_t translated[12] = {0x00, 0x64, 0xff, 0x9b}; /* RFC 6052 */
	uint32_t ip_be;
	if (!memcmp(a, mapped, 12) || !memcmp(a, translated, 12))
		memcpy(&ip_be, a + 12, sizeof(ip_be));
	else if (a[0] == 0x20 && a[1] == 0x02) /* 6to4, RFC 3056 */
		memcpy(&ip_be, a + 2, sizeof(ip_be));
	else
		return false;
	*inner = tg_addr_ipv4(ip_be);
	return true;
}

static bool is_public_ipv6(const uint8_t a[16])
{
	if ((a[0] & 0xe0) != 0x20) /* global unicast is 2000::/3; the rest is local, multicast or reserved */
		return false;
	if (a[0] == 0x20 && a[1] == 0x01 && (a[2] & 0xfe) == 0) /* 2001::/23: Teredo and other protocols */
		return false;
	if (a[0] == 0x20 && a[1] == 0x01 && a[2] == 0x0d && a[3] == 0xb8) /* documentation */
		return false;
	return !(a[0] == 0x3f && a[1] == 0xff && (a[2] & 0xf0) == 0); /* 3fff::/20, documentation */
}

bool settings_may_fetch(const struct settings *settings, const struct tg_addr *address)
{
	struct tg_addr inner;
	if (in_any(settings->allow, (size_t)settings->allowed, address))
		return true;
	if (address->family == TG_FAMILY_IPV4)
		return !in_any(special, sizeof(special) / sizeof(special[0]), address);
	if (inner_ipv4(address->b, &inner))
		return settings_may_fetch(settings, &inner);
	return is_public_ipv6(address->b);
}
