/* One worker's legs: the rows that it owns in the region, and what it keeps beside them. All of it belongs to
 * the worker's thread. No packets here, no ports and no DPDK: frames go in and out as values, so that the
 * whole life of a leg can be tested without either. */
#ifndef TG_DATAPLANE_LEGS_H
#define TG_DATAPLANE_LEGS_H

#include <stdbool.h>
#include <stdint.h>

#include "contract/region.h"
#include "dataplane/clock.h"
#include "dataplane/latch.h"
#include "dataplane/nexthop.h"
#include "dataplane/police.h"
#include "dataplane/rewrite.h"
#include "dataplane/rtcp_state.h"
#include "dataplane/wheel.h"

struct dp_legs {
	struct tg_region *region;
	const struct tg_capacity *cap;
	uint32_t worker;
	uint32_t rows; /* in the region, of all workers */
	/* The region's tables, by index. */
	struct tg_ingress *ingress;
	struct tg_egress *egress;
	struct tg_quality *quality;
	struct tg_outage *outage;
	struct tg_leg_ipv6 *ipv6;    /* NULL: no media address is IPv6 */
	struct tg_desired *desired;  /* read only */
	struct tg_media_item *media; /* read only */
	uint8_t *arena;              /* read only */
	struct tg_worker_stats *stats;
	struct dp_nexthops hops;
	struct dp_wheel wheel;
	struct dp_rtcp rtcp;
	struct dp_clock clock;
	struct dp_rate rate; /* of packets that a far end may send; no limit until dp_legs_limit() */
	/* Open legs, in no order, and where each is in that list (TG_NONE: not open). */
	uint32_t *open, *place;
	struct dp_latch *latch; /* by leg; begun anew by a successor */
	uint32_t open_count;
	uint32_t sweep;       /* next of `open` that liveness looks at */
	uint64_t boundary_ns; /* last time stamp that was given out */
	enum tg_drop last_drop;
	uint32_t damaged; /* rows that made no sense when they were taken up: they get no media */
	/* Counted since the last dp_legs_flush(). */
	struct tg_meter tally;
};

/* Takes over the worker's rows as they are in the region; a new region has none. Returns 0 or -ENOMEM. */
int dp_legs_open(struct dp_legs *legs, struct tg_region *region, uint32_t worker);
void dp_legs_close(struct dp_legs *legs);
/* packets_per_s: that each far end may send; 0: no limit. */
void dp_legs_limit(struct dp_legs *legs, uint32_t packets_per_s);

/* Adds the tally to the worker's totals. Between two bursts, and before totals are compared with rows. */
void dp_legs_flush(struct dp_legs *legs);

/* A time stamp for a boundary between stints; never earlier than the one before. */
uint64_t dp_legs_now_ns(struct dp_legs *legs, uint64_t tsc);

/* One frame that is to be sent: all that is needed to write its headers and to count it. */
struct dp_outgoing {
	uint64_t link;     /* tg_next_hop.link; RELAYED: 0 while it isn't known */
	uint32_t next_hop; /* RELAYED: index, or TG_NONE */
	uint32_t leg; /* counted for it: RELAYED the leg it came from, PLAYED the leg it goes to; RTCP none */
	uint8_t as;   /* enum tg_sent_as */
	uint16_t rtp_bytes; /* of the UDP payload */
	struct dp_flow flow;
	struct dp_rtp rtp;
};
/* Brackets what gives a burst to a port and counts it: a kill in between leaves it to the successor to say
 * which legs may have sent more than was counted. n: at most TG_SENDING_MAX. */
void dp_legs_sending(struct dp_legs *legs, const struct tg_sending_entry *entry, uint32_t n);
void dp_legs_sending_done(struct dp_legs *legs);
/* The port has taken them, or has not taken one. */
void dp_legs_sent(struct dp_legs *legs, const struct tg_sending_entry *sent, uint32_t n);
void dp_legs_not_sent(struct dp_legs *legs, const struct tg_sending_entry *sent);

/* Counts a drop, and charges it to the leg where the reason says so. leg may be TG_NONE or free. */
void dp_legs_drop(struct dp_legs *legs, enum tg_drop why, uint32_t leg);

/* Tells the control plane to look at this leg. */
void dp_legs_news(struct dp_legs *legs, uint32_t leg);

/* The leg if it is open, this worker's, and of this generation; NULL otherwise. */
struct tg_egress *dp_legs_find(const struct dp_legs *legs, uint32_t leg, uint32_t generation);

/* Opens a free leg as a checked TG_CMD_PROGRAM says. */
void dp_leg_open(struct dp_legs *legs, const struct tg_command *command, uint64_t now_tsc, uint64_t now_ns);
/* Changes an open leg. A far end that a latch has found stays unless the signalled address is another one. */
void dp_leg_change(
	struct dp_legs *legs, uint32_t leg, const struct tg_leg_program *program, uint64_t now_tsc);
/* Frees a leg: nothing hears it and it hears nothing. Its counters are closed already. */
void dp_leg_free(struct dp_legs *legs, uint32_t leg);

/* The leg hears nothing from now on. What was relayed to it is folded into its counters. */
void dp_leg_silence(struct dp_legs *legs, uint32_t leg);
/* It hears the feeder. Whoever heard that before hears nothing. */
void dp_leg_relay(struct dp_legs *legs, uint32_t leg, uint32_t feeder);
/* It hears a media item. */
void dp_leg_play(struct dp_legs *legs, uint32_t leg, const struct tg_leg_source *source, uint64_t now_tsc);
/* The play is over by itself or by a digit: the control plane is told, the leg hears nothing. */
void dp_leg_play_done(struct dp_legs *legs, uint32_t leg, bool by_digit);

/* Packets come from, and go to, this address from now on. It is of the leg's family, or none. */
void dp_leg_set_far_end(struct dp_legs *legs, uint32_t leg, const struct tg_addr *address, uint16_t port_be);
/* Where they come from and go to now; no address where the row's match_port_be is 0. */
struct tg_addr dp_leg_far_end(const struct dp_legs *legs, uint32_t leg);
/* Is this the far end's address, without its port? ip6: NULL for IPv4. */
static inline bool dp_leg_is_host(
	const struct dp_legs *legs, uint32_t leg, uint32_t ip_be, const uint8_t *ip6)
{
	return ip6 ? !memcmp(ip6, legs->ipv6[leg].match, sizeof(legs->ipv6[leg].match))
		   : ip_be == legs->ingress[leg].match_ip_be;
}
/* Moves what was relayed from the feeder since the last time into the leg's own counters. */
void dp_leg_fold(struct dp_legs *legs, uint32_t leg);
/* Carries out the fold that the worker's statistics have a note of: by dp_leg_fold(), and by a start after a
 * kill inside. Its steps may have been done before. */
void dp_leg_fold_finish(struct dp_legs *legs);

#endif
