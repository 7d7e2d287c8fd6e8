/* TC ingress: on an AF_PACKET port the kernel sees the media too, after the dataplane's socket has its copy.
 * Here that ends, so that no "port unreachable" goes out. */
#include "dataplane/xdp/media_ports.bpf.h"

#include <linux/pkt_cls.h>

SEC("tc")
int media_shield(struct __sk_buff *skb)
{
	__u16 vlan = skb->vlan_present ? (__u16)skb->vlan_tci : 0;
	if (is_media((void *)(long)skb->data, (void *)(long)skb->data_end, vlan))
		return TC_ACT_SHOT;
	return TC_ACT_UNSPEC;
}

char program_license[] SEC("license") = "Dual BSD/GPL";
