#include "dataplane/digits.h"

#include "dataplane/row.h"

/* Longest time by which a packet of an earlier event may come late, in RTP units: 5 s. */
#define LATE_UNITS 40000u
/* Where one event lasts longer than its duration field can say, it goes on with a timestamp this much later
 * (RFC 4733 section 2.5.1.3). */
#define SEGMENT_UNITS 0xffffu

char dp_digit_take(struct tg_ingress *row, const uint8_t *payload, uint32_t ts, uint8_t marker)
{
	static const char name[] = "0123456789*#ABCD";
	uint32_t ahead = ts - row->last_event_ts;
	if (row->flags & DP_ROW_EVENT) {
		if (ahead == 0 || ahead > 0u - LATE_UNITS)
			return 0;
		if (ahead == SEGMENT_UNITS && !marker) {
			row->last_event_ts = ts;
			return 0;
		}
	}
	row->flags |= DP_ROW_EVENT;
	row->last_event_ts = ts;
	return payload[0] < sizeof(name) - 1 ? name[payload[0]] : 0;
}

enum dp_digit_queued dp_digit_queue(struct tg_egress *e, uint32_t taken, char digit)
{
	uint32_t count = atomic_load_explicit(&e->digit_count, memory_order_relaxed);
	if (count - taken >= TG_DIGITS_WAITING && (int32_t)(count - taken) > 0) {
		atomic_store_explicit(&e->digits_lost,
			atomic_load_explicit(&e->digits_lost, memory_order_relaxed) + 1,
			memory_order_relaxed);
		return DP_DIGIT_LOST;
	}
	e->digits[count % TG_DIGITS_WAITING] = (uint8_t)digit;
	atomic_store_explicit(&e->digit_count, count + 1, memory_order_release);
	return DP_DIGIT_QUEUED;
}
