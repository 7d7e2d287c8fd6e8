/* Wall and monotonic time in nanoseconds, and their text form. */
#ifndef TG_BASE_CLOCK_H
#define TG_BASE_CLOCK_H

#include <stdint.h>

#define CLOCK_NS_PER_S  1000000000ull
#define CLOCK_NS_PER_MS 1000000ull
/* "2026-11-22T13:00:00.123Z" and its end. */
#define CLOCK_TEXT_BYTES 25

uint64_t clock_utc_ns(void);
uint64_t clock_mono_ns(void);

/* Writes RFC 3339 UTC with milliseconds (cut, not rounded). */
void clock_format_utc(uint64_t utc_ns, char out[static CLOCK_TEXT_BYTES]);

#endif
