#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "contract/region.h"
#include "settings/settings.h"

static char dir[32], path[64], why[600];

static void setup(void)
{
	strcpy(dir, "/tmp/settings.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/node.conf", dir);
}

static void teardown(void)
{
	unlink(path);
	rmdir(dir);
}

static void write_file(const char *text)
{
	FILE *f = fopen(path, "w");
	ck_assert_ptr_nonnull(f);
	fputs(text, f);
	fclose(f);
}

START_TEST(sample_is_the_defaults)
{
	FILE *f = fopen(path, "w");
	ck_assert_ptr_nonnull(f);
	settings_print_sample(f);
	fclose(f);
	struct settings got, defaults;
	ck_assert_msg(settings_load(path, &got, why, sizeof(why)) == 0, "%s", why);
	settings_defaults(&defaults);
#define SECTION(name, help)                         ck_assert(!memcmp(&got.name, &defaults.name, sizeof(got.name)));
#define INT(section, key, def, min, max, help)      ck_assert_int_eq(got.section.key, def);
#define BOOL(section, key, def, help)               ck_assert(got.section.key == def);
#define TEXT(section, key, bytes, def, check, help) ck_assert_str_eq(got.section.key, def);
#define LISTED(section, key)
#define SECTION_END(name)
#include "settings/settings.def"
	ck_assert_int_eq(got.media_addresses, 1);
	ck_assert_int_eq(got.ports, 1);
	ck_assert_int_eq(got.trunks, 1);
}
END_TEST

START_TEST(registry_beside_the_file)
{
	write_file("media: { addresses = (\"10.0.0.1\"); ports = ({ interface = \"x\"; }); };");
	struct settings got;
	ck_assert_msg(settings_load(path, &got, why, sizeof(why)) == 0, "%s", why);
	char expected[80];
	snprintf(expected, sizeof(expected), "%s/registry.conf", dir);
	ck_assert_str_eq(got.registry, expected);
}
END_TEST

START_TEST(unreadable)
{
	struct settings got;
	ck_assert_int_eq(settings_load("/nonexistent/x.conf", &got, why, sizeof(why)), -ENOENT);
	ck_assert_ptr_nonnull(strstr(why, "/nonexistent/x.conf: No such file"));
}
END_TEST

START_TEST(error_names_file_and_line)
{
	write_file("node: {\n name = 1;\n};");
	struct settings got;
	ck_assert_int_eq(settings_load(path, &got, why, sizeof(why)), -EINVAL);
	char start[80];
	snprintf(start, sizeof(start), "%s:2: node.name: ", path);
	ck_assert_msg(!strncmp(why, start, strlen(start)), "%s", why);
}
END_TEST

START_TEST(capacity)
{
	struct settings s;
	settings_defaults(&s);
	s.media_address[0] = tg_addr_ipv4(0x0100000a);
	s.media_addresses = 1;
	struct tg_capacity cap;
	settings_capacity(&s, &cap);
	ck_assert_uint_eq(cap.workers, 1);
	ck_assert_uint_eq(cap.addresses, 1);
	ck_assert_uint_eq(cap.port_min, 20000);
	ck_assert_uint_eq(cap.ports, 10000);
	ck_assert_uint_eq(cap.media_items, 1024);
	ck_assert_uint_eq(cap.arena_bytes, 64u << 20);
	ck_assert_uint_eq(tg_addr_ipv4_be(&cap.address[0]), 0x0100000a);
	ck_assert_uint_eq(tg_capacity_legs(&cap), 5000);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("settings");
	TCase *tc = tcase_create("all");
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, sample_is_the_defaults);
	tcase_add_test(tc, registry_beside_the_file);
	tcase_add_test(tc, unreadable);
	tcase_add_test(tc, error_names_file_and_line);
	tcase_add_test(tc, capacity);
	suite_add_tcase(suite, tc);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
