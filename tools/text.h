/* Values as text for a terminal. Pure. */
#ifndef TG_TOOLS_TEXT_H
#define TG_TOOLS_TEXT_H

#include <stddef.h>
#include <stdint.h>

/* Text from outside, at most len bytes or up to a NUL: printable ASCII stays, a backslash is doubled,
 * everything else becomes \xHH, so that nothing in it moves a cursor. Cut to bytes - 1. Returns out. */
const char *text_show(const char *text, size_t len, char *out, size_t bytes);
/* "12:34", "1:02:03", "3d 01:02:03". */
const char *text_seconds(uint64_t seconds, char *out, size_t bytes);
/* "512 B", "1.5 KiB", "64.0 MiB". */
const char *text_bytes(uint64_t n, char *out, size_t bytes);
/* Lower-case hex digits of n bytes. out: 2 n + 1. */
const char *text_hex(const uint8_t *data, size_t n, char *out);

#endif
