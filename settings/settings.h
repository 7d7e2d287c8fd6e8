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

/* An IPv4 range a.b.c.d/n, host order. */
struct settings_range {
	uint32_t address, mask;
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
	uint32_t media_address_be[SETTINGS_ADDRS_MAX]; /* media.addresses: network order */
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
/* First range that holds the address (host order), or -1. */
int settings_find_trunk(const struct settings *settings, uint32_t address);
/* May documents and media be fetched from this IPv4 (host order) or IPv6 address? Public addresses always;
 * loopback, private, link-local, multicast, unspecified, and IPv4 inside IPv6 of such only if allowed by
 * name. */
bool settings_may_fetch_ipv4(const struct settings *settings, uint32_t address);
bool settings_may_fetch_ipv6(const struct settings *settings, const uint8_t address[16]);

#endif
