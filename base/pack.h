/* Values as bytes in memory, and back: numbers of seven bits a byte, texts with their length before them.
 *
 * Nothing is checked call by call: a pack that ran out of memory and an unpack that met something else than
 * what it was asked for say so at the end, and give zeros and empty texts meanwhile. */
#ifndef TG_BASE_PACK_H
#define TG_BASE_PACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pack {
	uint8_t *data; /* the caller's to free */
	size_t len, room;
	bool failed; /* memory was out */
};

void pack_number(struct pack *p, uint64_t number);
/* NULL with len 0 is an empty text. */
void pack_text(struct pack *p, const void *text, size_t len);

struct unpack {
	const uint8_t *at, *end;
	bool failed; /* something isn't what was asked for */
};

uint64_t unpack_number(struct unpack *u);
/* Fails above max. */
uint64_t unpack_number_to(struct unpack *u, uint64_t max);
/* Borrowed from what is unpacked, and ended by a NUL that is not counted; may hold others. */
const char *unpack_text(struct unpack *u, size_t *len);
/* How many things follow, each of at least one byte: fails where that many bytes aren't left, so that memory
 * for them may be taken. */
size_t unpack_count(struct unpack *u);

#endif
