/* A poll-mode worker: takes commands, receives, relays, plays, sends. Between its bursts it does nothing that
 * can block, allocate or log; it sleeps only where the settings allow it and nothing is due. */
#ifndef TG_DATAPLANE_WORKER_H
#define TG_DATAPLANE_WORKER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "dataplane/capture.h"
#include "dataplane/command.h"
#include "dataplane/exchange.h"
#include "dataplane/fast.h"
#include "dataplane/legs.h"
#include "dataplane/local.h"
#include "dataplane/police.h"
#include "dataplane/transmit.h"
#include "dataplane/waiting.h"

struct rte_mempool;

struct dp_worker {
	uint32_t index;
	bool adaptive; /* sleep a little after empty polls */
	struct dp_legs legs;
	struct dp_commands commands;
	struct dp_transmit transmit;
	struct dp_waiting waiting;
	struct dp_fast fast;
	struct dp_police to_kernel;
	struct dp_local local;
	struct dp_exchange *exchange;
	struct dp_capture *capture;
	const struct dp_port *port;
	uint32_t ports;
	struct rte_mempool *pool;
	atomic_bool *stop;
	uint64_t next_tick; /* TSC of the next look at slow things */
	uint32_t empty_polls;
} __attribute__((aligned(TG_CACHE_LINE)));

/* What all workers share; outlives them. */
struct dp_worker_options {
	struct tg_region *region;
	struct dp_exchange *exchange;
	const struct dp_port *port;
	uint32_t ports;
	struct dp_capture *capture;
	uint8_t checksum;          /* enum dp_checksum: of relayed packets */
	uint32_t packets_per_s;    /* that a far end may send; 0: no limit */
	uint32_t rtcp_interval_ms; /* before it is spread by random; 0: as RFC 3550 has it */
	bool adaptive;
	atomic_bool *stop;
};

/* Takes over the worker's legs from the region. Returns 0 or -ENOMEM. */
int dp_worker_open(struct dp_worker *worker, uint32_t index, const struct dp_worker_options *options,
	struct rte_mempool *pool);
void dp_worker_close(struct dp_worker *worker);
/* Once through everything; now: the time stamp counter. Returns its value at the end. */
uint64_t dp_worker_round(struct dp_worker *worker, uint64_t now);
/* The loop, on the worker's lcore, until *stop. arg: struct dp_worker. Returns 0. */
int dp_worker_run(void *arg);

#endif
