#include <arpa/inet.h>
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "controlplane/sip/source.h"
#include "settings/settings_check.h"

static struct settings settings;
static struct source_table table;

static void setup(void)
{
	memset(&settings, 0, sizeof(settings));
	settings.trunks = 2;
	settings.trunk[0] = (struct settings_trunk){.name = "net",
		.range = {{.b = {198, 18}, .family = TG_FAMILY_IPV4}, 16},
		.calls_per_second = 10,
		.max_calls = 20};
	settings.trunk[1] = (struct settings_trunk){.name = "host",
		.range = {{.b = {192, 0, 2, 1}, .family = TG_FAMILY_IPV4}, 32},
		.calls_per_second = 1,
		.max_calls = 1};
	source_init(&table, &settings, 0);
}

static int find(uint32_t ip)
{
	struct tg_addr address = tg_addr_ipv4(htonl(ip));
	return source_find(&table, &address);
}

static int find_text(const char *text)
{
	struct tg_addr address;
	ck_assert(tg_addr_parse(text, &address));
	return source_find(&table, &address);
}

START_TEST(found_by_ipv6_address)
{
	ck_assert_ptr_null(settings_parse_range("2001:db8:1::/48", &table.trunk[1].range));
	ck_assert_int_eq(find_text("2001:db8:1::1"), 1);
	ck_assert_int_eq(find_text("2001:db8:1:ffff::1"), 1);
	ck_assert_int_eq(find_text("2001:db8:2::1"), -1);
	ck_assert_int_eq(find_text("198.18.0.1"), 0);
	/* An IPv6 address whose first bytes are those of an IPv4 range is in none. */
	ck_assert_int_eq(find_text("c612::1"), -1);
	ck_assert_int_eq(find_text("::ffff:198.18.0.1"), -1);
}
END_TEST

START_TEST(found_by_address)
{
	ck_assert_int_eq(find(0xc6120001), 0);
	ck_assert_int_eq(find(0xc612ffff), 0);
	ck_assert_int_eq(find(0xc6130000), -1);
	ck_assert_int_eq(find(0xc0000201), 1);
	ck_assert_int_eq(find(0xc0000202), -1);
	ck_assert_int_eq(find(0), -1);
	ck_assert_str_eq(table.trunk[1].name, "host");
}
END_TEST

static int admitted(int calls, uint64_t now)
{
	int n = 0;
	for (int i = 0; i < calls; i++)
		if (source_admit(&table, 0, now) == SOURCE_ADMITTED) {
			source_release(&table, 0);
			n++;
		}
	return n;
}

START_TEST(rate)
{
	ck_assert_int_eq(admitted(100, 0), 10);
	ck_assert_int_eq(admitted(100, 99 * CLOCK_NS_PER_MS), 0);
	ck_assert_int_eq(admitted(100, 100 * CLOCK_NS_PER_MS), 1);
	ck_assert_int_eq(admitted(100, 600 * CLOCK_NS_PER_MS), 5);
	/* A quiet hour saves up one second's worth, and a clock that steps back nothing. */
	ck_assert_int_eq(admitted(100, 3600 * CLOCK_NS_PER_S), 10);
	ck_assert_int_eq(admitted(100, 3599 * CLOCK_NS_PER_S), 0);
	ck_assert_int_eq(source_admit(&table, 0, 3599 * CLOCK_NS_PER_S), SOURCE_RATE);
}
END_TEST

/* Beyond the limits, which count from then on. */
START_TEST(adopted)
{
	source_adopt(&table, 1);
	source_adopt(&table, 1);
	ck_assert_int_eq(source_admit(&table, 1, 0), SOURCE_LIMIT);
	source_release(&table, 1);
	ck_assert_int_eq(source_admit(&table, 1, 0), SOURCE_LIMIT);
	source_release(&table, 1);
	ck_assert_int_eq(source_admit(&table, 1, 0), SOURCE_ADMITTED);
}
END_TEST

START_TEST(calls_at_a_time)
{
	ck_assert_int_eq(source_admit(&table, 1, 0), SOURCE_ADMITTED);
	ck_assert_int_eq(source_admit(&table, 1, 10 * CLOCK_NS_PER_S), SOURCE_LIMIT);
	source_release(&table, 1);
	ck_assert_int_eq(source_admit(&table, 1, 10 * CLOCK_NS_PER_S), SOURCE_ADMITTED);
	/* What is refused costs nothing, and one trunk's calls nothing to another. */
	ck_assert_int_eq(source_admit(&table, 0, 10 * CLOCK_NS_PER_S), SOURCE_ADMITTED);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("source");
	TCase *t = tcase_create("all");
	tcase_add_checked_fixture(t, setup, NULL);
	tcase_add_test(t, found_by_address);
	tcase_add_test(t, found_by_ipv6_address);
	tcase_add_test(t, rate);
	tcase_add_test(t, adopted);
	tcase_add_test(t, calls_at_a_time);
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
