/* What a pcap file that is repeated without end lacks: packets that go on. Each time round, every frame's RTP
 * sequence number is one higher and its timestamp 20 ms later, so that a receiver finds one stream for each
 * leg, and not the same packet again and again. */
#ifndef TG_TESTS_PERF_PACKETS_RENUMBER_H
#define TG_TESTS_PERF_PACKETS_RENUMBER_H

#include <stdint.h>

/* frames: in the file. packets_per_s: what comes faster is thrown away; 0: nothing is. Returns 0 or -errno.
 */
int renumber_port(uint16_t port, uint16_t queue, uint32_t frames, uint32_t packets_per_s);

#endif
