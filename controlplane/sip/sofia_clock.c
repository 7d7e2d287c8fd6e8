#include "controlplane/sip/sofia_clock.h"

#include <sofia-sip/su_time.h>

#include "base/clock.h"

#define NTP_EPOCH 2208988800ull /* seconds from 1900 to 1970 */

/* The stack's own hook: called with what it has read, which it may change. NULL: nobody wants to know. */
extern void (*_su_time)(su_time_t *tv);

static uint64_t started_ns; /* UTC less the monotonic clock */

static void steady(su_time_t *tv)
{
	if (!tv)
		return;
	uint64_t us = (started_ns + clock_mono_ns()) / 1000;
	tv->tv_sec = (unsigned long)(us / 1000000 + NTP_EPOCH);
	tv->tv_usec = (unsigned long)(us % 1000000);
}

void sofia_clock_take(void)
{
	if (_su_time == steady)
		return;
	started_ns = clock_utc_ns() - clock_mono_ns();
	_su_time = steady;
}
