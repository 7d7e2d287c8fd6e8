/* A frame from the wire: [2 bytes VLAN of the port][frame]. What is taken for RTP must lie inside the frame.
 */
#include <endian.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/classify.h"
#include "dataplane/digits.h"
#include "dataplane/rewrite.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const uint8_t *frame, uint32_t bytes, const struct dp_packet *p)
{
	const uint8_t *rtp = frame + p->rtp_at;
	bool ipv6 = p->leg >= 100;
	if (ipv6 != (p->src_ip6 != NULL) || p->rtp_at + (uint32_t)p->rtp_bytes > bytes ||
		p->header_bytes + p->payload_bytes > p->rtp_bytes)
		abort();
	/* Every byte that the worker goes on to read or write. */
	uint8_t copy[65536 + 128] = {0};
	struct tg_ingress row;
	memset((void *)&row, 0, sizeof(row));
	if (p->payload_bytes >= DP_EVENT_BYTES)
		dp_digit_take(&row, rtp + p->header_bytes, p->ts, p->marker);
	/* In both families, whichever it came in. */
	const struct dp_flow flow[] = {
		{.src_ip_be = 1, .dst_ip_be = 2}, {.src_ip6 = copy, .dst_ip6 = copy + 16}};
	for (size_t i = 0; i < sizeof(flow) / sizeof(flow[0]); i++) {
		uint32_t headers = dp_flow_bytes(&flow[i]);
		uint8_t *out = copy + 32;
		memcpy(out + headers, rtp, p->rtp_bytes);
		dp_change_rtp(out + headers, &(struct dp_rtp){.ssrc_be = 1, .payload_type = p->payload_type});
		dp_write_flow(out, &flow[i], p->rtp_bytes);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tg_capacity cap = {
		.workers = 1, .addresses = 3, .ipv6_addresses = 1, .port_min = 20000, .ports = 100};
	struct dp_local local;
	struct dp_packet p;
	uint16_t vlan;
	if (size < sizeof(vlan) || size > 9000)
		return 0;
	memcpy(&vlan, data, sizeof(vlan));
	cap.address[0] = tg_addr_ipv4(htobe32(0xc6120001));
	cap.address[1] = tg_addr_ipv4(htobe32(0xc6120002));
	cap.address[2] = (struct tg_addr){.b = {0x20, 0x01, 0x0d, 0xb8, [15] = 1}, .family = TG_FAMILY_IPV6};
	dp_local_init(&local, &cap, 0);
	uint32_t bytes = (uint32_t)(size - sizeof(vlan));
	uint8_t *frame = malloc(bytes ? bytes : 1);
	if (!frame)
		return 0;
	memcpy(frame, data + sizeof(vlan), bytes);
	dp_classify(&local, frame, bytes, vlan & 0xfff, &p);
	if (p.verdict == DP_RTP)
		check(frame, bytes, &p);
	if (p.leg != TG_NONE && p.leg >= 150)
		abort();
	free(frame);
	return 0;
}
