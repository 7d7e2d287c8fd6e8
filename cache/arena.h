/* Who has which bytes of the media arena: first fit over blocks of 4 KiB, neighbours joined when freed.
 *
 * Knows offsets only, touches no memory of the arena, and keeps its books outside the region: they are
 * rebuilt from the media table at start. */
#ifndef TG_CACHE_ARENA_H
#define TG_CACHE_ARENA_H

#include <stdint.h>

#define CACHE_BLOCK_BYTES 4096ull

struct cache_arena;

/* bytes: of the arena; what is over a multiple of a block is not used. ranges: the most that the caller ever
 * has taken at a time (entries of the media table). Returns 0 or -ENOMEM. */
int cache_arena_open(struct cache_arena **arena, uint64_t bytes, uint32_t ranges);
void cache_arena_close(struct cache_arena *arena);

/* Both round bytes (at least 1) up to blocks. alloc: 0 and the offset; -ENOSPC when no hole is large enough.
 * claim: takes exactly this range (offset a multiple of a block), as an item found at start has it;
 * -EINVAL when it is not free or not in the arena. */
int cache_arena_alloc(struct cache_arena *arena, uint64_t bytes, uint64_t *offset);
int cache_arena_claim(struct cache_arena *arena, uint64_t offset, uint64_t bytes);
/* Gives back a range that was taken, or its tail (offset a multiple of a block). Never fails. */
void cache_arena_free(struct cache_arena *arena, uint64_t offset, uint64_t bytes);

uint64_t cache_arena_round(uint64_t bytes);
uint64_t cache_arena_bytes(const struct cache_arena *arena);
uint64_t cache_arena_bytes_free(const struct cache_arena *arena);
uint64_t cache_arena_largest(const struct cache_arena *arena);

#endif
