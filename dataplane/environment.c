#include "dataplane/environment.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_lcore.h>

#define HUGE_PAGES "/sys/kernel/mm/hugepages/hugepages-2048kB/"

static long read_number(const char *path)
{
	long v = 0;
	FILE *f = fopen(path, "re");
	if (!f)
		return 0;
	if (fscanf(f, "%ld", &v) != 1)
		v = 0;
	fclose(f);
	return v;
}

static int check_privilege(char *why, size_t n)
{
	int fd = socket(AF_PACKET, SOCK_RAW, 0);
	if (fd >= 0) {
		close(fd);
		return 0;
	}
	int e = -errno;
	snprintf(why, n,
		"no raw sockets: %s; run as root, or with CAP_NET_RAW, CAP_NET_ADMIN, CAP_BPF and "
		"CAP_IPC_LOCK",
		strerror(-e));
	return e;
}

static int check_huge_pages(const struct settings *s, char *why, size_t n)
{
	long need = (s->eal.memory_mib + 1) / 2, spare = read_number(HUGE_PAGES "free_hugepages");
	long spoken_for = read_number(HUGE_PAGES "resv_hugepages");
	if (spare - spoken_for >= need)
		return 0;
	snprintf(why, n,
		"eal.memory_mib = %d needs %ld huge pages of 2 MiB and %ld are free: run `sysctl -w "
		"vm.nr_hugepages=%ld`",
		s->eal.memory_mib, need, spare - spoken_for,
		read_number(HUGE_PAGES "nr_hugepages") + need - (spare - spoken_for));
	return -ENOMEM;
}

int dp_environment_start(const struct settings *s, bool huge_pages, char *why, size_t n)
{
	int e = check_privilege(why, n);
	if (!e && huge_pages)
		e = check_huge_pages(s, why, n);
	if (e)
		return e;
	/* The memory of AF_XDP rings and of programs in the kernel is locked. */
	struct rlimit unlimited = {RLIM_INFINITY, RLIM_INFINITY};
	setrlimit(RLIMIT_MEMLOCK, &unlimited);
	struct dp_eal_args args;
	if (dp_eal_args(s, huge_pages, &args)) {
		snprintf(
			why, n, "too many or too long arguments for DPDK: shorten eal.lcores or media.ports");
		return -E2BIG;
	}
	if (rte_eal_init(args.n, args.arg) < 0) {
		snprintf(why, n,
			"DPDK did not start: %s; its own lines above say more. Check eal.lcores (\"%s\") "
			"against "
			"`nproc` and that no other process uses the devices",
			rte_strerror(rte_errno), s->eal.lcores);
		return -EIO;
	}
	unsigned workers = rte_lcore_count() - 1;
	if (workers >= (unsigned)s->media.workers)
		return 0;
	snprintf(why, n,
		"eal.lcores = \"%s\" has %u lcores beside the main one, media.workers = %d needs as many",
		s->eal.lcores, workers, s->media.workers);
	rte_eal_cleanup();
	return -EINVAL;
}

void dp_environment_stop(void)
{
	rte_eal_cleanup();
}
