/* RTCP from the wire, to a stream of ours: [4 bytes our SSRC][compound packet]. What is read of it can be
 * written, and is then valid and reads the same. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/rtcp_read.h"
#include "dataplane/rtcp_write.h"
#include "dataplane/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint32_t write_again(const struct dp_rtcp_seen *s, uint8_t out[static DP_RTCP_BYTES_MAX])
{
	struct dp_rtcp_report r = {.ssrc = s->ssrc,
		.has_sent = s->has_sent,
		.has_block = s->has_block,
		.has_rrtr = s->has_rrtr,
		.has_dlrr = s->has_dlrr,
		.has_voip = s->has_voip,
		.bye = s->bye,
		.sent = s->sent,
		.block = s->block,
		.rrtr_ntp = s->rrtr_ntp,
		.dlrr = s->dlrr,
		.voip = s->voip};
	uint32_t n = dp_rtcp_write(out, &r);
	if (n > DP_RTCP_BYTES_MAX)
		abort();
	return n;
}

static void check(const struct dp_rtcp_seen *s, uint32_t ours)
{
	uint8_t once[DP_RTCP_BYTES_MAX], twice[DP_RTCP_BYTES_MAX];
	struct dp_rtcp_seen again;
	uint32_t n = write_again(s, once);
	if (dp_rtcp_read(once, n, ours, &again) || again.bye != s->bye || write_again(&again, twice) != n ||
		memcmp(once, twice, n))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dp_rtcp_seen seen;
	if (size < 4 || size > 9000)
		return 0;
	/* A copy of the exact size, so that a byte too far is found. */
	uint32_t n = (uint32_t)size - 4;
	uint8_t *bytes = malloc(n ? n : 1);
	if (!bytes)
		return 0;
	memcpy(bytes, data + 4, n);
	uint32_t ours = dp_get32(data);
	if (!dp_rtcp_read(bytes, n, ours, &seen))
		check(&seen, ours);
	free(bytes);
	return 0;
}
