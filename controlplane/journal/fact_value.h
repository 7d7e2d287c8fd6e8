/* Values in the payload of a fact: read with a check, made from text that may be anything.
 *
 * A reader of the journal believes nothing: a missing member, one of another type and one out of range are
 * all "not there". */
#ifndef TG_JOURNAL_FACT_VALUE_H
#define TG_JOURNAL_FACT_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#define FACT_REGION_BYTES 17 /* 16 hex digits and the end */

/* True and *value when the member is there and fits. */
bool fact_u64(const json_t *payload, const char *key, uint64_t *value);
bool fact_u32(const json_t *payload, const char *key, uint32_t *value);
/* Of FACT_session_open: "clock_step_ms" in ns; 0 when it isn't there, or more than a century. */
int64_t fact_clock_step_ns(const json_t *payload);
/* A region's id: 16 hex digits, or the same 64 bits as a (then perhaps negative) integer. */
bool fact_region(const json_t *payload, const char *key, uint64_t *region);
/* The text of a member, or NULL. Borrowed from the payload; may hold NUL bytes, *len (may be NULL) counts
 * them. */
const char *fact_text(const json_t *payload, const char *key, size_t *len);
/* False when it isn't there. */
bool fact_true(const json_t *payload, const char *key);

/* Bytes of the UTF-8 character (RFC 3629: no overlong forms, no surrogates) that text of at least one byte
 * begins with, 0 if it is none. */
size_t fact_character(const char *text, size_t left);
/* A JSON string of text that came from outside: each byte that isn't UTF-8 becomes U+FFFD, so that a peer
 * can't make a fact impossible to write down. NULL only when memory is out. */
json_t *fact_string(const char *text, size_t len);
json_t *fact_string_of_region(uint64_t region);

#endif
