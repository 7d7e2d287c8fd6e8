#include <errno.h>
#include <string.h>

#include "dataplane/environment.h"
#include "tests/unit/contract/suite.h"

static struct settings s;
static struct dp_eal_args args;

static bool has(const char *wanted)
{
	for (int i = 0; i < args.n; i++)
		if (!strcmp(args.arg[i], wanted))
			return true;
	return false;
}

static void setup(void)
{
	settings_defaults(&s);
	strcpy(s.eal.lcores, "3@0,1@0");
	strcpy(s.region.name, "gw7");
	s.eal.memory_mib = 96;
	s.ports = 1;
	s.port[0].kind = SETTINGS_PORT_AF_XDP;
}

START_TEST(without_pci_devices_the_bus_is_left_alone)
{
	setup();
	ck_assert_int_eq(dp_eal_args(&s, true, &args), 0);
	ck_assert(has("--lcores=3@0,1@0") && has("--main-lcore=3") && has("--in-memory") &&
		  has("--file-prefix=gw7"));
	ck_assert(has("-m") && has("96") && has("--no-pci") && !has("--no-huge"));
	ck_assert_ptr_null(args.arg[args.n]);
	ck_assert_int_eq(dp_eal_args(&s, false, &args), 0);
	ck_assert(has("--no-huge") && !has("--in-memory"));
}
END_TEST

START_TEST(a_pci_device_is_allowed_by_name)
{
	setup();
	s.port[0].kind = SETTINGS_PORT_DPDK;
	strcpy(s.port[0].device, "0000:3b:00.0");
	ck_assert_int_eq(dp_eal_args(&s, true, &args), 0);
	ck_assert(has("--allow=0000:3b:00.0") && !has("--no-pci"));
	strcpy(s.port[0].device, "net_pcap0,rx_pcap=a:b.pcap");
	ck_assert_int_eq(dp_eal_args(&s, true, &args), 0);
	ck_assert(has("--no-pci"));
}
END_TEST

START_TEST(names_of_devices)
{
	ck_assert(dp_device_is_pci("0000:3b:00.0"));
	ck_assert(dp_device_is_pci("3b:00.1"));
	ck_assert(dp_device_is_pci("0000:3b:00.0,representor=0"));
	ck_assert(!dp_device_is_pci("net_null0"));
	ck_assert(!dp_device_is_pci("net_pcap0,rx_pcap=/a:b"));
	ck_assert(!dp_device_is_pci(""));
	ck_assert(!dp_device_is_pci(":"));
}
END_TEST

START_TEST(more_than_fits_is_refused)
{
	setup();
	s.ports = SETTINGS_PORTS_MAX;
	for (int i = 0; i < SETTINGS_PORTS_MAX; i++) {
		s.port[i].kind = SETTINGS_PORT_DPDK;
		strcpy(s.port[i].device, "0000:3b:00.0");
	}
	ck_assert_int_eq(dp_eal_args(&s, true, &args), 0);
	ck_assert_int_le(args.n, DP_EAL_ARGS_MAX);
}
END_TEST

TESTS("environment_args", without_pci_devices_the_bus_is_left_alone, a_pci_device_is_allowed_by_name,
	names_of_devices, more_than_fits_is_refused)
