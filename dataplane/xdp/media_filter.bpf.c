/* XDP: UDP to the media ports goes to the dataplane's sockets, everything else stays with the kernel. While
 * the dataplane is away media is dropped here: a kernel that answers "port unreachable" ends calls that the
 * dataplane could have taken up again. */
#include "dataplane/xdp/media_ports.bpf.h"

struct {
	__uint(type, BPF_MAP_TYPE_XSKMAP);
	__uint(max_entries, 64);
	__type(key, __u32);
	__type(value, __u32);
} xsks_map SEC(".maps"); /* DPDK's driver looks for this name */

SEC("xdp")
int media_filter(struct xdp_md *ctx)
{
	if (!is_media((void *)(long)ctx->data, (void *)(long)ctx->data_end, 0))
		return XDP_PASS;
	return (int)bpf_redirect_map(&xsks_map, ctx->rx_queue_index, XDP_DROP);
}

char program_license[] SEC("license") = "Dual BSD/GPL";
