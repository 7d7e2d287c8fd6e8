/* For the cases that damage a region, also one on huge pages, which can't be written to but through a
 * mapping:
 *
 *   spoil_region FILE WHAT
 *
 * Does one thing to it; see `spoils`. Nobody else may be at work in it but where the case says so. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "contract/region_layout.h"

static uint32_t seed = 12345;

static void noise(void *at, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		((uint8_t *)at)[i] = (uint8_t)((seed = seed * 1664525 + 1013904223) >> 24);
}

static void *part(struct tg_header *h, enum tg_part which)
{
	return (uint8_t *)h + h->part[which].offset;
}

static void half_made(struct tg_header *h)
{
	atomic_store(&h->magic, 0);
}

static void all_noise(struct tg_header *h)
{
	noise(h, h->total_bytes);
}

static void header_noise(struct tg_header *h)
{
	noise(&h->total_bytes, sizeof(*h) - offsetof(struct tg_header, total_bytes));
}

static void ring(struct tg_header *h)
{
	noise((uint8_t *)h + tg_layout_ring(h, TG_PART_METERS, 0), TG_CACHE_LINE);
}

static void dead_clock(struct tg_header *h)
{
	atomic_store(&h->timebase.ticks_per_s, 0);
}

static void rows(struct tg_header *h)
{
	noise(part(h, TG_PART_DESIRED), h->part[TG_PART_DESIRED].bytes);
	noise(part(h, TG_PART_EGRESS), h->part[TG_PART_EGRESS].bytes);
	noise(part(h, TG_PART_INGRESS), h->part[TG_PART_INGRESS].bytes);
}

/* All but which legs are open: of these, what they are and do is noise. */
static void open_rows(struct tg_header *h)
{
	struct tg_egress *egress = part(h, TG_PART_EGRESS);
	struct tg_ingress *ingress = part(h, TG_PART_INGRESS);
	struct tg_desired *desired = part(h, TG_PART_DESIRED);
	for (uint32_t leg = 0; leg < tg_capacity_legs(&h->capacity); leg++) {
		uint32_t generation = atomic_load(&egress[leg].generation);
		if (!generation)
			continue;
		noise(&egress[leg], sizeof(*egress));
		noise(&ingress[leg], sizeof(*ingress));
		noise(&desired[leg], sizeof(*desired));
		atomic_store(&egress[leg].generation, generation);
		atomic_store(&ingress[leg].generation, generation);
		desired[leg].generation = generation;
	}
}

static void media_table(struct tg_header *h)
{
	noise(part(h, TG_PART_MEDIA), h->part[TG_PART_MEDIA].bytes);
}

/* A final record of a row that there is not. */
static void meter_record(struct tg_header *h)
{
	struct tg_ring meters;
	struct tg_meter_record r = {
		.kind = TG_METER_PART, .final = 1, .leg = tg_capacity_legs(&h->capacity), .generation = 1};
	r.counts.v[0] = 1000000;
	if (tg_ring_attach(
		    &meters, (uint8_t *)h + tg_layout_ring(h, TG_PART_METERS, 0), TG_METER_RING, sizeof(r)) ||
		tg_ring_push(&meters, &r))
		exit(EXIT_FAILURE);
}

static void next_version(struct tg_header *h)
{
	h->layout_version++;
}

static void version_back(struct tg_header *h)
{
	h->layout_version--;
}

static const struct {
	const char *name;
	void (*spoil)(struct tg_header *h);
} spoils[] = {{"half-made", half_made}, {"noise", all_noise}, {"header", header_noise}, {"ring", ring},
	{"clock", dead_clock}, {"rows", rows}, {"open-rows", open_rows}, {"media-table", media_table},
	{"meter-record", meter_record}, {"next-version", next_version}, {"version-back", version_back}};

static struct tg_header *map(const char *path)
{
	struct stat st;
	int fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) || st.st_size < (off_t)sizeof(struct tg_header))
		return NULL;
	void *p = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	return p == MAP_FAILED ? NULL : p;
}

int main(int argc, char **argv)
{
	struct tg_header *h = argc == 3 ? map(argv[1]) : NULL;
	if (!h || atomic_load(&h->magic) != TG_REGION_MAGIC) {
		fprintf(stderr, "usage: spoil_region FILE WHAT, with a region there\n");
		return EXIT_FAILURE;
	}
	for (size_t i = 0; i < sizeof(spoils) / sizeof(*spoils); i++) {
		if (strcmp(spoils[i].name, argv[2]))
			continue;
		spoils[i].spoil(h);
		return EXIT_SUCCESS;
	}
	fprintf(stderr, "spoil_region: nothing is called %s\n", argv[2]);
	return EXIT_FAILURE;
}
