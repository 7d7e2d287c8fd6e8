/* The short way in words of eight bytes. See fast.h. */
#ifndef TG_DATAPLANE_FAST_WORDS_H
#define TG_DATAPLANE_FAST_WORDS_H

#include "dataplane/fast_state.h"

/* Bytes 14 to 53 of the frame, IPv4 to RTP header, as five words in memory order. */
#define DP_FAST_WORDS 5

static inline uint64_t dp_word(const void *p)
{
	uint64_t v;
	memcpy(&v, p, sizeof(v));
	return v;
}

static inline void dp_set_word(uint8_t *p, uint64_t v)
{
	memcpy(p, &v, sizeof(v));
}

/* Sum of what the UDP checksum covers beside the payload, but for what never changes on the way: addresses,
 * ports, RTP header. */
static inline uint64_t dp_words_sum(const uint64_t w[static DP_FAST_WORDS])
{
	return (w[1] >> 32) + (w[2] & 0xffffffff) + (w[2] >> 32) + (w[3] >> 32) + (w[4] & 0xffffffff) +
	       (w[4] >> 32);
}

static inline uint16_t dp_words_checksum(const struct dp_fast *f, const uint64_t old[static DP_FAST_WORDS],
	const uint64_t new[static DP_FAST_WORDS], const uint8_t *payload, uint32_t payload_bytes)
{
	uint16_t carried = (uint16_t)(old[3] >> 16);
	uint64_t sum = dp_words_sum(new);
	if (f->checksum == DP_CHECKSUM_FULL)
		return dp_checksum_of(
			sum + 2 * (old[3] & 0xffff) + htobe16(17) + dp_sum_long(payload, payload_bytes));
	if (f->checksum == DP_CHECKSUM_ZERO || !carried)
		return 0;
	return dp_checksum_carry(carried, sum, dp_words_sum(old));
}

static inline bool dp_words_fit(
	const struct tg_ingress *row, const uint64_t w[static DP_FAST_WORDS], uint32_t bytes)
{
	uint64_t match = dp_word(&row->match_ip_be), from = (w[1] >> 32) | (w[2] & 0xffff00000000);
	uint64_t bad = ((w[0] & 0xff3f0000ffff00ff) ^
			       (0x45 | (uint64_t)htobe16((uint16_t)(bytes - 14)) << 16)) |
		       ((w[1] & 0xff00) ^ 0x1100) | ((match ^ from) & 0xffffffffffff) |
		       ((w[3] & 0x7fff0000ffff) ^ (htobe16((uint16_t)(bytes - 34)) | (uint64_t)0x80 << 32 |
							  (uint64_t)row->rx.audio << 40)) |
		       ((uint32_t)(w[4] >> 32) ^ htobe32(row->ssrc_in)) |
		       ((row->flags & DP_FAST_FLAGS) ^ DP_FAST_READY) | (row->tx.audio & 0x80) | row->special;
	return !bad & ((uint32_t)from != 0) & (bytes >= DP_FAST_BYTES);
}

static inline bool dp_fast_relay_words(struct dp_legs *l, struct dp_fast *f, uint32_t leg, uint8_t *frame,
	uint32_t bytes, struct dp_fast_out *out)
{
#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
	return false;
#endif
	struct tg_ingress *row = &l->ingress[leg];
	uint8_t *ip = frame + DP_ETHER_BYTES;
	uint64_t w[DP_FAST_WORDS], new[DP_FAST_WORDS];
	for (int i = 0; i < DP_FAST_WORDS; i++)
		w[i] = dp_word(ip + 8 * i);
	struct dp_fast_numbers n = {.seq = be16toh((uint16_t)(w[3] >> 48)), .ts = be32toh((uint32_t)w[4])};
	if (dp_get16(frame + 12) != 0x0800 || !dp_words_fit(row, w, bytes) || !dp_fast_goes_on(l, f, row, &n))
		return false;
	out->port = ((uint32_t)(n.link >> 48) & 0xf) - 1;
	if (out->port >= f->ports || bytes > f->frame_max[out->port])
		return false;
	out->rtp_bytes = bytes - (DP_FAST_BYTES - DP_RTP_BYTES);
	n.out_seq = (uint16_t)(n.seq + row->seq_offset);
	n.out_ts = n.ts + row->ts_offset;
	dp_fast_count(f, row, &n, out->rtp_bytes);
	const uint8_t *head = f->head[out->port];
	memcpy(frame, head, DP_ETHER_BYTES);
	dp_put_mac(frame, n.link);
	new[0] = dp_word(head + DP_ETHER_BYTES) | (w[0] & 0xffff0000) | (uint64_t)row->out_tos << 8;
	new[1] = dp_word(head + DP_ETHER_BYTES + 8) | (uint64_t)row->out_src_ip_be << 32 |
		 (uint64_t)dp_fast_ip_checksum(f, row, (uint16_t)(w[0] >> 16)) << 16;
	new[2] = dp_word(&row->out_dst_ip_be);
	new[3] = (w[3] & 0x80ff0000ffff) | (uint64_t)row->tx.audio << 40 | (uint64_t)htobe16(n.out_seq) << 48;
	new[4] = htobe32(n.out_ts) | (uint64_t)row->out_ssrc_be << 32;
	new[3] |= (uint64_t)dp_words_checksum(f, w, new, frame + DP_FAST_BYTES, bytes - DP_FAST_BYTES) << 16;
	for (int i = 0; i < DP_FAST_WORDS; i++)
		dp_set_word(ip + 8 * i, new[i]);
	return true;
}

_Static_assert(offsetof(struct tg_ingress, match_port_be) == offsetof(struct tg_ingress, match_ip_be) + 4,
	"the source in one word");
_Static_assert(
	offsetof(struct tg_ingress, out_src_port_be) == offsetof(struct tg_ingress, out_dst_ip_be) + 4 &&
		offsetof(struct tg_ingress, out_dst_port_be) ==
			offsetof(struct tg_ingress, out_dst_ip_be) + 6,
	"destination and ports in one word, as in the packet");

#endif
