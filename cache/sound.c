#include "cache/sound.h"

#include <errno.h>
#include <sndfile.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define CHANNELS_MAX 16
#define RATE_MIN     1000
#define RATE_MAX     384000
#define READ_SAMPLES 1024

struct cache_sound {
	const uint8_t *data;
	sf_count_t bytes, at;
	SNDFILE *file;
	SF_INFO info;
	float block[READ_SAMPLES * CHANNELS_MAX];
};

static sf_count_t length(void *user)
{
	return ((struct cache_sound *)user)->bytes;
}

static sf_count_t seek(sf_count_t offset, int whence, void *user)
{
	struct cache_sound *s = user;
	sf_count_t base = whence == SEEK_CUR ? s->at : whence == SEEK_END ? s->bytes : 0;
	sf_count_t to;
	if (__builtin_add_overflow(base, offset, &to) || to < 0)
		return -1;
	s->at = to > s->bytes ? s->bytes : to;
	return s->at;
}

static sf_count_t fetch(void *out, sf_count_t n, void *user)
{
	struct cache_sound *s = user;
	if (n > s->bytes - s->at)
		n = s->bytes - s->at;
	if (n <= 0)
		return 0;
	memcpy(out, s->data + s->at, (size_t)n);
	s->at += n;
	return n;
}

static sf_count_t tell(void *user)
{
	return ((struct cache_sound *)user)->at;
}

static sf_count_t no_write(const void *data, sf_count_t n, void *user)
{
	return 0;
}

static int raw_format(enum cache_hint hint)
{
	switch (hint) {
	case CACHE_HINT_ULAW:
		return SF_FORMAT_RAW | SF_FORMAT_ULAW;
	case CACHE_HINT_ALAW:
		return SF_FORMAT_RAW | SF_FORMAT_ALAW;
	case CACHE_HINT_L16:
		return SF_FORMAT_RAW | SF_FORMAT_PCM_16 | SF_ENDIAN_BIG;
	case CACHE_HINT_GSM:
		return SF_FORMAT_RAW | SF_FORMAT_GSM610;
	case CACHE_HINT_NONE:
	case CACHE_HINTS:
		break;
	}
	return 0;
}

/* An error page under a sound's type, which as raw audio would be a loud noise. */
static int looks_like_text(const uint8_t *p, size_t n)
{
	static const char *const starts[] = {
		"<!doctype", "<html", "<?xml", "<head", "<body", "<!--", "{\"", "[{\""};
	while (n && (*p == ' ' || *p == '\r' || *p == '\n' || *p == '\t')) {
		p++;
		n--;
	}
	for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++)
		if (n >= strlen(starts[i]) && !strncasecmp((const char *)p, starts[i], strlen(starts[i])))
			return 1;
	return 0;
}

static SNDFILE *open_as(struct cache_sound *s, int format, const struct cache_body_type *type)
{
	SF_VIRTUAL_IO io = {
		.get_filelen = length, .seek = seek, .read = fetch, .write = no_write, .tell = tell};
	s->info = (SF_INFO){0};
	if (format) {
		s->info.format = format;
		s->info.samplerate = (int)type->rate;
		s->info.channels = (int)type->channels;
	}
	s->at = 0;
	return sf_open_virtual(&io, SFM_READ, &s->info, s);
}

int cache_sound_open(struct cache_sound **sound, const struct cache_decode *in, struct cache_failure *failure)
{
	if (looks_like_text(in->data, in->bytes)) {
		cache_fail(
			failure, CACHE_ERROR_NOT_AUDIO, "the origin answered with text instead of a sound");
		return -EINVAL;
	}
	struct cache_sound *s = malloc(sizeof(*s));
	if (!s) {
		cache_fail(failure, CACHE_ERROR_INTERNAL, NULL);
		return -EINVAL;
	}
	s->data = in->data;
	s->bytes = (sf_count_t)in->bytes;
	s->file = open_as(s, 0, NULL);
	if (!s->file && raw_format(in->type.hint))
		s->file = open_as(s, raw_format(in->type.hint), &in->type);
	if (!s->file) {
		cache_fail(failure, CACHE_ERROR_NOT_AUDIO, "no known sound format: %s", sf_strerror(NULL));
		free(s);
		return -EINVAL;
	}
	if (s->info.channels < 1 || s->info.channels > CHANNELS_MAX || s->info.samplerate < RATE_MIN ||
		s->info.samplerate > RATE_MAX) {
		cache_fail(failure, CACHE_ERROR_DECODE,
			"%d channels at %d Hz: at most %d channels and %d to %d Hz are taken",
			s->info.channels, s->info.samplerate, CHANNELS_MAX, RATE_MIN, RATE_MAX);
		cache_sound_close(s);
		return -EINVAL;
	}
	*sound = s;
	return 0;
}

void cache_sound_close(struct cache_sound *s)
{
	if (!s)
		return;
	sf_close(s->file);
	free(s);
}

unsigned cache_sound_rate(const struct cache_sound *s)
{
	return (unsigned)s->info.samplerate;
}

/* Only uncompressed samples: there libsndfile derives the number from the bytes that are really there. */
uint64_t cache_sound_samples(const struct cache_sound *s)
{
	switch (s->info.format & SF_FORMAT_TYPEMASK) {
	case SF_FORMAT_WAV:
	case SF_FORMAT_WAVEX:
	case SF_FORMAT_AIFF:
	case SF_FORMAT_AU:
	case SF_FORMAT_RAW:
		break;
	default:
		return 0;
	}
	switch (s->info.format & SF_FORMAT_SUBMASK) {
	case SF_FORMAT_PCM_S8:
	case SF_FORMAT_PCM_U8:
	case SF_FORMAT_PCM_16:
	case SF_FORMAT_PCM_24:
	case SF_FORMAT_PCM_32:
	case SF_FORMAT_FLOAT:
	case SF_FORMAT_DOUBLE:
	case SF_FORMAT_ULAW:
	case SF_FORMAT_ALAW:
		return s->info.frames > 0 ? (uint64_t)s->info.frames : 0;
	default:
		return 0;
	}
}

size_t cache_sound_read(struct cache_sound *s, float *out, size_t n)
{
	size_t done = 0, channels = (size_t)s->info.channels;
	while (done < n) {
		size_t want = n - done < READ_SAMPLES ? n - done : READ_SAMPLES;
		sf_count_t got = sf_readf_float(s->file, s->block, (sf_count_t)want);
		if (got <= 0 || (size_t)got > want)
			break;
		for (size_t i = 0; i < (size_t)got; i++) {
			float sum = 0;
			for (size_t c = 0; c < channels; c++)
				sum += s->block[i * channels + c];
			out[done + i] = sum / (float)channels;
		}
		done += (size_t)got;
	}
	return done;
}
