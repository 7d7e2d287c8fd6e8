/* A sound in memory as libsndfile reads it, mixed down to one channel. */
#ifndef TG_CACHE_SOUND_H
#define TG_CACHE_SOUND_H

#include <stddef.h>
#include <stdint.h>

#include "cache/decode.h"

struct cache_sound;

/* Returns 0, or -EINVAL with the failure. The data must stay until the close. */
int cache_sound_open(
	struct cache_sound **sound, const struct cache_decode *in, struct cache_failure *failure);
void cache_sound_close(struct cache_sound *sound);

unsigned cache_sound_rate(const struct cache_sound *sound);
/* Samples per channel if the format says so reliably, else 0. */
uint64_t cache_sound_samples(const struct cache_sound *sound);
/* Reads up to n mixed samples. Returns how many; 0 at the end, also where the data is damaged from here on.
 */
size_t cache_sound_read(struct cache_sound *sound, float *out, size_t n);

#endif
