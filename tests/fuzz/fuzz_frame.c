/* A frame from the wire: [2 bytes VLAN of the port][frame]. What is taken for RTP must lie inside the frame.
 */
#include <endian.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/classify.h"
#include "dataplane/digits.h"
#include "dataplane/rewrite.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const uint8_t *frame, uint32_t bytes, const struct dp_packet *p)
{
	const uint8_t *rtp = frame + p->ip_at + DP_IP_BYTES + DP_UDP_BYTES;
	if (p->leg >= 100 || p->ip_at + 28u + p->rtp_bytes > bytes ||
		p->header_bytes + p->payload_bytes > p->rtp_bytes)
		abort();
	/* Every byte that the worker goes on to read or write. */
	uint8_t copy[65536 + 64];
	struct tg_ingress row;
	memset((void *)&row, 0, sizeof(row));
	if (p->payload_bytes >= DP_EVENT_BYTES)
		dp_digit_take(&row, rtp + p->header_bytes, p->ts, p->marker);
	memcpy(copy + 28, rtp, p->rtp_bytes);
	dp_change_rtp(copy + 28, &(struct dp_rtp){.ssrc_be = 1, .payload_type = p->payload_type});
	dp_write_flow(copy, &(struct dp_flow){.src_ip_be = 1, .dst_ip_be = 2}, p->rtp_bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tg_capacity cap = {.workers = 1, .addresses = 2, .port_min = 20000, .ports = 100};
	struct dp_local local;
	struct dp_packet p;
	uint16_t vlan;
	if (size < sizeof(vlan) || size > 9000)
		return 0;
	memcpy(&vlan, data, sizeof(vlan));
	cap.address_be[0] = htobe32(0xc6120001);
	cap.address_be[1] = htobe32(0xc6120002);
	dp_local_init(&local, &cap, 0);
	uint32_t bytes = (uint32_t)(size - sizeof(vlan));
	uint8_t *frame = malloc(bytes ? bytes : 1);
	if (!frame)
		return 0;
	memcpy(frame, data + sizeof(vlan), bytes);
	dp_classify(&local, frame, bytes, vlan & 0xfff, &p);
	if (p.verdict == DP_RTP)
		check(frame, bytes, &p);
	if (p.leg != TG_NONE && p.leg >= 100)
		abort();
	free(frame);
	return 0;
}
