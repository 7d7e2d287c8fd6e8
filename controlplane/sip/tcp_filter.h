/* The door of the TCP port: a packet filter of the kernel's on the listening socket. Segments from addresses
 * that no trunk has are dropped before there is a connection, so that strangers can hold none. When
 * connections have taken most of the process's descriptors, nobody's new ones come in until some are free:
 * the stack would otherwise spin on an accept() that fails, and files and fetches fail with it.
 *
 * Guests are far ends of calls that were made to addresses outside of the trunks' ranges: they may send
 * requests of their dialog over connections of their own (RFC 3261 18.1.1). */
#ifndef TG_SIP_TCP_FILTER_H
#define TG_SIP_TCP_FILTER_H

#include <stdbool.h>
#include <stdint.h>

#include "settings/settings.h"

/* The kernel charges the filter to each connection's small option memory (net.core.optmem_max). */
#define TCP_FILTER_GUESTS_MAX 128
/* How often tcp_filter_watch() is to be called. */
#define TCP_FILTER_WATCH_MS 100

struct tcp_filter {
	int fd;          /* the stack's; -1: none, every function does nothing then */
	uint32_t family; /* enum tg_family */
	struct settings_range range[SETTINGS_TRUNKS_MAX];
	int ranges;
	struct tg_addr guest[TCP_FILTER_GUESTS_MAX];
	int guests;
	bool shut;
};

/* Looks for this process's socket that listens at this address and sip.port, and puts the filter on it: what
 * the trunks have of the address's family. Connections of before are not looked at. Returns 0 or -errno:
 * -ENOENT: no such socket, or no /proc. */
int tcp_filter_attach(
	struct tcp_filter *filter, const struct tg_addr *address, const struct settings *settings);
bool tcp_filter_has_guest(const struct tcp_filter *filter, const struct tg_addr *address);
/* All guests of its family that there are now, at most TCP_FILTER_GUESTS_MAX. Returns 0 or -errno; then it is
 * as before. */
int tcp_filter_set_guests(struct tcp_filter *filter, const struct tg_addr *address, int n);
/* Shuts or opens the door by the number of descriptors that are in use. */
void tcp_filter_watch(struct tcp_filter *filter);

#endif
