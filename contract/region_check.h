/* Whether what lies in a file is a region: nothing of it is believed before. Pure but for reading the clock.
 */
#ifndef TG_CONTRACT_REGION_CHECK_H
#define TG_CONTRACT_REGION_CHECK_H

#include <stddef.h>
#include <stdint.h>

#include "contract/region_layout.h"

/* 0, or -EINVAL with a sentence. */
int tg_check_capacity(const struct tg_capacity *cap, char *why, size_t why_bytes);

/* A header with the right magic in a file of so many bytes. wanted: what this program asks for; NULL: a
 * reader, which takes every capacity that fits. -EPROTO: a region, but another program's or of other
 * settings; why is a sentence for the operator, both values and what to do in it. -EUCLEAN: no region; why is
 * a phrase that says what is wrong. */
int tg_check_header(const struct tg_header *found, uint64_t bytes, const struct tg_header *wanted, char *why,
	size_t why_bytes);

/* The rings and the clock of a region whose header is fine. 0, or -EUCLEAN with such a phrase. */
int tg_check_rings(uint8_t *base, char *why, size_t why_bytes);
int tg_check_clock(const struct tg_timebase *timebase, char *why, size_t why_bytes);

#endif
