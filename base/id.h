/* Identifiers: 128 random bits, shown as a two-letter kind and 32 hex digits ("CA0123...", as CallSid is). */
#ifndef TG_BASE_ID_H
#define TG_BASE_ID_H

#include <stdbool.h>
#include <stdint.h>

#define ID_BYTES      16
#define ID_TEXT_BYTES 35 /* two letters, 32 digits, end */

#define ID_KIND_CALL    "CA"
#define ID_KIND_SESSION "SE"

struct id {
	uint8_t b[ID_BYTES];
};

/* Fills from the kernel's random source. Returns 0 or -errno. */
int id_new(struct id *id);
void id_format(const struct id *id, const char kind[static 2], char out[static ID_TEXT_BYTES]);
/* Accepts exactly kind and 32 hex digits. Returns 0 or -EINVAL; *id is set only on success. */
int id_parse(const char *text, const char kind[static 2], struct id *id);
bool id_equal(const struct id *a, const struct id *b);

#endif
