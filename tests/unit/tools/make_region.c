/* make_region DIR NAME calls|garbage: leaves a region behind, as planes that have ended would, for the tests
 * of the command line. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "contract/region.h"

#define PORTS 40

static void copy(char *to, size_t bytes, const char *from)
{
	memset(to, 0, bytes);
	memcpy(to, from, strlen(from) < bytes ? strlen(from) : bytes);
}

static void make_leg(struct tg_region *r, uint32_t row, int session, const char *from, const char *to)
{
	struct tg_desired *d = tg_region_desired(r, row);
	tg_desired_write_begin(d);
	d->generation = 3;
	memset(d->session, 0x10 + session, sizeof(d->session));
	memset(d->call, 0x40 + (int)row, sizeof(d->call));
	copy(d->module, sizeof(d->module), "front-desk");
	copy(d->from, sizeof(d->from), from);
	copy(d->to, sizeof(d->to), to);
	d->program.remote = tg_addr_ipv4(htonl(0xc612000a + row));
	d->program.remote_port_be = htons(4000);
	d->program.rx = d->program.tx = (struct tg_payload_types){.audio = 8, .event = 101};
	d->stint = 1;
	d->since_ns = clock_utc_ns() - 75 * CLOCK_NS_PER_S;
	d->outbound = row & 1;
	tg_desired_write_end(d);
}

/* A session of two legs that relay to each other, and one whose leg hears a prompt and has a hostile name. */
static void make_calls(struct tg_region *r)
{
	struct tg_media_item *item = tg_region_media(r, 1);
	make_leg(r, 0, 1, "+15550100", "+15550199");
	make_leg(r, 1, 1, "+15550100", "+15550102");
	make_leg(r, 4, 2, "\x1b[2Jx\xff\n", "12345678901234567890 not ended");
	make_leg(r, 6, 3, "+1", "+2");
	for (uint32_t row = 0; row < 5; row++) {
		struct tg_ingress *in = tg_region_ingress(r, row);
		struct tg_egress *out = tg_region_egress(r, row);
		in->generation = out->generation = tg_region_desired(r, row)->generation;
		in->clock_khz = 8;
		in->jitter_q4 = 16 * 8;
		struct tg_quality *q = tg_region_quality(r, row);
		q->generation = tg_region_desired(r, row)->generation;
		if (row == 1)
			q->figures = (struct tg_quality_figures){.round_trip_us = 51000,
				.round_trip_average_us = 49000,
				.far_lost = 7,
				.far_jitter_us = 1500,
				.mos_from_x100 = 441,
				.mos_to_x100 = 399,
				.known = TG_QUALITY_TRIP | TG_QUALITY_REPORTED | TG_QUALITY_FROM |
					 TG_QUALITY_TO};
		tg_counter_set(&in->rx_packets, 100 + row);
		tg_counter_set(&in->forwarded_packets, 90 + row);
		tg_counter_set(&out->relayed_packets, 1000);
		tg_counter_set(&out->played_packets, 10);
		out->source = row < 2 ? TG_SOURCE_RELAY : TG_SOURCE_PLAY;
		out->feeder = row < 2 ? 1 - row : TG_NONE;
		tg_region_desired(r, row)->source.kind = out->source;
	}
	item->generation = 1;
	item->state = TG_MEDIA_READY;
	item->frames_ready = 151;
	item->frame_ms = 20;
	item->codec = TG_CODEC_PCMA;
	item->bytes = 151 * 160;
	item->version = 2;
	item->hits = 5;
	memset(item->digest, 0xab, sizeof(item->digest));
	struct tg_worker_stats *s = tg_region_stats(r, 1);
	tg_counter_set(&s->rx_frames, 12345);
	tg_counter_set(&s->drops[TG_DROP_wrong_source], 6);
	tg_counter_set(&s->total[TG_METER_rx_packets], 205);
	tg_region_beat(r, TG_ROLE_CONTROL, 1790000000ull * CLOCK_NS_PER_S);
}

/* Everything but the header and the rings. */
static void make_garbage(struct tg_region *r, const struct tg_capacity *cap)
{
	uint32_t x = 1;
	uint8_t *from = (uint8_t *)tg_region_desired(r, 0), *to = tg_region_arena(r) + cap->arena_bytes;
	for (; from < to; from++)
		*from = (uint8_t)((x = x * 1664525 + 1013904223) >> 24);
	for (uint32_t row = 0; row < tg_region_legs(r); row++) {
		tg_region_desired(r, row)->version = row == 3; /* one is being written for ever */
		if (row % 2)
			tg_region_egress(r, row)->generation = tg_region_desired(r, row)->generation;
	}
	for (uint32_t w = 0; w < cap->workers; w++)
		memset((void *)tg_region_stats(r, w), 0xff, sizeof(struct tg_worker_stats));
	tg_region_beat(r, TG_ROLE_CONTROL, UINT64_MAX - 5);
	tg_region_beat(r, TG_ROLE_DATAPLANE, 1);
}

int main(int argc, char **argv)
{
	char why[512] = "";
	struct tg_region *r;
	struct tg_capacity cap = {.workers = 2,
		.addresses = 1,
		.port_min = 20000,
		.ports = PORTS,
		.media_items = 4,
		.arena_bytes = 1 << 20,
		.address = {{.b = {198, 18, 0, 1}, .family = TG_FAMILY_IPV4}}};
	if (argc != 4)
		return EXIT_FAILURE;
	if (tg_region_open(&r, argv[1], argv[2], &cap, TG_ROLE_CONTROL, why, sizeof(why))) {
		fprintf(stderr, "%s\n", why);
		return EXIT_FAILURE;
	}
	if (!strcmp(argv[3], "garbage"))
		make_garbage(r, &cap);
	else
		make_calls(r);
	tg_region_close(r);
	return EXIT_SUCCESS;
}
