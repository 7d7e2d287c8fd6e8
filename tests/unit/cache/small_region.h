/* A small region in a folder of its own under /dev/shm, made before and removed after each test. */
#ifndef TG_TESTS_CACHE_SMALL_REGION_H
#define TG_TESTS_CACHE_SMALL_REGION_H

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "contract/region.h"

#define SMALL_ITEMS  6u
#define SMALL_BLOCKS 8u

struct small_region {
	char dir[40];
	struct tg_region *region;
};

static inline struct tg_region *small_region_open(struct small_region *s)
{
	struct tg_capacity cap = {.workers = 2,
		.addresses = 1,
		.port_min = 20000,
		.ports = 8,
		.media_items = SMALL_ITEMS,
		.arena_bytes = SMALL_BLOCKS * 4096,
		.address = {{.b = {127, 0, 0, 1}, .family = TG_FAMILY_IPV4}}};
	char why[400];
	snprintf(s->dir, sizeof(s->dir), "/dev/shm/small_region.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(s->dir));
	ck_assert_msg(
		!tg_region_open(&s->region, s->dir, "r", &cap, TG_ROLE_CONTROL, why, sizeof(why)), "%s", why);
	return s->region;
}

static inline void small_region_close(struct small_region *s)
{
	char path[64];
	tg_region_close(s->region);
	snprintf(path, sizeof(path), "%s/r", s->dir);
	unlink(path);
	snprintf(path, sizeof(path), "%s/r.keys", s->dir);
	unlink(path);
	rmdir(s->dir);
}

#endif
