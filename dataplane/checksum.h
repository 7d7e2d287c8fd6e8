/* Internet checksums (RFC 1071): sums of 16-bit words in memory order, whose fold is in memory order too. */
#ifndef TG_DATAPLANE_CHECKSUM_H
#define TG_DATAPLANE_CHECKSUM_H

#include <stdint.h>
#include <string.h>

/* What is written as the UDP checksum of a relayed packet. */
enum dp_checksum {
	DP_CHECKSUM_FULL,  /* computed over all of it */
	DP_CHECKSUM_CARRY, /* the one it came with, changed by what was changed: a damaged packet stays
			      damaged */
	DP_CHECKSUM_ZERO,  /* none: RFC 768 */
};

/* Any sum of 32-bit words, folded to 16 bits; 0 only for a sum of 0. */
static inline uint16_t dp_fold(uint64_t sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

/* The UDP checksum for a sum: never 0, which would say "none" (RFC 768). */
static inline uint16_t dp_checksum_of(uint64_t sum)
{
	uint16_t c = (uint16_t)~dp_fold(sum);
	return c ? c : 0xffff;
}

/* The UDP checksum when words with the sum `gone` are replaced by others with the sum `come` (RFC 1624,
 * equation 3; both sums of at most 16 words of 32 bits). */
static inline uint16_t dp_checksum_carry(uint16_t was, uint64_t come, uint64_t gone)
{
	gone = (gone & 0xffff) + (gone >> 16 & 0xffff) + (gone >> 32);
	return dp_checksum_of((uint16_t)~was + come + (3 * 0xffff - gone));
}

/* Sum of 32-bit words, not folded; up to 64 KiB. */
static inline uint64_t dp_sum_long(const uint8_t *at, uint32_t bytes)
{
	uint64_t sum = 0, rest = 0, word;
	uint32_t i = 0;
	for (; i + 8 <= bytes; i += 8) {
		memcpy(&word, at + i, 8);
		sum += (word & 0xffffffff) + (word >> 32);
	}
	memcpy(&rest, at + i, bytes - i);
	return sum + (rest & 0xffffffff) + (rest >> 32);
}

#endif
