#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "settings/settings_parse.h"

static struct settings settings;
static char why[600];

#define MEDIA "addresses = (\"198.18.0.2\"); ports = ({ kind = \"af_xdp\"; interface = \"media0\"; });"

static int parse(const char *text)
{
	return settings_parse(text, strlen(text), "t.conf", "/etc/tollgate", &settings, why, sizeof(why));
}

START_TEST(smallest)
{
	ck_assert_msg(parse("media: { " MEDIA " };") == 0, "%s", why);
	ck_assert_str_eq(settings.node.name, "gw1");
	ck_assert_int_eq(settings.media.port_max, 29999);
	ck_assert(settings.sip.tcp);
	ck_assert_int_eq(settings.media_addresses, 1);
	ck_assert_uint_eq(settings.media_address[0].b[0], 198);
	ck_assert_int_eq(settings.ports, 1);
	ck_assert_int_eq(settings.port[0].kind, SETTINGS_PORT_AF_XDP);
	ck_assert_str_eq(settings.port[0].interface, "media0");
	ck_assert_str_eq(settings.registry, "/etc/tollgate/registry.conf");
}
END_TEST

START_TEST(everything)
{
	static const char text[] =
		"registry = \"/srv/r.conf\";\n"
		"node: { name = \"gw-2\"; state_dir = \"/srv/state\"; };\n"
		"media: { addresses = [\"10.0.0.1\", \"10.0.0.2\"]; port_min = 30000; port_max = 30001; "
		"latch = true;\n"
		"  ports = ({ kind = \"dpdk\"; device = \"0000:01:00.0\"; vlan = 7; }, { kind = "
		"\"af_packet\"; interface = \"e1\"; }); };\n"
		"sip: { tcp = false; trunks = ({ name = \"a\"; address = \"10.9.0.0/16\"; max_calls = 3; },\n"
		"  { name = \"b\"; address = \"10.8.0.1\"; target = \"10.8.0.1:5070\"; }); };\n"
		"http: { allow = (\"127.0.0.0/8\"); };\n";
	ck_assert_msg(parse(text) == 0, "%s", why);
	ck_assert_str_eq(settings.registry, "/srv/r.conf");
	ck_assert_int_eq(settings.media_addresses, 2);
	ck_assert(settings.media.latch);
	ck_assert(!settings.sip.tcp);
	ck_assert_int_eq(settings.ports, 2);
	ck_assert_int_eq(settings.port[0].kind, SETTINGS_PORT_DPDK);
	ck_assert_int_eq(settings.port[0].vlan, 7);
	ck_assert_int_eq(settings.port[1].kind, SETTINGS_PORT_AF_PACKET);
	ck_assert_int_eq(settings.trunks, 2);
	ck_assert_int_eq(settings.trunk[0].max_calls, 3);
	ck_assert_int_eq(settings.trunk[0].calls_per_second, 50);
	ck_assert_str_eq(settings.trunk[1].target, "10.8.0.1:5070");
	ck_assert_int_eq(settings.trunk[0].media, SETTINGS_MEDIA_AUTO);
	ck_assert_int_eq(settings.trunk[0].dscp, -1);
	ck_assert_ptr_eq(settings_trunk(&settings, settings.trunk[1].name), &settings.trunk[1]);
	ck_assert_ptr_null(settings_trunk(&settings, "nobody"));
	struct tg_addr inside = tg_addr_ipv4(htonl(0x0a09ffff)), outside = tg_addr_ipv4(htonl(0x0a080001));
	ck_assert(settings_in_range(&settings.trunk[0].range, &inside));
	ck_assert(!settings_in_range(&settings.trunk[0].range, &outside));
	ck_assert(settings_in_range(&settings.trunk[1].range, &outside));
	ck_assert_int_eq(settings.allowed, 1);
}
END_TEST

/* Each with what its error must begin with and hold. */
static const struct {
	const char *text, *start, *part;
} bad[] = {
	{"x = 1;", "t.conf:1: x: ", "not a known key"},
	{"\nnode: { nam = \"a\"; };", "t.conf:2: node.nam: ", "allowed: name, state_dir"},
	{"node = 3;", "t.conf:1: node: ", "not a group"},
	{"node: { name = 3; };", "t.conf:1: node.name: ", "double quotes"},
	{"node: { name = \"a b\"; };", "t.conf:1: node.name: ", "letters"},
	{"node: { name = \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"; };",
		"t.conf:1: node.name: ", "at most 32"},
	{"node: { state_dir = \"/a\\nb\"; };", "t.conf:1: node.state_dir: ", "control character"},
	{"media: {\n " MEDIA "\n dscp = 64; };", "t.conf:3: media.dscp: ", "allowed: 0 to 63"},
	{"media: { dscp = 99999999999L; };", "t.conf:1: media.dscp: ", "allowed: 0 to 63"},
	{"media: { dscp = 1.5; };", "t.conf:1: media.dscp: ", "whole number"},
	{"media: { dscp = \"46\"; };", "t.conf:1: media.dscp: ", "whole number"},
	{"media: { latch = 1; };", "t.conf:1: media.latch: ", "true, false"},
	{"media: { idle = \"no\"; };", "t.conf:1: media.idle: ", "\"spin\""},
	{"media: { " MEDIA " port_min = 20001; };", "t.conf:1: media.port_min: ", "even"},
	{"media: { " MEDIA " port_max = 30000; };", "t.conf:1: media.port_max: ", "odd"},
	{"media: { " MEDIA "\nport_min = 40000; };", "t.conf:1: media.port_max: ", "above it"},
	{"media: { " MEDIA " workers = 2; };", "t.conf:1: media.workers: ", "at most 1"},
	{"media: { " MEDIA " workers = 3; port_min = 30000; port_max = 30003; }; eal: { lcores = \"0-3\"; };",
		"t.conf:1: media.workers: ", "at most 2"},
	{"", "t.conf:1: media.addresses: ", "there is none"},
	{"media: { addresses = (\"198.18.0.2\"); };", "t.conf:1: media.ports: ", "there is none"},
	{"media: { addresses = (\"198.18.0.2\", \"198.18.0.2\"); };",
		"t.conf:1: media.addresses[1]: ", "twice"},
	{"media: { addresses = (\"198.18.0\"); };", "t.conf:1: media.addresses[0]: ", "such as"},
	{"media: { addresses = (\"fe80::1\"); };", "t.conf:1: media.addresses[0]: ", "link-local"},
	{"media: { addresses = (\"2001:db8::1\", \"2001:DB8:0::1\"); };",
		"t.conf:1: media.addresses[1]: ", "twice"},
	{"media: { " MEDIA " }; sip: { address = \"198.18.0.1\"; second_address = \"198.18.0.2\"; };",
		"t.conf:1: sip.second_address: ", "one IPv4 and one IPv6"},
	{"sip: { trunks = ({ name = \"a\"; address = \"2001:db8::1/32\"; }); };",
		"t.conf:1: sip.trunks[0].address: ", "first address"},
	{"sip: { trunks = ({ name = \"a\"; address = \"::/0\"; dscp = 64; }); };",
		"t.conf:1: sip.trunks[0].dscp: ", "-1 to 63"},
	{"media: { " MEDIA
	 " }; sip: { trunks = ({ name = \"a\"; address = \"::/0\"; media = \"ipv6\"; }); };",
		"t.conf:1: sip.trunks[0].media: ", "has none of"},
	{"media: { addresses = (3); };", "t.conf:1: media.addresses[0]: ", "double quotes"},
	{"media: { addresses = \"198.18.0.2\"; };", "t.conf:1: media.addresses: ", "not a list"},
	{"media: { ports = (\"eth0\"); };", "t.conf:1: media.ports[0]: ", "not a group"},
	{"media: { ports = ({ kind = \"pci\"; }); };", "t.conf:1: media.ports[0].kind: ", "\"af_packet\""},
	{"media: { addresses = (\"198.18.0.2\"); ports = ({ kind = \"dpdk\"; }); };",
		"t.conf:1: media.ports[0].device: ", "PCI"},
	{"media: { addresses = (\"198.18.0.2\"); ports = ({ kind = \"af_xdp\"; }); };",
		"t.conf:1: media.ports[0].interface: ", "interface"},
	{"media: { addresses = (\"198.18.0.2\"); ports = (\n{ interface = \"a\"; },\n{ interface = \"a\"; "
	 "}); };",
		"t.conf:3: media.ports[1].interface: ", "another port"},
	{"sip: { trunks = ({ name = \"a\"; }); };", "t.conf:1: sip.trunks[0].address: ", "missing"},
	{"sip: { trunks = ({ name = \"a\"; address = \"1.2.3.4/8\"; }); };",
		"t.conf:1: sip.trunks[0].address: ", "first address"},
	{"media: { " MEDIA " }; sip: { trunks = ({ name = \"a\"; address = \"1.2.3.4\"; },\n"
	 "{ name = \"a\"; address = \"1.2.3.5\"; }); };",
		"t.conf:2: sip.trunks[1].name: ", "each once"},
	{"media: { " MEDIA " }; sip: { trunks = ({ name = \"a\"; address = \"1.2.3.4\"; },\n"
	 "{ name = \"b\"; address = \"1.2.3.4/32\"; }); };",
		"t.conf:2: sip.trunks[1].address: ", "each range once"},
	{"http: { allow = (\"localhost\"); };", "t.conf:1: http.allow[0]: ", "a.b.c.d/n"},
	{"media: { " MEDIA " }; http: { total_ms = 1000; };", "t.conf:1: http.total_ms: ", "at least 5000"},
	{"registry = \"\";", "t.conf:1: registry: ", "a path"},
	{"node: { name = \"a\";\n name = \"b\"; };", "t.conf:2: ", "duplicate"},
	{"node: {\n name = };", "t.conf:2: ", "syntax error"},
	{"node: { name = \"a", "t.conf:1: ", "allowed"},
};

START_TEST(refused)
{
	memset(&settings, 0x5a, sizeof(settings));
	struct settings before = settings;
	why[0] = '\0';
	ck_assert_int_eq(parse(bad[_i].text), -EINVAL);
	ck_assert_msg(!strncmp(why, bad[_i].start, strlen(bad[_i].start)), "%s\ndoes not begin with %s", why,
		bad[_i].start);
	ck_assert_msg(strstr(why, bad[_i].part) != NULL, "%s\nlacks %s", why, bad[_i].part);
	ck_assert_int_eq(memcmp(&before, &settings, sizeof(before)), 0);
}
END_TEST

START_TEST(too_many)
{
	char text[8192] = "media: { addresses = (\"10.0.0.0\"";
	for (int i = 1; i <= SETTINGS_ADDRS_MAX; i++)
		sprintf(text + strlen(text), ",\"10.0.0.%d\"", i);
	strcat(text, "); };");
	ck_assert_int_eq(parse(text), -EINVAL);
	ck_assert_ptr_nonnull(strstr(why, "at most 64"));
}
END_TEST

START_TEST(nul_byte)
{
	static const char text[] = "media: { " MEDIA " };\0node: { name = 3; };";
	ck_assert_int_eq(
		settings_parse(text, sizeof(text) - 1, "t.conf", NULL, &settings, why, sizeof(why)), -EINVAL);
	ck_assert_ptr_nonnull(strstr(why, "NUL"));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("settings_parse");
	TCase *tc = tcase_create("all");
	tcase_add_test(tc, smallest);
	tcase_add_test(tc, everything);
	tcase_add_loop_test(tc, refused, 0, sizeof(bad) / sizeof(bad[0]));
	tcase_add_test(tc, too_many);
	tcase_add_test(tc, nul_byte);
	suite_add_tcase(suite, tc);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
