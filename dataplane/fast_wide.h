/* The short way in vectors of 64 bytes. See fast.h. */
#ifndef TG_DATAPLANE_FAST_WIDE_H
#define TG_DATAPLANE_FAST_WIDE_H

#include "dataplane/fast_state.h"

#if defined(__AVX512VBMI__) && defined(__AVX512BW__) && defined(__AVX512VL__)
#define DP_FAST_WIDE 1

#include <immintrin.h>

/* The frame's bytes by offset: 0 Ethernet, 14 IPv4 (16 length, 20 fragment, 23 protocol, 24 checksum, 26
 * source, 30 destination), 34 UDP (38 length, 40 checksum), 42 RTP (43 marker and type, 44 number, 46
 * timestamp, 50 SSRC). */
#define DP_BYTES(from, n) (((1ull << (n)) - 1) << (from))

#define DP_ROW(field, i) (char)(offsetof(struct tg_ingress, field) + (i))

/* Where the row has what the packet must have: source, payload type, SSRC (which the row has in host order).
 */
#define DP_WIDE_IS_ROW (DP_BYTES(26, 4) | DP_BYTES(34, 2) | DP_BYTES(43, 1) | DP_BYTES(50, 4))
/* And where it has what the packet becomes: traffic class, addresses, ports, payload type, SSRC. */
#define DP_WIDE_TO_ROW (DP_BYTES(15, 1) | DP_BYTES(26, 12) | DP_BYTES(43, 1) | DP_BYTES(50, 4))
/* What stays: lengths, number and timestamp (until they are overwritten), payload. */
#define DP_WIDE_STAYS (DP_BYTES(16, 2) | DP_BYTES(38, 2) | DP_BYTES(44, 6) | DP_BYTES(54, 10))
/* What the UDP checksum covers of it, without number and timestamp. */
#define DP_WIDE_SUMMED (DP_BYTES(26, 12) | DP_BYTES(42, 2) | DP_BYTES(50, 4))

static inline __m512i dp_wide_is_index(void)
{
	_Alignas(64) static const char at[64] = {[26] = DP_ROW(match_ip_be, 0),
		DP_ROW(match_ip_be, 1),
		DP_ROW(match_ip_be, 2),
		DP_ROW(match_ip_be, 3),
		[34] = DP_ROW(match_port_be, 0),
		DP_ROW(match_port_be, 1),
		[43] = DP_ROW(rx, 0),
		[50] = DP_ROW(ssrc_in, 3),
		DP_ROW(ssrc_in, 2),
		DP_ROW(ssrc_in, 1),
		DP_ROW(ssrc_in, 0)};
	return _mm512_load_si512(at);
}

static inline __m512i dp_wide_to_index(void)
{
	_Alignas(64) static const char at[64] = {[15] = DP_ROW(out_tos, 0),
		[26] = DP_ROW(out_src_ip_be, 0),
		DP_ROW(out_src_ip_be, 1),
		DP_ROW(out_src_ip_be, 2),
		DP_ROW(out_src_ip_be, 3),
		DP_ROW(out_dst_ip_be, 0),
		DP_ROW(out_dst_ip_be, 1),
		DP_ROW(out_dst_ip_be, 2),
		DP_ROW(out_dst_ip_be, 3),
		DP_ROW(out_src_port_be, 0),
		DP_ROW(out_src_port_be, 1),
		DP_ROW(out_dst_port_be, 0),
		DP_ROW(out_dst_port_be, 1),
		[43] = DP_ROW(tx, 0),
		[50] = DP_ROW(out_ssrc_be, 0),
		DP_ROW(out_ssrc_be, 1),
		DP_ROW(out_ssrc_be, 2),
		DP_ROW(out_ssrc_be, 3)};
	return _mm512_load_si512(at);
}

/* Bits of the frame that are looked at, and what the constant ones are. */
static inline __m512i dp_wide_is_bits(void)
{
	_Alignas(64) static const uint8_t bits[64] = {[12] = 0xff,
		0xff,
		0xff,
		[20] = 0x3f,
		0xff,
		[23] = 0xff,
		[26] = 0xff,
		0xff,
		0xff,
		0xff,
		[34] = 0xff,
		0xff,
		[42] = 0xff,
		0x7f,
		[50] = 0xff,
		0xff,
		0xff,
		0xff};
	return _mm512_load_si512(bits);
}

static inline __m512i dp_wide_is(void)
{
	_Alignas(64) static const uint8_t is[64] = {[12] = 0x08, 0x00, 0x45, [23] = 17, [42] = 0x80};
	return _mm512_load_si512(is);
}

/* The same for the row. */
static inline __m512i dp_wide_row_bits(void)
{
	_Alignas(64) static const uint8_t bits[64] = {[offsetof(struct tg_ingress, flags)] = DP_FAST_FLAGS,
		[offsetof(struct tg_ingress, rx)] = 0x80,
		[offsetof(struct tg_ingress, tx)] = 0x80,
		[offsetof(struct tg_ingress, special)] = 0xff};
	return _mm512_load_si512(bits);
}

static inline __m512i dp_wide_row_is(void)
{
	_Alignas(64) static const uint8_t is[64] = {[offsetof(struct tg_ingress, flags)] = DP_FAST_READY};
	return _mm512_load_si512(is);
}

static inline bool dp_wide_fits(__m512i frame, __m512i row)
{
	__m512i wanted = _mm512_mask_permutexvar_epi8(dp_wide_is(), DP_WIDE_IS_ROW, dp_wide_is_index(), row);
	__m512i off = _mm512_and_si512(_mm512_xor_si512(frame, wanted), dp_wide_is_bits());
	/* off | ((row ^ is) & bits) */
	__m512i row_off = _mm512_and_si512(_mm512_xor_si512(row, dp_wide_row_is()), dp_wide_row_bits());
	off = _mm512_or_si512(off, row_off);
	return !_mm512_test_epi64_mask(off, off);
}

/* Sum of the 16-bit words, in each half of 32 bits. */
static inline __m512i dp_wide_sum(__m512i v)
{
	return _mm512_add_epi32(_mm512_and_si512(v, _mm512_set1_epi32(0xffff)), _mm512_srli_epi32(v, 16));
}

static inline uint32_t dp_wide_payload_sum(const uint8_t *frame, uint32_t bytes, __m512i head)
{
	__m512i sum = dp_wide_sum(_mm512_maskz_mov_epi8(DP_WIDE_SUMMED | DP_BYTES(54, 10), head));
	uint32_t at = DP_FAST_LINE;
	for (; at + 64 <= bytes; at += 64)
		sum = _mm512_add_epi32(sum, dp_wide_sum(_mm512_loadu_si512(frame + at)));
	if (at < bytes)
		sum = _mm512_add_epi32(
			sum, dp_wide_sum(_mm512_maskz_loadu_epi8((1ull << (bytes - at)) - 1, frame + at)));
	return (uint32_t)_mm512_reduce_add_epi32(sum);
}

static inline uint16_t dp_wide_checksum(const struct dp_fast *f, const uint8_t *frame, uint32_t bytes,
	__m512i old, __m512i new, const struct dp_fast_numbers *n)
{
	uint16_t carried = dp_get16_be(frame + 40);
	uint64_t numbers = (uint64_t)htobe16(n->out_seq) + htobe32(n->out_ts);
	if (f->checksum == DP_CHECKSUM_FULL) {
		if (bytes < DP_FAST_LINE) /* what lies behind is not the packet's */
			new = _mm512_maskz_mov_epi8(DP_BYTES(0, bytes), new);
		return dp_checksum_of(numbers + 2u * htobe16((uint16_t)(bytes - 34)) + htobe16(17) +
				      dp_wide_payload_sum(frame, bytes, new));
	}
	if (f->checksum == DP_CHECKSUM_ZERO || !carried)
		return 0;
	__m512i gone = _mm512_sub_epi32(dp_wide_sum(_mm512_maskz_mov_epi8(DP_WIDE_SUMMED, old)),
		dp_wide_sum(_mm512_maskz_mov_epi8(DP_WIDE_SUMMED, new)));
	int64_t less = (int32_t)_mm512_reduce_add_epi32(gone);
	/* A multiple of 0xffff keeps it positive. */
	return dp_checksum_carry(carried, numbers + (uint64_t)(64 * 0xffff - less),
		(uint64_t)htobe16(n->seq) + htobe32(n->ts));
}

static inline bool dp_fast_relay_wide(struct dp_legs *l, struct dp_fast *f, uint32_t leg, uint8_t *frame,
	uint32_t bytes, struct dp_fast_out *out)
{
	struct tg_ingress *row = &l->ingress[leg];
	__m512i was = _mm512_loadu_si512(frame), line = _mm512_load_si512((void *)row);
	struct dp_fast_numbers n = {.seq = dp_get16(frame + 44), .ts = dp_get32(frame + 46)};
	/* IPv4 and UDP length at once. */
	uint32_t lengths = (uint32_t)dp_get16_be(frame + 16) | (uint32_t)dp_get16_be(frame + 38) << 16;
	uint32_t wanted = (uint32_t)htobe16((uint16_t)(bytes - 14)) |
			  (uint32_t)htobe16((uint16_t)(bytes - 34)) << 16;
	bool plain = (lengths == wanted) & (bytes >= DP_FAST_BYTES) & (row->match_ip_be != 0);
	if (!plain || !dp_wide_fits(was, line) || !dp_fast_goes_on(l, f, row, &n))
		return false;
	out->port = ((uint32_t)(n.link >> 48) & 0xf) - 1;
	if (out->port >= f->ports || bytes > f->frame_max[out->port])
		return false;
	out->rtp_bytes = bytes - (DP_FAST_BYTES - DP_RTP_BYTES);
	n.out_seq = (uint16_t)(n.seq + row->seq_offset);
	n.out_ts = n.ts + row->ts_offset;
	uint16_t ip_checksum = dp_fast_ip_checksum(f, row, dp_get16_be(frame + 16));
	dp_fast_count(f, row, &n, out->rtp_bytes);
	__m512i to = _mm512_mask_permutexvar_epi8(
		_mm512_load_si512(f->head[out->port]), DP_WIDE_TO_ROW, dp_wide_to_index(), line);
	to = _mm512_mask_mov_epi8(to, DP_WIDE_STAYS, was);
	/* to | (was & marker) */
	to = _mm512_ternarylogic_epi64(to, was, _mm512_maskz_set1_epi8(DP_BYTES(43, 1), (char)0x80), 0xf8);
	uint16_t udp_checksum = dp_wide_checksum(f, frame, bytes, was, to, &n);
	_mm512_storeu_si512(frame, to);
	dp_put_mac(frame, n.link);
	dp_put16_be(frame + 24, ip_checksum);
	dp_put16_be(frame + 40, udp_checksum);
	dp_put16(frame + 44, n.out_seq);
	dp_put32(frame + 46, n.out_ts);
	return true;
}

#endif
#endif
