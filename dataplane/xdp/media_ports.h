/* What the dataplane tells its programs in the kernel: the value of map "media_ports", key 0. */
#ifndef TG_DATAPLANE_XDP_MEDIA_PORTS_H
#define TG_DATAPLANE_XDP_MEDIA_PORTS_H

#include <linux/types.h>

struct media_ports {
	__u16 port_min, port_max; /* host order; port_max 0: not configured yet */
	__u16 vlan;               /* 0: untagged */
	__u16 pad;
};

#endif
