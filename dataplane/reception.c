#include "dataplane/reception.h"

#include "dataplane/row.h"

/* RFC 3550 A.1: a longer jump back is a restart of the source. */
#define MAX_MISORDER 100

enum dp_arrival dp_reception_look(const struct tg_ingress *row, uint16_t seq, uint32_t ssrc)
{
	if (!(row->flags & DP_ROW_SEEN) || ssrc != row->ssrc_in)
		return DP_ARRIVAL_NEW_STREAM;
	uint16_t ahead = (uint16_t)(seq - row->max_seq);
	if (ahead == 0 || ahead > (uint16_t)-MAX_MISORDER)
		return DP_ARRIVAL_LATE;
	return ahead < DP_MAX_DROPOUT ? DP_ARRIVAL_NEWEST : DP_ARRIVAL_NEW_STREAM;
}

/* cycles:max_seq and base_seq are read modulo 2^32, so a part may begin just below a wrap. */
uint32_t dp_reception_expected(const struct tg_ingress *row)
{
	if (!(row->flags & DP_ROW_SEEN))
		return 0;
	return ((uint32_t)row->cycles << 16) + row->max_seq - row->base_seq + 1;
}

void dp_reception_count(struct tg_ingress *row, enum dp_arrival arrival, uint16_t seq, uint32_t ssrc)
{
	if (arrival == DP_ARRIVAL_LATE)
		return;
	if (arrival == DP_ARRIVAL_NEW_STREAM) {
		/* What was expected of the old stream stays in the sum. */
		uint32_t expected = dp_reception_expected(row);
		row->base_seq = (uint16_t)(seq - expected);
		row->cycles = (uint16_t)((expected - seq + row->base_seq) >> 16);
		row->ssrc_in = ssrc;
		row->flags = (uint8_t)((row->flags | DP_ROW_SEEN) & ~DP_ROW_EVENT);
		row->transit = 0;
		row->jitter_q4 = 0;
	} else if (seq < row->max_seq) {
		row->cycles++;
	}
	row->max_seq = seq;
}

uint32_t dp_reception_lost(const struct tg_ingress *row)
{
	int64_t lost = (int64_t)dp_reception_expected(row) - (int64_t)tg_counter_read(&row->rx_packets);
	return lost > 0 ? (uint32_t)lost : 0;
}

void dp_reception_new_part(struct tg_ingress *row)
{
	row->base_seq = (uint16_t)(row->max_seq + 1);
	row->cycles = row->base_seq ? 0 : UINT16_MAX;
}
