/* Shared by both programs: which frames are media, as the dataplane has configured it. Until it has, none. */
#ifndef TG_DATAPLANE_XDP_MEDIA_PORTS_BPF_H
#define TG_DATAPLANE_XDP_MEDIA_PORTS_BPF_H

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/udp.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "dataplane/xdp/media_ports.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct media_ports);
} media_ports SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 64);
	__type(key, __u32);
	__type(value, __u8);
} media_address SEC(".maps");

struct vlan_tag {
	__be16 id, type;
};

/* vlan: of a tag that was taken out of the frame already, or 0. Later fragments have no port and IPv4 headers
 * that don't fit are the kernel's; first fragments and headers with options are ours, to be counted. */
static __always_inline int is_media(void *data, void *end, __u16 vlan)
{
	__u32 zero = 0;
	const struct media_ports *ports = bpf_map_lookup_elem(&media_ports, &zero);
	struct ethhdr *eth = data;
	if (!ports || !ports->port_max || (void *)(eth + 1) > end)
		return 0;
	struct iphdr *ip = (void *)(eth + 1);
	__be16 type = eth->h_proto;
	if (type == bpf_htons(ETH_P_8021Q)) {
		struct vlan_tag *tag = (void *)(eth + 1);
		if ((void *)(tag + 1) > end)
			return 0;
		vlan = bpf_ntohs(tag->id);
		type = tag->type;
		ip = (void *)(tag + 1);
	}
	if ((vlan & 0xfff) != ports->vlan || type != bpf_htons(ETH_P_IP) || (void *)(ip + 1) > end)
		return 0;
	__u32 to = ip->daddr;
	if (ip->version != 4 || ip->ihl < 5 || ip->protocol != IPPROTO_UDP ||
		ip->frag_off & bpf_htons(0x1fff) || !bpf_map_lookup_elem(&media_address, &to))
		return 0;
	struct udphdr *udp = (void *)ip + ip->ihl * 4;
	if ((void *)(udp + 1) > end)
		return 0;
	__u16 port = bpf_ntohs(udp->dest);
	return port >= ports->port_min && port <= ports->port_max;
}

#endif
