/* Capture of one leg's frames, or of all dropped ones, into a pcapng file: from inside, since DPDK's own
 * capture needs the memory that `--in-memory` keeps private.
 *
 * Telemetry's thread asks (start, stop), the main lcore carries out and writes, workers copy frames into
 * their ring. What a worker pays while nothing is captured is a load per frame of a word that doesn't change.
 * A ring that is full loses copies, never frames; they are counted.
 *
 *   off --start--> running --stop, or a limit--> draining (workers have passed a loop) --> off */
#ifndef TG_DATAPLANE_CAPTURE_H
#define TG_DATAPLANE_CAPTURE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "contract/region.h"

struct rte_mbuf;
struct dp_capture;

/* What is captured: DP_CAPTURE_LEG + leg, or one of these. */
#define DP_CAPTURE_NOTHING 0u
#define DP_CAPTURE_DROPS   1u
#define DP_CAPTURE_LEG     2u

/* A capture ends by itself at the first of these. */
#define DP_CAPTURE_BYTES_MAX   (64u << 20)
#define DP_CAPTURE_SECONDS_MAX 600u

/* dir: where files go; they are the user's alone (mode 0600). Returns 0 or -ENOMEM. */
int dp_capture_open(struct dp_capture **capture, const struct tg_region *region, const char *dir);
/* Answers who waits, and refuses who asks from now on. */
void dp_capture_refuse(struct dp_capture *capture);
/* Refused, and workers have ended. Finishes the file. NULL is allowed. */
void dp_capture_close(struct dp_capture *capture);

/* Any thread but the main lcore's. Returns when it is done: 0 and the file's path, or -errno with a sentence
 * in `text`. -EBUSY: one runs already. */
int dp_capture_start(struct dp_capture *capture, uint32_t what, char *text, size_t text_bytes);
/* -ESRCH: none runs. */
int dp_capture_stop(struct dp_capture *capture, char *text, size_t text_bytes);

struct dp_capture_state {
	uint32_t what;
	uint64_t frames, lost; /* written; copies that found no room */
	char path[256];        /* of the last one; empty: none yet */
};
void dp_capture_look(struct dp_capture *capture, struct dp_capture_state *state);

/* By the main lcore, every few milliseconds. */
void dp_capture_serve(struct dp_capture *capture);

/* By workers. What is wanted now; relaxed: a frame more or less doesn't matter. */
uint32_t dp_capture_wanted(const struct dp_capture *capture);
/* Copies the frame as it is, headers and all. */
void dp_capture_frame(struct dp_capture *capture, uint32_t worker, const struct rte_mbuf *frame, bool out);

#endif
