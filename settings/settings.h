/* The node's settings (a libconfig file), for every program.
 *
 * The scalar settings are listed once in settings.def; ports, trunks and address lists have tables of their
 * own in settings_list.def. A file with an error is refused as a whole, with file, line, key and what is
 * allowed. */
#ifndef TG_SETTINGS_SETTINGS_H
#define TG_SETTINGS_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "contract/address.h"

struct tg_capacity;

#define SETTINGS_PORTS_MAX   8
#define SETTINGS_TRUNKS_MAX  64
#define SETTINGS_ADDRS_MAX   64
#define SETTINGS_ALLOWED_MAX 64

enum settings_port_kind {
	SETTINGS_PORT_AF_XDP,    /* the kernel keeps the interface; an XDP program takes the media ports */
	SETTINGS_PORT_AF_PACKET, /* the kernel keeps the interface */
	SETTINGS_PORT_DPDK,      /* DPDK owns the port whole; the rest goes to the kernel through a tap */
};

/* media.ports = ( { kind = "af_xdp"; interface = "media0"; }, ... ) */
struct settings_port {
	enum settings_port_kind kind;
	char interface[16]; /* AF_XDP, AF_PACKET: kernel interface. DPDK: the tap that carries everything
			     * else, or empty for none */
	char device[128];   /* DPDK: PCI address, or devargs of a virtual device */
	int vlan;           /* 0: untagged */
};

/* A range "a.b.c.d/n" or "2001:db8::/n": the addresses whose first bits are those of `first`, in which all
 * other bits are 0. */
struct settings_range {
	struct tg_addr first;
	uint32_t bits;
};

/* Which family the media address is that is offered to a trunk. */
enum settings_media_family {
	SETTINGS_MEDIA_AUTO, /* as the trunk's target, where that is an address; else as its range */
	SETTINGS_MEDIA_IPV4,
	SETTINGS_MEDIA_IPV6,
};

/* sip.trunks = ( { name = "carrier-a"; address = "198.18.0.0/24"; calls_per_second = 50; max_calls = 500; } )
 * Calls are accepted only from a trunk's addresses. */
struct settings_trunk {
	char name[33];
	struct settings_range range;
	int calls_per_second; /* accepted from it; more are answered 503 */
	int max_calls;
	char target[128]; /* host[:port][;transport=tcp]: where numbers that this node dials are sent, or ""
			   */
	enum settings_media_family media;
	int dscp; /* of RTP to its far ends; -1: media.dscp */
};

struct settings {
#define SECTION(name, help)                         struct {
#define INT(section, key, def, min, max, help)      int key;
#define BOOL(section, key, def, help)               bool key;
#define TEXT(section, key, bytes, def, check, help) char key[bytes];
#define LISTED(section, key)
#define SECTION_END(name) \
	}                 \
	name;
#include "settings/settings.def"
#undef SECTION
#undef INT
#undef BOOL
#undef TEXT
#undef LISTED
#undef SECTION_END
	struct tg_addr media_address[SETTINGS_ADDRS_MAX]; /* media.addresses, in the order of the file */
	int media_addresses;
	struct settings_port port[SETTINGS_PORTS_MAX];
	int ports;
	struct settings_trunk trunk[SETTINGS_TRUNKS_MAX];
	int trunks;
	/* http.allow = ( "198.18.0.0/16" ): loopback, private and link-local addresses that documents and
	 * media may be fetched from all the same. */
	struct settings_range allow[SETTINGS_ALLOWED_MAX];
	int allowed;
	char registry[192]; /* path of the registry file, resolved against the settings file's directory */
};

/* Reads and checks a file. Returns 0, or -errno with "FILE:LINE: key: what is wrong; what is allowed" in why.
 */
int settings_load(const char *path, struct settings *settings, char *why, size_t why_bytes);
/* All defaults, no ports, trunks or addresses. */
void settings_defaults(struct settings *settings);
/* The sample file with every key, its default and its help, as it can be loaded. */
void settings_print_sample(FILE *out);

/* The region's capacity by these settings. */
void settings_capacity(const struct settings *settings, struct tg_capacity *cap);
bool settings_in_range(const struct settings_range *range, const struct tg_addr *address);
/* First trunk of this name, or NULL. */
const struct settings_trunk *settings_trunk(const struct settings *settings, const char *name);
/* May documents and media be fetched from this address? Public addresses always; loopback, private (RFC 1918,
 * RFC 4193), link-local, multicast, unspecified, and IPv4 inside IPv6 (mapped, 6to4, NAT64) of such only if
 * allowed by name. */
bool settings_may_fetch(const struct settings *settings, const struct tg_addr *address);

#endif
