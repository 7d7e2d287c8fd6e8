/* Writes a pcap file with one frame for each leg of the plan, in random order: G.711 of 20 ms, 214 bytes, all
 * checksums right.
 *
 *     write_frames FILE FIRST_LEG LEGS */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/perf/packets/plan.h"

#define PAYLOAD_BYTES 160
#define UDP_BYTES     (8 + 12 + PAYLOAD_BYTES)
#define FRAME_BYTES   (14 + 20 + UDP_BYTES)

static void put16(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static void put32(uint8_t *p, uint32_t v)
{
	put16(p, v >> 16);
	put16(p + 2, v);
}

/* RFC 1071, as it is written there. */
static uint16_t checksum(const uint8_t *p, uint32_t bytes, uint32_t sum)
{
	for (uint32_t i = 0; i < bytes; i += 2)
		sum += (uint32_t)p[i] << 8 | p[i + 1];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static void make_frame(uint8_t *f, uint32_t leg, uint64_t *random)
{
	static const uint8_t link[14] = {2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0};
	uint8_t *ip = f + 14, *udp = ip + 20, *rtp = udp + 8;
	uint32_t to = plan_address_be(leg / (PLAN_PORTS / 2)), from = plan_far_ip_be(leg);
	uint16_t from_port = plan_far_port_be(leg);
	memset(f, 0, FRAME_BYTES);
	memcpy(f, link, sizeof(link));
	ip[0] = 0x45;
	ip[1] = 0xb8;
	put16(ip + 2, 20 + UDP_BYTES);
	put16(ip + 6, 0x4000);
	ip[8] = 64;
	ip[9] = 17;
	memcpy(ip + 12, &from, 4);
	memcpy(ip + 16, &to, 4);
	put16(ip + 10, checksum(ip, 20, 0));
	memcpy(udp, &from_port, 2);
	put16(udp + 2, PLAN_PORT_MIN + 2 * (leg % (PLAN_PORTS / 2)));
	put16(udp + 4, UDP_BYTES);
	rtp[0] = 0x80;
	put16(rtp + 2, (uint16_t)plan_random(random));
	put32(rtp + 4, (uint32_t)plan_random(random));
	put32(rtp + 8, 0x20000000u + leg);
	for (uint32_t i = 0; i < PAYLOAD_BYTES; i++)
		rtp[12 + i] = (uint8_t)(plan_random(random) >> 11);
	uint32_t pseudo = 17 + UDP_BYTES;
	for (uint32_t i = 12; i < 20; i += 2)
		pseudo += (uint32_t)ip[i] << 8 | ip[i + 1];
	put16(udp + 6, checksum(udp, UDP_BYTES, pseudo));
}

int main(int argc, char **argv)
{
	if (argc != 4)
		return 2;
	uint32_t first = (uint32_t)atoi(argv[2]), legs = (uint32_t)atoi(argv[3]);
	uint64_t random = PLAN_SEED;
	uint32_t *order = malloc(legs * sizeof(*order));
	FILE *file = fopen(argv[1], "wbe");
	if (!order || !file)
		return 1;
	for (uint32_t i = 0; i < legs; i++)
		order[i] = first + i;
	for (uint32_t i = legs; i > 1; i--) {
		uint32_t j = (uint32_t)((plan_random(&random) >> 11) % i), leg = order[i - 1];
		order[i - 1] = order[j];
		order[j] = leg;
	}
	/* magic, version 2.4, zone, accuracy, longest frame, Ethernet */
	const uint32_t head[6] = {0xa1b2c3d4, 2 | 4 << 16, 0, 0, 65535, 1};
	fwrite(head, sizeof(head), 1, file);
	for (uint32_t i = 0; i < legs; i++) {
		uint32_t record[4] = {0, i, FRAME_BYTES, FRAME_BYTES};
		uint8_t frame[FRAME_BYTES];
		make_frame(frame, order[i], &random);
		fwrite(record, sizeof(record), 1, file);
		fwrite(frame, sizeof(frame), 1, file);
	}
	free(order);
	return fclose(file) ? 1 : 0;
}
