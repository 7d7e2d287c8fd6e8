/* Big-endian fields at any alignment. */
#ifndef TG_DATAPLANE_WIRE_H
#define TG_DATAPLANE_WIRE_H

#include <endian.h>
#include <stdint.h>
#include <string.h>

static inline uint16_t dp_get16(const uint8_t *p)
{
	uint16_t v;
	memcpy(&v, p, sizeof(v));
	return be16toh(v);
}

static inline uint32_t dp_get32(const uint8_t *p)
{
	uint32_t v;
	memcpy(&v, p, sizeof(v));
	return be32toh(v);
}

static inline uint16_t dp_get16_be(const uint8_t *p)
{
	uint16_t v;
	memcpy(&v, p, sizeof(v));
	return v;
}

static inline uint32_t dp_get32_be(const uint8_t *p)
{
	uint32_t v;
	memcpy(&v, p, sizeof(v));
	return v;
}

static inline void dp_put16(uint8_t *p, uint16_t v)
{
	v = htobe16(v);
	memcpy(p, &v, sizeof(v));
}

static inline void dp_put32(uint8_t *p, uint32_t v)
{
	v = htobe32(v);
	memcpy(p, &v, sizeof(v));
}

static inline void dp_put16_be(uint8_t *p, uint16_t v)
{
	memcpy(p, &v, sizeof(v));
}

static inline void dp_put32_be(uint8_t *p, uint32_t v)
{
	memcpy(p, &v, sizeof(v));
}

#endif
