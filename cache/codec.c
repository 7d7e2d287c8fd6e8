#include "cache/codec.h"

#include <math.h>
#include <spandsp.h>

#include "contract/media.h"

static int to_s16(float sample)
{
	if (isnan(sample))
		return 0;
	float scaled = sample * 32768.0f;
	if (scaled >= 32767.0f)
		return 32767;
	if (scaled <= -32768.0f)
		return -32768;
	return (int)lrintf(scaled);
}

void cache_encode(uint8_t codec, const float *samples, size_t n, uint8_t *out)
{
	if (codec == TG_CODEC_PCMA)
		for (size_t i = 0; i < n; i++)
			out[i] = linear_to_alaw(to_s16(samples[i]));
	else
		for (size_t i = 0; i < n; i++)
			out[i] = linear_to_ulaw(to_s16(samples[i]));
}

uint8_t cache_silence(uint8_t codec)
{
	return codec == TG_CODEC_PCMA ? 0xd5 : 0xff;
}
