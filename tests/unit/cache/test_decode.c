#include <errno.h>
#include <math.h>
#include <spandsp.h>
#include <string.h>

#include "cache/codec.h"
#include "cache/decode.h"
#include "cache/request.h"
#include "contract/media.h"
#include "tests/unit/cache/run_suite.h"

#define BODY_MAX (4u << 20)

static uint8_t body[BODY_MAX];
static size_t body_bytes;

static void le(size_t at, unsigned n, uint32_t v)
{
	for (unsigned i = 0; i < n; i++)
		body[at + i] = (uint8_t)(v >> 8 * i);
}

/* A 16-bit PCM WAV of a 400 Hz tone; the second channel, if any, is the first upside down or the same. */
static void make_wav(unsigned rate, unsigned channels, unsigned samples, int mirrored)
{
	uint32_t data = samples * channels * 2;
	memset(body, 0, 44);
	memcpy(body, "RIFF", 4);
	le(4, 4, 36 + data);
	memcpy(body + 8, "WAVEfmt ", 8);
	le(16, 4, 16);
	le(20, 2, 1);
	le(22, 2, channels);
	le(24, 4, rate);
	le(28, 4, rate * channels * 2);
	le(32, 2, channels * 2);
	le(34, 2, 16);
	memcpy(body + 36, "data", 4);
	le(40, 4, data);
	for (unsigned i = 0; i < samples; i++)
		for (unsigned c = 0; c < channels; c++) {
			double v = 10000 * sin(2 * M_PI * 400 * i / rate) * (c && mirrored ? -1 : 1);
			le(44 + (i * channels + c) * 2, 2, (uint16_t)(int16_t)lrint(v));
		}
	body_bytes = 44 + data;
}

struct collected {
	uint32_t announced, frames;
	unsigned begins, stop_after;
	uint8_t data[1 << 20];
};
static struct collected got;

static int on_begin(void *arg, uint32_t frames)
{
	got.begins++;
	got.announced = frames;
	return 0;
}

static int on_frames(void *arg, const uint8_t *payload, uint32_t n)
{
	ck_assert_uint_ge(n, 1);
	ck_assert_uint_le(n, CACHE_DECODE_FRAMES);
	if (got.stop_after && got.frames + n >= got.stop_after)
		return -ECANCELED;
	memcpy(got.data + got.frames * CACHE_FRAME_BYTES, payload, n * CACHE_FRAME_BYTES);
	got.frames += n;
	return 0;
}

static int decode(struct cache_body_type type, uint8_t codec, uint32_t seconds, struct cache_failure *f)
{
	struct cache_decode in = {body, body_bytes, type, codec, seconds};
	struct cache_decode_sink sink = {on_begin, on_frames, NULL};
	uint32_t frames = 0, stop = got.stop_after;
	memset(&got, 0, sizeof(got));
	got.stop_after = stop;
	*f = (struct cache_failure){0};
	int e = cache_decode(&in, &sink, &frames, f);
	if (!e) {
		ck_assert_uint_eq(frames, got.frames);
		ck_assert_uint_eq(got.begins, 1);
		if (got.announced)
			ck_assert_uint_eq(got.announced, got.frames);
	}
	return e;
}

static const struct cache_body_type unknown = {CACHE_HINT_NONE, 8000, 1};

/* How loud 400 Hz is in the result, against all that is in it. */
static double tone_share(double *rms)
{
	double re = 0, im = 0, all = 0;
	uint32_t n = (got.frames - 1) * CACHE_FRAME_BYTES / 20 * 20;
	for (uint32_t i = 0; i < n; i++) {
		double v = ulaw_to_linear(got.data[i]);
		re += v * cos(2 * M_PI * 400 * i / 8000);
		im += v * sin(2 * M_PI * 400 * i / 8000);
		all += v * v;
	}
	*rms = sqrt(all / n);
	return all ? 2 * (re * re + im * im) / n / all : 0;
}

START_TEST(every_rate_sounds_the_same)
{
	static const unsigned rates[] = {8000, 11025, 16000, 22050, 44100, 48000, 96000, 4000};
	struct cache_failure f;
	double rms;
	for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
		make_wav(rates[i], 1, rates[i], 0);
		ck_assert_int_eq(decode(unknown, TG_CODEC_PCMU, 10, &f), 0);
		ck_assert_uint_eq(got.frames, 50);
		ck_assert_uint_eq(got.announced, 50);
		ck_assert_double_gt(tone_share(&rms), 0.99);
		ck_assert_double_eq_tol(rms, 10000 / sqrt(2), 200);
	}
}
END_TEST

START_TEST(channels_are_mixed)
{
	struct cache_failure f;
	double rms;
	make_wav(8000, 2, 8000, 0);
	ck_assert_int_eq(decode(unknown, TG_CODEC_PCMU, 10, &f), 0);
	tone_share(&rms);
	ck_assert_double_eq_tol(rms, 10000 / sqrt(2), 200);
	make_wav(8000, 2, 8000, 1);
	ck_assert_int_eq(decode(unknown, TG_CODEC_PCMU, 10, &f), 0);
	tone_share(&rms);
	ck_assert_double_lt(rms, 10);
	make_wav(8000, 17, 8000, 0);
	ck_assert_int_eq(decode(unknown, TG_CODEC_PCMU, 10, &f), -EINVAL);
	ck_assert_int_eq(f.error, CACHE_ERROR_DECODE);
}
END_TEST

START_TEST(the_last_frame_ends_in_silence)
{
	struct cache_failure f;
	make_wav(8000, 1, 161, 0);
	ck_assert_int_eq(decode(unknown, TG_CODEC_PCMA, 10, &f), 0);
	ck_assert_uint_eq(got.frames, 2);
	for (int i = 161; i < 320; i++)
		ck_assert_uint_eq(got.data[i], cache_silence(TG_CODEC_PCMA));
}
END_TEST

START_TEST(raw_bodies)
{
	struct cache_failure f;
	static const struct cache_body_type ulaw = {CACHE_HINT_ULAW, 8000, 1};
	for (size_t i = 0; i < 480; i++)
		body[i] = (uint8_t)(i % 255); /* 0x7f, the other zero, comes back as 0xff */
	body_bytes = 480;
	ck_assert_int_eq(decode(ulaw, TG_CODEC_PCMU, 10, &f), 0);
	for (size_t i = 0; i < 480; i++)
		ck_assert_uint_eq(got.data[i], body[i] == 0x7f ? 0xff : body[i]);
	ck_assert_int_eq(decode(unknown, TG_CODEC_PCMU, 10, &f), -EINVAL);
	ck_assert_int_eq(f.error, CACHE_ERROR_NOT_AUDIO);
	/* A container is believed more than its type. */
	make_wav(16000, 1, 16000, 0);
	ck_assert_int_eq(decode(ulaw, TG_CODEC_PCMU, 10, &f), 0);
	ck_assert_uint_eq(got.frames, 50);
}
END_TEST

START_TEST(text_is_not_a_sound)
{
	static const struct cache_body_type ulaw = {CACHE_HINT_ULAW, 8000, 1};
	static const char *const texts[] = {
		"<!DOCTYPE html><html>", " \r\n<HTML><body>", "<?xml version=\"1.0\"?>", "{\"error\": 1}"};
	struct cache_failure f;
	for (size_t i = 0; i < 4; i++) {
		memset(body, ' ', 1000);
		memcpy(body, texts[i], strlen(texts[i]));
		body_bytes = 1000;
		ck_assert_int_eq(decode(ulaw, TG_CODEC_PCMU, 10, &f), -EINVAL);
		ck_assert_int_eq(f.error, CACHE_ERROR_NOT_AUDIO);
	}
}
END_TEST

START_TEST(limits)
{
	struct cache_failure f;
	make_wav(8000, 1, 80000, 0);
	ck_assert_int_eq(decode(unknown, TG_CODEC_PCMU, 10, &f), 0);
	ck_assert_int_eq(decode(unknown, TG_CODEC_PCMU, 9, &f), -EINVAL);
	ck_assert_int_eq(f.error, CACHE_ERROR_TOO_LARGE);
	ck_assert_uint_eq(got.begins, 0);
	make_wav(8000, 1, 0, 0);
	ck_assert_int_eq(decode(unknown, TG_CODEC_PCMU, 9, &f), -EINVAL);
	make_wav(500, 1, 500, 0);
	ck_assert_int_eq(decode(unknown, TG_CODEC_PCMU, 9, &f), -EINVAL);
	ck_assert_int_eq(f.error, CACHE_ERROR_DECODE);
}
END_TEST

START_TEST(a_header_that_lies)
{
	struct cache_failure f;
	make_wav(8000, 1, 8000, 0);
	le(40, 4, 0x7ffffff0); /* says hours, has a second */
	ck_assert_int_eq(decode(unknown, TG_CODEC_PCMU, 10, &f), 0);
	ck_assert_uint_eq(got.frames, 50);
	make_wav(8000, 1, 8000, 0);
	body_bytes /= 2;
	ck_assert_int_eq(decode(unknown, TG_CODEC_PCMU, 10, &f), 0);
	ck_assert_uint_le(got.frames, 26);
	for (size_t n = 0; n < 44; n++) {
		body_bytes = n;
		ck_assert_int_eq(decode(unknown, TG_CODEC_PCMU, 10, &f), -EINVAL);
	}
}
END_TEST

START_TEST(the_sink_can_stop_it)
{
	struct cache_failure f;
	make_wav(8000, 1, 80000, 0);
	got.stop_after = 120;
	ck_assert_int_eq(decode(unknown, TG_CODEC_PCMU, 10, &f), -ECANCELED);
	ck_assert_uint_eq(got.frames, 100);
	got.stop_after = 0;
}
END_TEST

int main(void)
{
	return run_suite("decode", (const TTest *const[]){every_rate_sounds_the_same, channels_are_mixed,
					   the_last_frame_ends_in_silence, raw_bodies, text_is_not_a_sound,
					   limits, a_header_that_lies, the_sink_can_stop_it, NULL});
}
