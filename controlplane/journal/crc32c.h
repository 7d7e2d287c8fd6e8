/* CRC-32C (Castagnoli), as in RFC 3720 appendix B.4. */
#ifndef TG_JOURNAL_CRC32C_H
#define TG_JOURNAL_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* crc: 0 to begin with, or the result over the bytes before. */
uint32_t journal_crc32c(uint32_t crc, const void *data, size_t len);
/* The same where the processor has no instruction for it. */
uint32_t journal_crc32c_by_table(uint32_t crc, const void *data, size_t len);

#endif
