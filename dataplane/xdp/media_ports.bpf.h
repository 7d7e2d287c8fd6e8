/* Shared by both programs: which frames are media, as the dataplane has configured it. Until it has, none. */
#ifndef TG_DATAPLANE_XDP_MEDIA_PORTS_BPF_H
#define TG_DATAPLANE_XDP_MEDIA_PORTS_BPF_H

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/in6.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
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

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 64);
	__type(key, struct in6_addr);
	__type(value, __u8);
} media_address6 SEC(".maps");

struct vlan_tag {
	__be16 id, type;
};

/* The kernel's own headers for these say more than is looked at here. */
struct extension {
	__u8 next,
		length; /* length: 8 bytes each, beside the first 8; of AH 4 bytes each, beside the first 8 */
	__be16 fragment;
	__u32 rest;
};

/* As many headers as EXTENSIONS_MAX in dataplane/classify_ipv6.c. */
#define EXTENSIONS 8

static __always_inline int is_media_port(const struct media_ports *ports, const struct udphdr *udp, void *end)
{
	if ((void *)(udp + 1) > end)
		return 0;
	__u16 port = bpf_ntohs(udp->dest);
	return port >= ports->port_min && port <= ports->port_max;
}

static __always_inline int is_media4(const struct media_ports *ports, struct iphdr *ip, void *end)
{
	if ((void *)(ip + 1) > end)
		return 0;
	__u32 to = ip->daddr;
	if (ip->version != 4 || ip->ihl < 5 || ip->protocol != IPPROTO_UDP ||
		ip->frag_off & bpf_htons(0x1fff) || !bpf_map_lookup_elem(&media_address, &to))
		return 0;
	return is_media_port(ports, (void *)ip + ip->ihl * 4, end);
}

/* Media behind extension headers is ours too, to be counted as dropped. */
static __always_inline int is_media6(const struct media_ports *ports, struct ipv6hdr *ip, void *end)
{
	if ((void *)(ip + 1) > end)
		return 0;
	struct in6_addr to = ip->daddr;
	if (ip->version != 6 || !bpf_map_lookup_elem(&media_address6, &to))
		return 0;
	__u8 next = ip->nexthdr;
	void *at = ip + 1;
#pragma unroll
	for (int i = 0; i < EXTENSIONS; i++) {
		struct extension *e = at;
		if (next == IPPROTO_UDP)
			return is_media_port(ports, at, end);
		if ((void *)(e + 1) > end)
			return 0;
		if (next == IPPROTO_HOPOPTS || next == IPPROTO_ROUTING || next == IPPROTO_DSTOPTS)
			at += 8 + e->length * 8;
		else if (next == IPPROTO_AH)
			at += 8 + e->length * 4;
		else if (next == IPPROTO_FRAGMENT && !(e->fragment & bpf_htons(0xfff8)))
			at += 8;
		else
			return 0;
		next = e->next;
	}
	return next == IPPROTO_UDP && is_media_port(ports, at, end);
}

/* vlan: of a tag that was taken out of the frame already, or 0. Later fragments have no port and IP headers
 * that don't fit are the kernel's; first fragments and headers with options are ours, to be counted. */
static __always_inline int is_media(void *data, void *end, __u16 vlan)
{
	__u32 zero = 0;
	const struct media_ports *ports = bpf_map_lookup_elem(&media_ports, &zero);
	struct ethhdr *eth = data;
	if (!ports || !ports->port_max || (void *)(eth + 1) > end)
		return 0;
	void *ip = eth + 1;
	__be16 type = eth->h_proto;
	if (type == bpf_htons(ETH_P_8021Q)) {
		struct vlan_tag *tag = (void *)(eth + 1);
		if ((void *)(tag + 1) > end)
			return 0;
		vlan = bpf_ntohs(tag->id);
		type = tag->type;
		ip = tag + 1;
	}
	if ((vlan & 0xfff) != ports->vlan)
		return 0;
	if (type == bpf_htons(ETH_P_IP))
		return is_media4(ports, ip, end);
	return type == bpf_htons(ETH_P_IPV6) && is_media6(ports, ip, end);
}

#endif
