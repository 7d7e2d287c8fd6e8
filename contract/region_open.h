/* Where the region lies: the one rule that both planes and the command line use, so that they always meet.
 *
 * The settings' directory is used if it is a hugetlbfs mount with pages reserved, or a tmpfs that was named
 * on purpose. Anything else (no mount, a mount without pages, a disk) means /dev/shm. */
#ifndef TG_CONTRACT_REGION_OPEN_H
#define TG_CONTRACT_REGION_OPEN_H

#include "contract/region.h"

#define TG_REGION_FALLBACK_DIR "/dev/shm"

/* The directory to use: dir itself or TG_REGION_FALLBACK_DIR. A region of that name that is there already in
 * one of the two decides before anything else, so that reserving pages between two starts parts nobody. */
const char *tg_region_place(const char *dir, const char *name);

/* tg_region_open() in that place. tg_region_on_huge_pages() tells whether a warning is due. */
int tg_region_open_or_fallback(struct tg_region **region, const char *dir, const char *name,
	const struct tg_capacity *cap, enum tg_role role, char *why, size_t why_bytes);

#endif
