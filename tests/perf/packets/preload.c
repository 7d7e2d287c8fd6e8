/* LD_PRELOAD for whatever forwards packets, DPDK's own testpmd or ours: when a pcap port is started, its
 * frames are renumbered (renumber.h). TG_RENUMBER says how many frames each queue's file has,
 * TG_PACKETS_PER_S how many may pass in a second. Both sides of a comparison pay the same for it. */
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#include <rte_ethdev.h>

#include "tests/perf/packets/renumber.h"

int rte_eth_dev_start(uint16_t port)
{
	/* ISO C has no cast from an object pointer to a function's. */
	union {
		void *object;
		int (*start)(uint16_t);
	} real = {.object = dlsym(RTLD_NEXT, "rte_eth_dev_start")};
	struct rte_eth_dev_info info;
	char name[RTE_ETH_NAME_MAX_LEN];
	const char *frames = getenv("TG_RENUMBER"), *rate = getenv("TG_PACKETS_PER_S");
	int e = real.start(port);
	if (e || !frames || rte_eth_dev_get_name_by_port(port, name) || strncmp(name, "net_pcap", 8))
		return e;
	e = rte_eth_dev_info_get(port, &info);
	for (uint16_t q = 0; !e && q < info.nb_rx_queues; q++)
		e = renumber_port(port, q, (uint32_t)strtoul(frames, NULL, 10),
			rate ? (uint32_t)strtoul(rate, NULL, 10) : 0);
	return e;
}
