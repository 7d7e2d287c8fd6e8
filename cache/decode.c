#include "cache/decode.h"

#include <errno.h>
#include <soxr.h>
#include <stdlib.h>
#include <string.h>

#include "cache/codec.h"
#include "cache/request.h"
#include "cache/sound.h"

#define IN_SAMPLES  4096
#define OUT_SAMPLES 8192
#define CHUNK_BYTES (CACHE_DECODE_FRAMES * CACHE_FRAME_BYTES)

struct decoder {
	const struct cache_decode *in;
	const struct cache_decode_sink *sink;
	struct cache_failure *failure;
	struct cache_sound *sound;
	soxr_t resampler;        /* NULL: the sound has the wanted rate */
	uint64_t samples, limit; /* encoded so far; the most that may be */
	uint64_t announced;      /* samples that were promised; 0: none */
	uint32_t frames;         /* handed on */
	uint32_t fill;           /* bytes in chunk */
	uint8_t chunk[CHUNK_BYTES];
	float input[IN_SAMPLES], output[OUT_SAMPLES];
};

static int hand_on(struct decoder *d)
{
	uint32_t n = d->fill / CACHE_FRAME_BYTES;
	if (!n)
		return 0;
	int e = d->sink->frames(d->sink->arg, d->chunk, n);
	d->frames += n;
	d->fill = 0;
	return e;
}

static int too_long(struct decoder *d)
{
	cache_fail(d->failure, CACHE_ERROR_TOO_LARGE,
		"the sound is longer than the %u seconds that cache.max_seconds allows", d->in->max_seconds);
	return -EINVAL;
}

static int encode(struct decoder *d, const float *samples, size_t n)
{
	/* What was promised is kept to the sample, whatever rounding the resampler does at its end. */
	if (d->announced && n > d->announced - d->samples)
		n = d->announced - d->samples;
	if (n > d->limit - d->samples)
		return too_long(d);
	d->samples += n;
	while (n) {
		size_t part = CHUNK_BYTES - d->fill < n ? CHUNK_BYTES - d->fill : n;
		cache_encode(d->in->codec, samples, part, d->chunk + d->fill);
		d->fill += (uint32_t)part;
		samples += part;
		n -= part;
		if (d->fill == CHUNK_BYTES) {
			int e = hand_on(d);
			if (e)
				return e;
		}
	}
	return 0;
}

static int resample(struct decoder *d, const float *samples, size_t n)
{
	size_t used = 0;
	for (;;) {
		size_t ate = 0, made = 0;
		soxr_error_t e = soxr_process(d->resampler, samples ? samples + used : NULL, n - used, &ate,
			d->output, OUT_SAMPLES, &made);
		if (e) {
			cache_fail(d->failure, CACHE_ERROR_DECODE, "resampling failed: %s", soxr_strerror(e));
			return -EINVAL;
		}
		used += ate;
		int r = encode(d, d->output, made);
		if (r)
			return r;
		if (samples ? used == n && made < OUT_SAMPLES : !made)
			return 0;
		if (samples && !ate && !made) {
			cache_fail(d->failure, CACHE_ERROR_DECODE, "resampling does not advance");
			return -EINVAL;
		}
	}
}

static int finish(struct decoder *d)
{
	int e = d->resampler ? resample(d, NULL, 0) : 0;
	if (e)
		return e;
	/* Data that ends before its promise, and the rest of the last frame, are silence. */
	uint64_t wanted = d->announced ? d->announced : d->samples;
	wanted = (wanted + CACHE_FRAME_BYTES - 1) / CACHE_FRAME_BYTES * CACHE_FRAME_BYTES;
	for (uint64_t have = (uint64_t)d->frames * CACHE_FRAME_BYTES + d->fill; have < wanted;) {
		uint64_t part = CHUNK_BYTES - d->fill;
		if (part > wanted - have)
			part = wanted - have;
		memset(d->chunk + d->fill, cache_silence(d->in->codec), part);
		d->fill += (uint32_t)part;
		have += part;
		if (d->fill == CHUNK_BYTES) {
			e = hand_on(d);
			if (e)
				return e;
		}
	}
	return hand_on(d);
}

static int announce(struct decoder *d)
{
	uint64_t samples = cache_sound_samples(d->sound), rate = cache_sound_rate(d->sound);
	d->limit = (uint64_t)d->in->max_seconds * CACHE_RATE;
	if (samples > d->limit * rate / CACHE_RATE)
		return too_long(d);
	d->announced = (samples * CACHE_RATE + rate - 1) / rate;
	uint64_t frames = (d->announced + CACHE_FRAME_BYTES - 1) / CACHE_FRAME_BYTES;
	return d->sink->begin(d->sink->arg, (uint32_t)frames);
}

static int start_resampler(struct decoder *d)
{
	double rate = cache_sound_rate(d->sound);
	if (rate == CACHE_RATE)
		return 0;
	soxr_error_t e = NULL;
	soxr_io_spec_t io = soxr_io_spec(SOXR_FLOAT32_I, SOXR_FLOAT32_I);
	soxr_quality_spec_t quality = soxr_quality_spec(SOXR_HQ, 0);
	soxr_runtime_spec_t runtime = soxr_runtime_spec(1);
	d->resampler = soxr_create(rate, CACHE_RATE, 1, &e, &io, &quality, &runtime);
	if (d->resampler && !e)
		return 0;
	cache_fail(
		d->failure, CACHE_ERROR_DECODE, "cannot resample from %.0f Hz: %s", rate, soxr_strerror(e));
	return -EINVAL;
}

static int run(struct decoder *d)
{
	int e = start_resampler(d);
	if (!e)
		e = announce(d);
	while (!e) {
		size_t n = cache_sound_read(d->sound, d->input, IN_SAMPLES);
		if (!n)
			break;
		e = d->resampler ? resample(d, d->input, n) : encode(d, d->input, n);
	}
	if (!e && !d->samples) {
		cache_fail(
			d->failure, CACHE_ERROR_DECODE, "the sound is empty or damaged from its beginning");
		e = -EINVAL;
	}
	return e ? e : finish(d);
}

int cache_decode(const struct cache_decode *in, const struct cache_decode_sink *sink, uint32_t *frames,
	struct cache_failure *failure)
{
	struct decoder *d = calloc(1, sizeof(*d));
	if (!d) {
		cache_fail(failure, CACHE_ERROR_INTERNAL, NULL);
		return -EINVAL;
	}
	d->in = in;
	d->sink = sink;
	d->failure = failure;
	int e = cache_sound_open(&d->sound, in, failure);
	if (!e)
		e = run(d);
	if (!e)
		*frames = d->frames;
	soxr_delete(d->resampler);
	cache_sound_close(d->sound);
	free(d);
	return e;
}
