/* DPDK's environment, from the settings. */
#ifndef TG_DATAPLANE_ENVIRONMENT_H
#define TG_DATAPLANE_ENVIRONMENT_H

#include <stdbool.h>
#include <stddef.h>

#include "settings/settings.h"

#define DP_EAL_ARGS_MAX 48

struct dp_eal_args {
	int n;
	char *arg[DP_EAL_ARGS_MAX + 1]; /* NULL-terminated, into text */
	char text[4096];
	size_t used;
};

/* Is this device of a DPDK port a PCI address (else it is a virtual device)? */
bool dp_device_is_pci(const char *device);

/* The arguments of rte_eal_init(): pure. Virtual devices are not among them, ports add them. Returns 0, or
 * -E2BIG. */
int dp_eal_args(const struct settings *settings, bool huge_pages, struct dp_eal_args *args);

/* Checks what the environment will need (privilege, huge pages) and starts it. huge_pages: use them. Returns
 * 0, or -errno and what to do in why. */
int dp_environment_start(const struct settings *settings, bool huge_pages, char *why, size_t why_bytes);
void dp_environment_stop(void);

#endif
