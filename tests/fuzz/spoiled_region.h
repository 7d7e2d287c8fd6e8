/* For harnesses: a small region in a directory of its own, good or spoiled as the input says. */
#ifndef TG_FUZZ_SPOILED_REGION_H
#define TG_FUZZ_SPOILED_REGION_H

#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "contract/region_layout.h"

#define LEGS  16
#define KINDS 5
#define HOW   4 /* bytes: kind, part or nothing, offset / 64 */

static char dir[] = "/dev/shm/tollgate-fuzz-XXXXXX", why[1024];
static uint8_t *good; /* a region, fresh */
static size_t good_bytes;

static const struct tg_capacity cap = {.workers = 2,
	.addresses = 2,
	.ipv6_addresses = 1,
	.port_min = 20000,
	.ports = LEGS,
	.media_items = 4,
	.arena_bytes = 65536,
	.address = {{.b = {198, 18, 0, 2}, .family = TG_FAMILY_IPV4},
		{.b = {0x20, 0x01, 0x0d, 0xb8, [15] = 2}, .family = TG_FAMILY_IPV6}}};

static int open_as(struct tg_region **region, enum tg_role role)
{
	return tg_region_open(region, dir, "region", &cap, role, why, sizeof(why));
}

static char *path_of(const char *name, char path[static 64])
{
	snprintf(path, 64, "%s/%s", dir, name);
	return path;
}

static void remove_files(void)
{
	char path[64];
	unlink(path_of("region", path));
	unlink(path_of("region.damaged", path));
}

static void remove_all(void)
{
	remove_files();
	rmdir(dir);
	free(good);
}

static void make_good(void)
{
	struct tg_region *region;
	char path[64];
	if (good)
		return;
	if (!mkdtemp(dir) || open_as(&region, TG_ROLE_CONTROL))
		abort();
	atexit(remove_all);
	tg_region_close(region);
	int fd = open(path_of("region", path), O_RDONLY);
	off_t n = lseek(fd, 0, SEEK_END);
	good = malloc((size_t)n);
	if (!good || pread(fd, good, (size_t)n, 0) != n)
		abort();
	good_bytes = (size_t)n;
	close(fd);
	unlink(path);
}

/* Noise over the whole of a part, again and again: a little of it is enough to fill every row. */
static void spoil_part(int fd, enum tg_part part, const uint8_t *data, size_t size)
{
	const struct tg_part_span *span = &((const struct tg_header *)good)->part[part];
	for (uint64_t at = 0; size && at < span->bytes; at += size)
		if (pwrite(fd, data, size < span->bytes - at ? size : span->bytes - at,
			    (off_t)(span->offset + at)) < 0)
			abort();
}

/* Rows of open legs, as far as their generations say; the rest of them, and the media table, is noise. */
static void spoil_rows(int fd, const uint8_t *data, size_t size)
{
	static const struct {
		enum tg_part part;
		size_t row, generation;
	} kind[] = {{TG_PART_INGRESS, sizeof(struct tg_ingress), offsetof(struct tg_ingress, generation)},
		{TG_PART_EGRESS, sizeof(struct tg_egress), offsetof(struct tg_egress, generation)},
		{TG_PART_DESIRED, sizeof(struct tg_desired), offsetof(struct tg_desired, generation)}};
	spoil_part(fd, TG_PART_MEDIA, data, size);
	for (size_t k = 0; k < sizeof(kind) / sizeof(*kind); k++) {
		const struct tg_part_span *span = &((const struct tg_header *)good)->part[kind[k].part];
		spoil_part(fd, kind[k].part, data, size);
		for (uint32_t leg = 0; leg < LEGS; leg++) {
			uint32_t generation = leg % 4;
			off_t at = (off_t)(span->offset + leg * kind[k].row + kind[k].generation);
			if (pwrite(fd, &generation, sizeof(generation), at) != sizeof(generation))
				abort();
		}
	}
}

static void write_region(const uint8_t *how, const uint8_t *data, size_t size)
{
	char path[64];
	off_t at = (off_t)(how[2] | how[3] << 8) * TG_CACHE_LINE;
	int fd = open(path_of("region", path), O_RDWR | O_CREAT | O_TRUNC, 0600);
	if (fd < 0)
		abort();
	bool noise = how[0] % KINDS == 0;
	if (!noise && pwrite(fd, good, good_bytes, 0) != (ssize_t)good_bytes)
		abort();
	if (how[0] % KINDS == 1)
		spoil_part(fd, how[1] % TG_PARTS, data, size);
	else if (how[0] % KINDS == 4)
		spoil_rows(fd, data, size);
	else if (pwrite(fd, data, size, noise ? 0 : at % (off_t)good_bytes) < 0)
		abort();
	if (how[0] % KINDS == 3 && ftruncate(fd, at))
		abort();
	close(fd);
}

#endif
