#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/environment.h"

bool dp_device_is_pci(const char *device)
{
	/* [domain:]bus:device.function, hexadecimal */
	const char *colon = strchr(device, ':');
	if (!colon || colon == device)
		return false;
	return strspn(device, "0123456789abcdefABCDEF:.") == strcspn(device, ",");
}

static int add(struct dp_eal_args *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static int add(struct dp_eal_args *a, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	int len = vsnprintf(a->text + a->used, sizeof(a->text) - a->used, fmt, ap);
	va_end(ap);
	if (len < 0 || a->used + (size_t)len + 1 > sizeof(a->text) || a->n == DP_EAL_ARGS_MAX)
		return -E2BIG;
	a->arg[a->n++] = a->text + a->used;
	a->used += (size_t)len + 1;
	return 0;
}

/* Number of the first lcore in a list like "0@0,1@1" or "(2,3)@0". */
static int first_lcore(const char *lcores)
{
	while (*lcores && !isdigit((unsigned char)*lcores))
		lcores++;
	return atoi(lcores);
}

int dp_eal_args(const struct settings *s, bool huge_pages, struct dp_eal_args *a)
{
	bool pci = false;
	memset(a, 0, sizeof(*a));
	int e = add(a, "tollgate-dataplane");
	e = e ? e : add(a, "--lcores=%s", s->eal.lcores);
	e = e ? e : add(a, "--main-lcore=%d", first_lcore(s->eal.lcores));
	e = e ? e : add(a, "--file-prefix=%s", s->region.name);
	/* Without huge pages nothing is shared anyway, and the two options exclude each other. */
	e = e ? e : add(a, huge_pages ? "--in-memory" : "--no-huge");
	if (!huge_pages)
		e = e ? e : add(a, "--no-shconf");
	/* -m takes a separate argument. */
	e = e ? e : add(a, "-m");
	e = e ? e : add(a, "%d", s->eal.memory_mib);
	e = e ? e : add(a, "--log-level=warning");
	for (int i = 0; i < s->ports; i++) {
		if (s->port[i].kind != SETTINGS_PORT_DPDK || !dp_device_is_pci(s->port[i].device))
			continue;
		pci = true;
		e = e ? e : add(a, "--allow=%s", s->port[i].device);
	}
	if (!pci) {
		e = e ? e : add(a, "--no-pci");
		e = e ? e : add(a, "--iova-mode=va");
	}
	return e;
}
