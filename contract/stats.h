/* Worker statistics: written by the worker, read by anyone at any time. */
#ifndef TG_CONTRACT_STATS_H
#define TG_CONTRACT_STATS_H

#include <stdatomic.h>
#include <stdint.h>

#include "contract/bounds.h"
#include "contract/counter.h"
#include "contract/drop.h"
#include "contract/meter.h"

/* STAT(name, help): one list for the struct, `tollgate stats` and its JSON. */
#define TG_WORKER_STATS(STAT)                                                           \
	STAT(loops, "poll loops; rises while the worker runs")                          \
	STAT(busy_cycles, "TSC cycles spent in loops that found work")                  \
	STAT(idle_cycles, "TSC cycles spent in loops that found none, sleeps included") \
	STAT(rx_frames, "frames received from ports")                                   \
	STAT(tx_frames, "frames that ports have taken")                                 \
	STAT(to_kernel, "frames handed to the kernel")                                  \
	STAT(from_kernel, "frames sent for the kernel")                                 \
	STAT(rtcp, "RTCP packets seen")                                                 \
	STAT(handed_over, "frames passed to the worker that owns their leg")            \
	STAT(commands, "commands carried out")                                          \
	STAT(refusals, "commands refused")                                              \
	STAT(events_missed, "news for which the event ring had no room")                \
	STAT(meter_waits, "times that the meter ring had no room")                      \
	STAT(legs_open, "legs that are programmed now")                                 \
	STAT(plays_active, "legs that are played to now")                               \
	STAT(plays_late, "played packets that left more than 5 ms late")

/* What the fold of a leg's relayed counters is about to do (dataplane/leg.c); for the worker's successor. */
struct tg_fold {
	tg_counter packets, octets;  /* what the leg's own counters are to be */
	_Atomic uint32_t generation; /* of the leg; 0: no fold was begun. Written last, cleared at the end */
	uint32_t leg;
};

/* The burst that is being given to a port: until it is counted, nobody else knows what of it was sent. */
#define TG_SENDING_MAX 32
struct tg_sending {
	_Atomic uint32_t n; /* of the entries; 0: no burst is under way. Written last, cleared at the end */
	uint32_t pad;
	struct tg_sending_entry {
		uint32_t leg;       /* that it is counted for; TG_NONE: the kernel's frame */
		uint16_t rtp_bytes; /* RTP header and payload */
		uint8_t as;         /* enum tg_sent_as */
		uint8_t pad;
	} entry[TG_SENDING_MAX];
};

enum tg_sent_as {
	TG_SENT_RELAYED,    /* from this leg to the one that hears it */
	TG_SENT_PLAYED,     /* to this leg */
	TG_SENT_FOR_KERNEL, /* no leg's */
};

struct tg_worker_stats {
#define STAT(name, help) tg_counter name;
	TG_WORKER_STATS(STAT)
#undef STAT
	tg_counter drops[TG_DROPS];
	/* Everything counted, and everything put into the meter ring, since the region was made. */
	tg_counter total[TG_METERS], closed[TG_METERS];
	_Atomic uint64_t alive_ns; /* UTC of the last loop that looked at the clock; 0: not running */
	_Atomic uint64_t left_ns;  /* the same of a predecessor that ended in order */
	struct tg_fold fold;
	struct tg_sending sending;
} __attribute__((aligned(TG_CACHE_LINE)));

#endif
