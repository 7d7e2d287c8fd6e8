#include "dataplane/rtcp_write.h"

#include <string.h>

#include "dataplane/wire.h"

#define SDES_CNAME 1

struct pen {
	uint8_t *begin, *at;
};

static void put8(struct pen *w, uint8_t v)
{
	*w->at++ = v;
}

static void put16(struct pen *w, uint16_t v)
{
	dp_put16(w->at, v);
	w->at += 2;
}

static void put32(struct pen *w, uint32_t v)
{
	dp_put32(w->at, v);
	w->at += 4;
}

static void put64(struct pen *w, uint64_t v)
{
	put32(w, (uint32_t)(v >> 32));
	put32(w, (uint32_t)v);
}

/* The length is known at the end. */
static uint8_t *begin(struct pen *w, uint8_t count, enum dp_rtcp_type type)
{
	uint8_t *packet = w->at;
	put8(w, (uint8_t)(0x80 | count));
	put8(w, (uint8_t)type);
	put16(w, 0);
	return packet;
}

static void end(const struct pen *w, uint8_t *packet)
{
	dp_put16(packet + 2, (uint16_t)((w->at - packet) / 4 - 1));
}

static void put_report(struct pen *w, const struct dp_rtcp_report *r)
{
	uint8_t *packet = begin(w, r->has_block, r->has_sent ? DP_RTCP_SR : DP_RTCP_RR);
	put32(w, r->ssrc);
	if (r->has_sent) {
		put64(w, r->sent.ntp);
		put32(w, r->sent.rtp_ts);
		put32(w, r->sent.packets);
		put32(w, r->sent.octets);
	}
	if (r->has_block) {
		put32(w, r->block.ssrc);
		put32(w, (uint32_t)r->block.fraction << 24 | ((uint32_t)r->block.lost & 0xffffff));
		put32(w, r->block.ext_seq);
		put32(w, r->block.jitter);
		put32(w, r->block.lsr);
		put32(w, r->block.dlsr);
	}
	end(w, packet);
}

static void put_sdes(struct pen *w, const struct dp_rtcp_report *r)
{
	uint8_t *packet = begin(w, 1, DP_RTCP_SDES);
	put32(w, r->ssrc);
	put8(w, SDES_CNAME);
	put8(w, DP_CNAME_LETTERS);
	memcpy(w->at, r->cname, DP_CNAME_LETTERS);
	w->at += DP_CNAME_LETTERS;
	do
		put8(w, 0);
	while ((w->at - packet) % 4);
	end(w, packet);
}

static void put_voip(struct pen *w, const struct dp_rtcp_voip *v)
{
	put8(w, DP_XR_VOIP);
	put8(w, 0);
	put16(w, 8);
	put32(w, v->ssrc);
	put8(w, v->loss_rate);
	put8(w, v->discard_rate);
	put8(w, v->burst_density);
	put8(w, v->gap_density);
	put16(w, v->burst_ms);
	put16(w, v->gap_ms);
	put16(w, v->round_trip_ms);
	put16(w, v->end_system_ms);
	put8(w, (uint8_t)v->signal_dbm);
	put8(w, (uint8_t)v->noise_dbm);
	put8(w, v->return_loss_db);
	put8(w, v->gap_min);
	put8(w, v->r_factor);
	put8(w, v->external_r);
	put8(w, v->mos_lq_x10);
	put8(w, v->mos_cq_x10);
	put8(w, v->rx_config);
	put8(w, 0);
	put16(w, v->jb_nominal_ms);
	put16(w, v->jb_maximum_ms);
	put16(w, v->jb_absolute_ms);
}

static void put_xr(struct pen *w, const struct dp_rtcp_report *r)
{
	if (!r->has_rrtr && !r->has_dlrr && !r->has_voip)
		return;
	uint8_t *packet = begin(w, 0, DP_RTCP_XR);
	put32(w, r->ssrc);
	if (r->has_rrtr) {
		put32(w, (uint32_t)DP_XR_RRTR << 24 | 2);
		put64(w, r->rrtr_ntp);
	}
	if (r->has_dlrr) {
		put32(w, (uint32_t)DP_XR_DLRR << 24 | 3);
		put32(w, r->dlrr.ssrc);
		put32(w, r->dlrr.lrr);
		put32(w, r->dlrr.dlrr);
	}
	if (r->has_voip)
		put_voip(w, &r->voip);
	end(w, packet);
}

static void put_bye(struct pen *w, const struct dp_rtcp_report *r)
{
	uint8_t *packet = begin(w, 1, DP_RTCP_BYE);
	put32(w, r->ssrc);
	end(w, packet);
}

/* RR 32, SR 52; SDES 28; XR 8 + 12 + 16 + 36; BYE 8. */
_Static_assert(52 + 28 + 8 + 12 + 16 + 36 + 8 <= DP_RTCP_BYTES_MAX, "everything at once");

uint32_t dp_rtcp_write(uint8_t at[static DP_RTCP_BYTES_MAX], const struct dp_rtcp_report *r)
{
	struct pen w = {.begin = at, .at = at};
	put_report(&w, r);
	put_sdes(&w, r);
	put_xr(&w, r);
	if (r->bye)
		put_bye(&w, r);
	return (uint32_t)(w.at - w.begin);
}

/* Finalizer of splitmix64. */
static uint64_t mix(uint64_t x)
{
	x += 0x9e3779b97f4a7c15ull;
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
	return x ^ (x >> 31);
}

void dp_rtcp_cname(char cname[static DP_CNAME_LETTERS], uint64_t secret, uint64_t participant)
{
	static const char base64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	uint64_t half = mix(secret ^ mix(participant));
	for (int i = 0; i < DP_CNAME_LETTERS; i++) {
		if (i == DP_CNAME_LETTERS / 2)
			half = mix(half ^ secret);
		cname[i] = base64[half & 63];
		half >>= 6;
	}
}
