#include "dataplane/rtcp_read.h"

#include <errno.h>
#include <string.h>

#include "dataplane/wire.h"

#define HEADER_BYTES       4
#define SENDER_BYTES       28 /* header, SSRC, sender information */
#define BLOCK_BYTES        24
#define XR_HEADER_BYTES    4
#define XR_DLRR_BYTES      12
#define XR_RRTR_BYTES      8
#define XR_VOIP_BYTES      32
#define COMPOUND_BYTES_MIN 8

/* One packet of the compound. bytes: with the header, without padding. */
struct part {
	const uint8_t *at;
	uint32_t bytes;
	uint8_t count, type;
};

static uint64_t get64(const uint8_t *p)
{
	return (uint64_t)dp_get32(p) << 32 | dp_get32(p + 4);
}

static void take_block(const uint8_t *p, uint32_t our_ssrc, struct dp_rtcp_seen *s)
{
	if (s->has_block || dp_get32(p) != our_ssrc)
		return;
	uint32_t lost = dp_get32(p + 4) & 0xffffff;
	s->has_block = true;
	s->block = (struct dp_rtcp_block){.ssrc = our_ssrc,
		.fraction = p[4],
		.lost = (int32_t)(lost & 0x800000 ? lost | 0xff000000u : lost),
		.ext_seq = dp_get32(p + 8),
		.jitter = dp_get32(p + 12),
		.lsr = dp_get32(p + 16),
		.dlsr = dp_get32(p + 20)};
}

/* SR and RR. What stands behind the blocks is a profile's extension. */
static int read_report(const struct part *p, uint32_t our_ssrc, struct dp_rtcp_seen *s)
{
	uint32_t at = p->type == DP_RTCP_SR ? SENDER_BYTES : 8;
	if (p->bytes < at + (uint32_t)p->count * BLOCK_BYTES)
		return -EINVAL;
	/* Of several, that of the one who reports: a mixer or translator may add others'. */
	if (p->type == DP_RTCP_SR && !s->has_sent && dp_get32(p->at + 4) == s->ssrc) {
		s->has_sent = true;
		s->sent = (struct dp_rtcp_sent){.ntp = get64(p->at + 8),
			.rtp_ts = dp_get32(p->at + 16),
			.packets = dp_get32(p->at + 20),
			.octets = dp_get32(p->at + 24)};
	}
	for (uint32_t i = 0; i < p->count; i++, at += BLOCK_BYTES)
		take_block(p->at + at, our_ssrc, s);
	return 0;
}

/* The chunks must lie inside the packet, each with its end (RFC 3550 section 6.5). What they say is not
 * used: a far end is known by its address. */
static int read_sdes(const struct part *p)
{
	uint32_t at = HEADER_BYTES;
	for (uint32_t i = 0; i < p->count; i++) {
		at += 4;
		while (at < p->bytes && p->at[at]) {
			if (at + 2 > p->bytes)
				return -EINVAL;
			at += 2u + p->at[at + 1];
		}
		if (at >= p->bytes)
			return -EINVAL;
		at = (at + 4) & ~3u; /* one zero at least, then to the next word */
	}
	return at <= p->bytes ? 0 : -EINVAL;
}

static int read_bye(const struct part *p, struct dp_rtcp_seen *s)
{
	uint32_t at = HEADER_BYTES + 4u * p->count;
	if (at > p->bytes || (at < p->bytes && at + 1u + p->at[at] > p->bytes))
		return -EINVAL;
	for (uint32_t i = 0; i < p->count; i++)
		s->bye |= dp_get32(p->at + HEADER_BYTES + 4u * i) == s->ssrc;
	return 0;
}

static void take_dlrr(const uint8_t *p, uint32_t bytes, uint32_t our_ssrc, struct dp_rtcp_seen *s)
{
	for (; bytes >= XR_DLRR_BYTES && !s->has_dlrr; p += XR_DLRR_BYTES, bytes -= XR_DLRR_BYTES) {
		if (dp_get32(p) != our_ssrc)
			continue;
		s->has_dlrr = true;
		s->dlrr = (struct dp_rtcp_dlrr){our_ssrc, dp_get32(p + 4), dp_get32(p + 8)};
	}
}

static void take_voip(const uint8_t *p, uint32_t our_ssrc, struct dp_rtcp_seen *s)
{
	if (s->has_voip || dp_get32(p) != our_ssrc)
		return;
	s->has_voip = true;
	s->voip = (struct dp_rtcp_voip){.ssrc = our_ssrc,
		.loss_rate = p[4],
		.discard_rate = p[5],
		.burst_density = p[6],
		.gap_density = p[7],
		.burst_ms = dp_get16(p + 8),
		.gap_ms = dp_get16(p + 10),
		.round_trip_ms = dp_get16(p + 12),
		.end_system_ms = dp_get16(p + 14),
		.signal_dbm = (int8_t)p[16],
		.noise_dbm = (int8_t)p[17],
		.return_loss_db = p[18],
		.gap_min = p[19],
		.r_factor = p[20],
		.external_r = p[21],
		.mos_lq_x10 = p[22],
		.mos_cq_x10 = p[23],
		.rx_config = p[24],
		.jb_nominal_ms = dp_get16(p + 26),
		.jb_maximum_ms = dp_get16(p + 28),
		.jb_absolute_ms = dp_get16(p + 30)};
}

/* RFC 3611: blocks of types that are not known are skipped, and so are those of a wrong length. */
static int read_xr(const struct part *p, uint32_t our_ssrc, struct dp_rtcp_seen *s)
{
	uint32_t at = HEADER_BYTES + 4;
	if (p->bytes < at)
		return -EINVAL;
	while (at < p->bytes) {
		if (at + XR_HEADER_BYTES > p->bytes)
			return -EINVAL;
		uint32_t body = 4u * dp_get16(p->at + at + 2);
		const uint8_t *block = p->at + at + XR_HEADER_BYTES;
		if (at + XR_HEADER_BYTES + body > p->bytes)
			return -EINVAL;
		uint8_t type = p->at[at];
		if (type == DP_XR_RRTR && body == XR_RRTR_BYTES) {
			s->has_rrtr = true;
			s->rrtr_ntp = get64(block);
		} else if (type == DP_XR_DLRR) {
			take_dlrr(block, body, our_ssrc, s);
		} else if (type == DP_XR_VOIP && body == XR_VOIP_BYTES) {
			take_voip(block, our_ssrc, s);
		}
		at += XR_HEADER_BYTES + body;
	}
	return 0;
}

static int read_part(const struct part *p, uint32_t our_ssrc, struct dp_rtcp_seen *s)
{
	switch (p->type) {
	case DP_RTCP_SR:
	case DP_RTCP_RR:
		return read_report(p, our_ssrc, s);
	case DP_RTCP_SDES:
		return read_sdes(p);
	case DP_RTCP_BYE:
		return read_bye(p, s);
	case DP_RTCP_XR:
		return read_xr(p, our_ssrc, s);
	}
	return 0; /* APP, feedback, and what is yet to come */
}

/* Takes the packet at `at` apart. A.2: only the last may be padded, and never the first. */
static int cut(const uint8_t *bytes, uint32_t n, uint32_t at, struct part *p)
{
	if (n - at < HEADER_BYTES || bytes[at] >> 6 != 2)
		return -EINVAL;
	p->at = bytes + at;
	p->count = p->at[0] & 0x1f;
	p->type = p->at[1];
	p->bytes = 4u * (dp_get16(p->at + 2) + 1u);
	return p->bytes > n - at ? -EINVAL : 0;
}

static int unpad(struct part *p, bool first, bool last)
{
	if (!(p->at[0] & 0x20))
		return 0;
	uint32_t padding = p->at[p->bytes - 1];
	if (first || !last || !padding || padding % 4 || padding > p->bytes - HEADER_BYTES)
		return -EINVAL;
	p->bytes -= padding;
	return 0;
}

int dp_rtcp_read(const uint8_t *bytes, uint32_t n, uint32_t our_ssrc, struct dp_rtcp_seen *seen)
{
	struct dp_rtcp_seen s = {0};
	struct part p;
	if (n < COMPOUND_BYTES_MIN || (bytes[1] != DP_RTCP_SR && bytes[1] != DP_RTCP_RR))
		return -EINVAL;
	s.ssrc = dp_get32(bytes + 4);
	for (uint32_t at = 0; at < n;) {
		int e = cut(bytes, n, at, &p);
		uint32_t next = at + (e ? 0 : p.bytes);
		if (!e)
			e = unpad(&p, at == 0, next == n);
		if (!e)
			e = read_part(&p, our_ssrc, &s);
		if (e)
			return e;
		at = next;
	}
	*seen = s;
	return 0;
}
