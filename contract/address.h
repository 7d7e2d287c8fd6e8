/* An IPv4 or IPv6 address: one type wherever an address is kept, passed or compared outside of the rows that
 * are looked at per packet. A value is told from another by its bytes: what a family doesn't use is 0. */
#ifndef TG_CONTRACT_ADDRESS_H
#define TG_CONTRACT_ADDRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum tg_family { TG_FAMILY_NONE = 0, TG_FAMILY_IPV4 = 4, TG_FAMILY_IPV6 = 6 };

struct tg_addr {
	uint8_t b[16];   /* network order; of IPv4 the first four */
	uint32_t family; /* enum tg_family; NONE: no address */
};
_Static_assert(sizeof(struct tg_addr) == 20, "address");

/* Room for any address, and for one with a port: "[2001:db8::1]:20000". */
#define TG_ADDR_TEXT      46
#define TG_ADDR_PORT_TEXT (TG_ADDR_TEXT + 8)

static inline struct tg_addr tg_addr_ipv4(uint32_t ip_be)
{
	struct tg_addr a = {.family = TG_FAMILY_IPV4};
	memcpy(a.b, &ip_be, sizeof(ip_be));
	return a;
}

static inline struct tg_addr tg_addr_ipv6(const uint8_t ip[16])
{
	struct tg_addr a = {.family = TG_FAMILY_IPV6};
	memcpy(a.b, ip, sizeof(a.b));
	return a;
}

static inline uint32_t tg_addr_ipv4_be(const struct tg_addr *a)
{
	uint32_t ip_be;
	memcpy(&ip_be, a->b, sizeof(ip_be));
	return a->family == TG_FAMILY_IPV4 ? ip_be : 0;
}

static inline bool tg_addr_equal(const struct tg_addr *a, const struct tg_addr *b)
{
	return !memcmp(a, b, sizeof(*a));
}

/* No address, 0.0.0.0 or ::. */
static inline bool tg_addr_is_unspecified(const struct tg_addr *a)
{
	static const uint8_t zero[sizeof(a->b)];
	return !memcmp(a->b, zero, sizeof(zero));
}

/* Can a far end be there, whichever interface leads to it? Not unspecified, multicast, class E, link-local
 * IPv6 (which needs a zone) nor IPv4 in IPv6's clothes (RFC 4291 2.5.5), which no packet may carry. */
bool tg_addr_is_host(const struct tg_addr *address);
/* Is it among those that have the same first bits as `first`? Another family's never are. */
bool tg_addr_within(const struct tg_addr *address, const struct tg_addr *first, uint32_t bits);

/* Dotted decimal, or RFC 4291 2.2 without zone or brackets. False: neither. */
bool tg_addr_parse(const char *text, struct tg_addr *address);
/* As RFC 5952 wants it; "" for no address. Returns out. */
const char *tg_addr_format(const struct tg_addr *address, char out[static TG_ADDR_TEXT]);
/* With a port in host order; IPv6 in brackets. */
const char *tg_addr_format_port(
	const struct tg_addr *address, uint16_t port, char out[static TG_ADDR_PORT_TEXT]);

#endif
