#include <string.h>

#include "settings/settings.h"

#define V4(a, b, c, d, bits)                                                                           \
	{                                                                                              \
		(uint32_t)(a) << 24 | (b) << 16 | (c) << 8 | (d), bits ? UINT32_MAX << (32 - bits) : 0 \
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

static bool in_any(const struct settings_range *range, size_t n, uint32_t address)
{
	for (size_t i = 0; i < n; i++)
		if ((address & range[i].mask) == range[i].address)
			return true;
	return false;
}

bool settings_may_fetch_ipv4(const struct settings *settings, uint32_t address)
{
	if (in_any(settings->allow, (size_t)settings->allowed, address))
		return true;
	return !in_any(special, sizeof(special) / sizeof(special[0]), address);
}

static uint32_t ipv4_at(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

bool settings_may_fetch_ipv6(const struct settings *settings, const uint8_t a[16])
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};   /* RFC 4291, 2.5.5.2 */
	static const uint8_t translated[12] = {0x00, 0x64, 0xff, 0x9b}; /* RFC 6052 */
	if (!memcmp(a, mapped, 12) || !memcmp(a, translated, 12))
		return settings_may_fetch_ipv4(settings, ipv4_at(a + 12));
	if (a[0] == 0x20 && a[1] == 0x02) /* 6to4, RFC 3056 */
		return settings_may_fetch_ipv4(settings, ipv4_at(a + 2));
	if ((a[0] & 0xe0) != 0x20) /* global unicast is 2000::/3; the rest is local, multicast or reserved */
		return false;
	if (a[0] == 0x20 && a[1] == 0x01 && (a[2] & 0xfe) == 0) /* 2001::/23: Teredo and other protocols */
		return false;
	if (a[0] == 0x20 && a[1] == 0x01 && a[2] == 0x0d && a[3] == 0xb8) /* documentation */
		return false;
	return !(a[0] == 0x3f && a[1] == 0xff && (a[2] & 0xf0) == 0); /* 3fff::/20, documentation */
}
