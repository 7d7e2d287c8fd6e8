#include "base/clock.h"

#include <stdio.h>
#include <time.h>

static uint64_t read_clock(clockid_t id)
{
	struct timespec ts;
	clock_gettime(id, &ts);
	return (uint64_t)ts.tv_sec * CLOCK_NS_PER_S + (uint64_t)ts.tv_nsec;
}

uint64_t clock_utc_ns(void)
{
	return read_clock(CLOCK_REALTIME);
}

uint64_t clock_mono_ns(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

void clock_format_utc(uint64_t utc_ns, char out[static CLOCK_TEXT_BYTES])
{
	time_t s = (time_t)(utc_ns / CLOCK_NS_PER_S);
	unsigned ms = (unsigned)(utc_ns % CLOCK_NS_PER_S / CLOCK_NS_PER_MS);
	struct tm tm;
	gmtime_r(&s, &tm);
	char text[64];
	snprintf(text, sizeof(text), "%04d-%02d-%02dT%02d:%02d:%02d.%03uZ", tm.tm_year + 1900, tm.tm_mon + 1,
		tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, ms);
	snprintf(out, CLOCK_TEXT_BYTES, "%.24s", text);
}
