#include <string.h>

#include "base/log.h"
#include "settings/settings_check.h"
#include "settings/settings_parse.h"

/* Where the file says it, else the nearest group around it. */
static const config_setting_t *place(const config_t *config, const char *path)
{
	char p[96];
	size_t n = 0;
	for (const char *from = path; *from && n < sizeof(p) - 2; from++) {
		if (*from == '[') /* libconfig wants "list.[0]" */
			p[n++] = '.';
		p[n++] = *from;
	}
	p[n] = '\0';
	for (;;) {
		const config_setting_t *s = config_lookup(config, p);
		char *dot = strrchr(p, '.');
		if (s || !dot)
			return s;
		*dot = '\0';
	}
}

#define FAIL(path, ...) settings_table_fail(source, place(config, path), path, __VA_ARGS__)

static int count_ipv6(const struct settings *s)
{
	int n = 0;
	for (int i = 0; i < s->media_addresses; i++)
		n += s->media_address[i].family == TG_FAMILY_IPV6;
	return n;
}

static int check_media(const struct settings_source *source, const config_t *config, const struct settings *s)
{
	if (s->media.port_min % 2)
		return FAIL("media.port_min", "%d is odd; allowed: an even port", s->media.port_min);
	if (s->media.port_max % 2 == 0 || s->media.port_max < s->media.port_min)
		return FAIL("media.port_max",
			"%d does not end a range that begins at %d; allowed: an odd port above it",
			s->media.port_max, s->media.port_min);
	if (!s->media_addresses)
		return FAIL("media.addresses",
			"there is none; allowed: 1 to %d addresses, such as (\"198.18.0.2\")",
			SETTINGS_ADDRS_MAX);
	int lcores = settings_count_lcores(s->eal.lcores);
	if (s->media.workers > lcores - 1)
		return FAIL("media.workers",
			"%d workers do not fit eal.lcores, which names %d lcores, one of them the main "
			"lcore; "
			"allowed: at most %d",
			s->media.workers, lcores, lcores - 1);
	/* With fewer addresses of a family than workers, the ports of each are shared out
	 * (tg_capacity_worker()). */
	int legs = (s->media.port_max - s->media.port_min + 1) / 2;
	int ipv6 = count_ipv6(s), ipv4 = s->media_addresses - ipv6;
	bool shared = (ipv4 && ipv4 < s->media.workers) || (ipv6 && ipv6 < s->media.workers);
	if (shared && legs < s->media.workers)
		return FAIL("media.workers", "%d workers share %d pairs of ports; allowed: at most %d",
			s->media.workers, legs, legs);
	return 0;
}

static int check_port(
	const struct settings_source *source, const config_t *config, const struct settings *s, int i)
{
	const struct settings_port *port = &s->port[i];
	char path[48];
	if (port->kind == SETTINGS_PORT_DPDK) {
		snprintf(path, sizeof(path), "media.ports[%d].device", i);
		if (!*port->device)
			return FAIL(path, "is missing; a DPDK port needs its PCI address or devargs");
	} else {
		snprintf(path, sizeof(path), "media.ports[%d].interface", i);
		if (!*port->interface)
			return FAIL(path, "is missing; this kind of port needs a kernel interface");
		snprintf(path, sizeof(path), "media.ports[%d].device", i);
		if (*port->device)
			return FAIL(path, "is for kind \"dpdk\" only; allowed here: interface");
	}
	for (int j = 0; j < i; j++) {
		const struct settings_port *other = &s->port[j];
		snprintf(path, sizeof(path), "media.ports[%d].%s", i, *port->device ? "device" : "interface");
		if ((*port->interface && !strcmp(port->interface, other->interface)) ||
			(*port->device && !strcmp(port->device, other->device)))
			return FAIL(path, "is that of another port too; allowed: each once");
	}
	return 0;
}

static int check_sip(const struct settings_source *source, const config_t *config, const struct settings *s)
{
	struct tg_addr first, second;
	if (!*s->sip.second_address || !tg_addr_parse(s->sip.address, &first) ||
		!tg_addr_parse(s->sip.second_address, &second) || first.family != second.family)
		return 0;
	return FAIL("sip.second_address",
		"is of the same family as sip.address; allowed: one IPv4 and one IPv6 address, or \"\"");
}

static int check_trunk(
	const struct settings_source *source, const config_t *config, const struct settings *s, int i)
{
	const struct settings_trunk *trunk = &s->trunk[i];
	char path[48];
	for (int j = 0; j < i; j++) {
		const struct settings_trunk *other = &s->trunk[j];
		snprintf(path, sizeof(path), "sip.trunks[%d].name", i);
		if (!strcmp(trunk->name, other->name))
			return FAIL(path, "%s is another trunk's name too; allowed: each once",
				log_quote(trunk->name));
		snprintf(path, sizeof(path), "sip.trunks[%d].address", i);
		if (tg_addr_equal(&trunk->range.first, &other->range.first) &&
			trunk->range.bits == other->range.bits)
			return FAIL(path, "is the range of trunk %s too; allowed: each range once",
				log_quote(other->name));
	}
	int ipv6 = count_ipv6(s);
	snprintf(path, sizeof(path), "sip.trunks[%d].media", i);
	if ((trunk->media == SETTINGS_MEDIA_IPV6 && !ipv6) ||
		(trunk->media == SETTINGS_MEDIA_IPV4 && ipv6 == s->media_addresses))
		return FAIL(path, "names a family that media.addresses has none of; allowed: \"auto\", or "
				  "with such an address");
	return 0;
}

int settings_check_all(const struct settings_source *source, const config_t *config, const struct settings *s)
{
	int e = check_media(source, config, s);
	if (e)
		return e;
	if (!s->ports)
		return FAIL("media.ports",
			"there is none; allowed: 1 to %d ports, such as ({ kind = \"af_xdp\"; interface = "
			"\"media0\"; })",
			SETTINGS_PORTS_MAX);
	for (int i = 0; !e && i < s->ports; i++)
		e = check_port(source, config, s, i);
	if (!e)
		e = check_sip(source, config, s);
	for (int i = 0; !e && i < s->trunks; i++)
		e = check_trunk(source, config, s, i);
	if (e)
		return e;
	if (s->http.total_ms < s->http.connect_ms)
		return FAIL("http.total_ms", "%d is less than http.connect_ms; allowed: at least %d",
			s->http.total_ms, s->http.connect_ms);
	if (s->cache.fetch_ms < s->cache.connect_ms)
		return FAIL("cache.fetch_ms", "%d is less than cache.connect_ms; allowed: at least %d",
			s->cache.fetch_ms, s->cache.connect_ms);
	return 0;
}
