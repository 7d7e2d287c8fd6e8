#include <math.h>
#include <spandsp.h>

#include "cache/codec.h"
#include "contract/media.h"
#include "tests/unit/cache/run_suite.h"

static int decode(uint8_t codec, uint8_t code)
{
	return codec == TG_CODEC_PCMA ? alaw_to_linear(code) : ulaw_to_linear(code);
}

/* Every code word comes back as itself, and every sample is within half a step of its code word. */
START_TEST(companding)
{
	static const uint8_t codecs[] = {TG_CODEC_PCMU, TG_CODEC_PCMA};
	for (int c = 0; c < 2; c++) {
		for (int s = -32768; s < 32768; s++) {
			float f = (float)s / 32768.0f;
			uint8_t code;
			cache_encode(codecs[c], &f, 1, &code);
			int off = abs(decode(codecs[c], code) - s);
			int limit = abs(s) / 16 + 20; /* 4 bits of mantissa; the loudest are clipped */
			ck_assert_msg(off <= limit, "codec %d sample %d is off by %d", codecs[c], s, off);
		}
		for (int code = 0; code < 256; code++) {
			float f = (float)decode(codecs[c], (uint8_t)code) / 32768.0f;
			uint8_t again;
			cache_encode(codecs[c], &f, 1, &again);
			ck_assert_int_eq(decode(codecs[c], again), decode(codecs[c], (uint8_t)code));
		}
	}
}
END_TEST

START_TEST(loud_and_odd_samples)
{
	const float in[] = {1.0f, 1.5f, 1e30f, INFINITY, -1.0f, -1.5f, -1e30f, -INFINITY, NAN, 0.0f, -0.0f};
	uint8_t out[11];
	cache_encode(TG_CODEC_PCMU, in, 11, out);
	for (int i = 0; i < 4; i++)
		ck_assert_int_gt(ulaw_to_linear(out[i]), 32000);
	for (int i = 4; i < 8; i++)
		ck_assert_int_lt(ulaw_to_linear(out[i]), -32000);
	for (int i = 8; i < 11; i++)
		ck_assert_uint_eq(out[i], cache_silence(TG_CODEC_PCMU));
	cache_encode(TG_CODEC_PCMA, in, 11, out);
	ck_assert_int_gt(alaw_to_linear(out[3]), 32000);
	ck_assert_uint_eq(out[8], cache_silence(TG_CODEC_PCMA));
	ck_assert_int_eq(ulaw_to_linear(cache_silence(TG_CODEC_PCMU)), 0);
	ck_assert_int_le(abs(alaw_to_linear(cache_silence(TG_CODEC_PCMA))), 8);
}
END_TEST

int main(void)
{
	return run_suite("codec", (const TTest *const[]){companding, loud_and_odd_samples, NULL});
}
