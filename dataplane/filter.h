/* The dataplane's programs in the kernel: XDP on AF_XDP ports, a tc classifier on AF_PACKET ports. */
#ifndef TG_DATAPLANE_FILTER_H
#define TG_DATAPLANE_FILTER_H

#include <stddef.h>
#include <stdint.h>

#include "contract/region.h"

/* Path of a program beside the running binary, or where it is installed (../lib/tollgate). Returns 0 or
 * -ENOENT with a sentence in why. */
int dp_filter_path(const char *object, char *path, size_t path_bytes, char *why, size_t why_bytes);

/* Takes our XDP program off the interface if a dead predecessor left it there. -EBUSY: another program is
 * attached. */
int dp_filter_xdp_clear(unsigned ifindex, const char *interface, char *why, size_t why_bytes);
/* Tells the XDP program that the driver has attached which frames are media. */
int dp_filter_xdp_configure(
	unsigned ifindex, const struct tg_capacity *cap, uint16_t vlan, char *why, size_t why_bytes);

/* Attaches the shield, configured; replaces one that was left behind. Stays on the interface after a crash,
 * which is as it should be. */
int dp_filter_tc_attach(
	unsigned ifindex, const struct tg_capacity *cap, uint16_t vlan, char *why, size_t why_bytes);
/* Takes it off. The clsact qdisc stays: others may use it. */
void dp_filter_tc_detach(unsigned ifindex);

#endif
