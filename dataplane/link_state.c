#include "dataplane/link_state.h"

#include <net/if.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <rte_ethdev.h>

#include "base/log.h"

_Static_assert(SETTINGS_PORTS_MAX <= 32, "a bit per port");

void dp_link_state_open(struct dp_link_state *s, const struct dp_port *port, uint32_t ports)
{
	*s = (struct dp_link_state){
		.port = port, .ports = ports, .socket = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
}

void dp_link_state_close(struct dp_link_state *s)
{
	if (s->socket >= 0)
		close(s->socket);
	s->socket = -1;
}

/* Drivers that share an interface with the kernel say "up" whatever it does: there the kernel is asked. A tap
 * only stands for the port, whose driver is. */
static bool is_up(const struct dp_link_state *s, const struct dp_port *port)
{
	struct rte_eth_link link = {.link_status = RTE_ETH_LINK_DOWN};
	struct ifreq ifr = {0};
	if (port->has_tap || !port->ifindex)
		return rte_eth_link_get_nowait(port->id, &link) || link.link_status == RTE_ETH_LINK_UP;
	if (s->socket < 0)
		return true;
	/* By its name: one that was removed and made again is another, and as good. */
	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", port->settings->interface);
	if (ioctl(s->socket, SIOCGIFFLAGS, &ifr))
		return false;
	return (ifr.ifr_flags & IFF_UP) && (ifr.ifr_flags & IFF_RUNNING);
}

void dp_link_state_look(struct dp_link_state *s)
{
	for (uint32_t p = 0; p < s->ports; p++) {
		const struct dp_port *port = &s->port[p];
		bool up = is_up(s, port);
		if (up == !(s->down >> p & 1))
			continue;
		s->down ^= 1u << p;
		if (up)
			log_info(dataplane, NULL, "link-up", "port=%u interface=%s", p,
				port->settings->interface);
		else
			log_warn(dataplane, NULL, "link-down",
				"port=%u interface=%s effect=\"its calls are silent\" advice=\"look at the "
				"cable "
				"and at ip -s link; calls go on when it is up\"",
				p, port->settings->interface);
	}
}
