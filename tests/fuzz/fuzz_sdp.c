/* A body from anybody: what is read must be within its bounds, answerable, and read the same when it is
 * written. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/sip/sdp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check(const struct media_description *d)
{
	if (d->streams < 0 || d->streams > MEDIA_STREAMS_MAX || d->audio < -1 || d->audio >= d->streams ||
		d->codecs < 0 || d->codecs > MEDIA_CODECS_MAX || (d->audio < 0 && d->codecs))
		abort();
	for (int i = 0; i < d->codecs; i++)
		if (d->codec[i].payload_type > 127)
			abort();
	for (int i = 0; i < d->streams; i++)
		if (!memchr(d->refused[i], '\0', sizeof(d->refused[i])) || strpbrk(d->refused[i], "\r\n"))
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct media_description d, again;
	char text[SDP_WRITE_BYTES];
	if (sdp_read((const char *)data, len, &d))
		return 0;
	check(&d);
	/* As we would answer it: with one codec of ours. */
	d.codecs = d.audio >= 0;
	d.codec[0] = (struct media_codec){MEDIA_PCMU, 0, 8000};
	if (!d.streams)
		return 0;
	int n = sdp_write(&d, text, sizeof(text));
	if (n < 0 || sdp_read(text, (size_t)n, &again))
		abort();
	check(&again);
	if (again.streams != d.streams)
		abort();
	if (d.audio >= 0 && d.port &&
		(again.audio != d.audio || again.direction != d.direction || again.port != d.port ||
			!tg_addr_equal(&again.address, &d.address) || again.rtcp_mux != d.rtcp_mux ||
			(d.rtcp_port && again.rtcp_port != d.rtcp_port)))
		abort();
	return 0;
}
