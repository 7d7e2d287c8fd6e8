/* Linear samples to G.711 payload. */
#ifndef TG_CACHE_CODEC_H
#define TG_CACHE_CODEC_H

#include <stddef.h>
#include <stdint.h>

/* codec: enum tg_media_codec. samples: -1 to 1; louder is clipped, not-a-number is silence. */
void cache_encode(uint8_t codec, const float *samples, size_t n, uint8_t *out);
/* The code word of silence. */
uint8_t cache_silence(uint8_t codec);

#endif
