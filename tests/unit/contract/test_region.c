#include "contract/region.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "contract/region_layout.h"
#include "tests/unit/contract/suite.h"

static char dir[SUITE_DIRECTORY_BYTES], path[128], why[1024];
static struct tg_region *region;

static struct tg_capacity capacity(void)
{
	struct tg_capacity cap = {.workers = 2,
		.addresses = 2,
		.port_min = 20000,
		.ports = 64,
		.media_items = 4,
		.arena_bytes = 1 << 20};
	cap.address[0] = tg_addr_ipv4(0x020012c6);
	cap.address[1] = tg_addr_ipv4(0x030012c6);
	return cap;
}

static void make_dir(void)
{
	suite_directory(dir);
	snprintf(path, sizeof(path), "%s/region", dir);
}

static void remove_dir(void)
{
	unlink(path);
	rmdir(dir);
}

static int open_as(enum tg_role role, const struct tg_capacity *cap)
{
	why[0] = '\0';
	return tg_region_open(&region, dir, "region", cap, role, why, sizeof(why));
}

START_TEST(the_first_creates_and_the_others_find_the_same)
{
	struct tg_capacity cap = capacity();
	struct tg_region *first, *second;
	make_dir();
	ck_assert_int_eq(open_as(TG_ROLE_CONTROL, &cap), 0);
	first = region;
	ck_assert(tg_region_created(first));
	ck_assert(!tg_region_on_huge_pages(first));
	ck_assert_uint_eq(tg_region_legs(first), 64);
	atomic_store(&tg_region_egress(first, 63)->generation, 77);
	ck_assert_int_eq(open_as(TG_ROLE_DATAPLANE, &cap), 0);
	second = region;
	ck_assert(!tg_region_created(second));
	ck_assert_uint_eq(tg_region_id(first), tg_region_id(second));
	ck_assert_uint_ne(tg_region_id(first), 0);
	ck_assert_uint_eq(tg_region_egress(second, 63)->generation, 77);
	ck_assert_int_eq(open_as(TG_ROLE_READER, NULL), 0);
	ck_assert_uint_eq(tg_region_egress(region, 63)->generation, 77);
	tg_region_beat(first, TG_ROLE_CONTROL, 42);
	int pid;
	ck_assert_uint_eq(tg_region_last_beat(region, TG_ROLE_CONTROL, &pid), 42);
	ck_assert_int_eq(pid, getpid());
	ck_assert_uint_eq(tg_region_last_beat(region, TG_ROLE_DATAPLANE, &pid), 0);
	tg_region_close(region);
	tg_region_close(first);
	tg_region_close(second);
	remove_dir();
}
END_TEST

START_TEST(parts_neither_overlap_nor_leave_the_file)
{
	struct tg_capacity cap = capacity();
	struct tg_header h;
	tg_layout(&h, &cap);
	uint64_t end = sizeof(h);
	for (int p = 0; p < TG_PARTS; p++) {
		ck_assert_uint_ge(h.part[p].offset, end);
		ck_assert_uint_eq(h.part[p].offset % 64, 0);
		if (p != TG_PART_IPV6)
			ck_assert_uint_gt(h.part[p].bytes, 0);
		end = h.part[p].offset + h.part[p].bytes;
	}
	ck_assert_uint_le(end, h.total_bytes);
	ck_assert_uint_eq(h.part[TG_PART_INGRESS].bytes, 64 * sizeof(struct tg_ingress));
}
END_TEST

START_TEST(ipv6_costs_memory_only_where_there_is_some)
{
	struct tg_capacity cap = capacity();
	struct tg_header h;
	tg_layout(&h, &cap);
	ck_assert_uint_eq(h.part[TG_PART_IPV6].bytes, 0);
	cap.address[1] = (struct tg_addr){.b = {0x20, 0x01, [15] = 1}, .family = TG_FAMILY_IPV6};
	cap.ipv6_addresses = 1;
	tg_layout(&h, &cap);
	ck_assert_uint_eq(h.part[TG_PART_IPV6].bytes, 64 * sizeof(struct tg_leg_ipv6));
}
END_TEST

START_TEST(addresses_out_of_order_are_refused)
{
	struct tg_capacity cap = capacity();
	cap.address[0] = (struct tg_addr){.b = {0x20, 0x01, [15] = 1}, .family = TG_FAMILY_IPV6};
	cap.ipv6_addresses = 1; /* it is the first that is IPv6 */
	make_dir();
	ck_assert_int_eq(
		tg_region_open(&region, dir, "region", &cap, TG_ROLE_DATAPLANE, why, sizeof(why)), -EINVAL);
	cap.ipv6_addresses = 3;
	ck_assert_int_eq(
		tg_region_open(&region, dir, "region", &cap, TG_ROLE_DATAPLANE, why, sizeof(why)), -EINVAL);
	remove_dir();
}
END_TEST

START_TEST(a_second_process_of_a_role_is_kept_out_until_the_first_is_dead)
{
	struct tg_capacity cap = capacity();
	int go[2], status;
	char byte;
	make_dir();
	ck_assert_int_eq(pipe(go), 0);
	pid_t child = fork();
	if (!child) {
		int e = open_as(TG_ROLE_DATAPLANE, &cap);
		if (write(go[1], "x", 1) != 1)
			_exit(1);
		pause();
		_exit(e ? 1 : 0);
	}
	ck_assert_int_eq(read(go[0], &byte, 1), 1);
	ck_assert_int_eq(open_as(TG_ROLE_DATAPLANE, &cap), -EBUSY);
	ck_assert_ptr_nonnull(strstr(why, "stop it first"));
	kill(child, SIGKILL);
	waitpid(child, &status, 0);
	ck_assert_int_eq(open_as(TG_ROLE_DATAPLANE, &cap), 0);
	tg_region_close(region);
	remove_dir();
}
END_TEST

START_TEST(another_capacity_or_build_is_refused_with_both_values)
{
	struct tg_capacity cap = capacity();
	make_dir();
	ck_assert_int_eq(open_as(TG_ROLE_CONTROL, &cap), 0);
	struct tg_region *first = region;
	cap.workers = 1;
	ck_assert_int_eq(open_as(TG_ROLE_DATAPLANE, &cap), -EPROTO);
	ck_assert_ptr_nonnull(strstr(why, "2 workers"));
	cap = capacity();
	/* The header lies at the start of the mapping that the first desired row's offset leads back to. */
	struct tg_header *h = (struct tg_header *)((char *)tg_region_capacity(first) -
						   offsetof(struct tg_header, capacity));
	h->struct_bytes[TG_STRUCT_tg_egress] = 999;
	ck_assert_int_eq(open_as(TG_ROLE_DATAPLANE, &cap), -EPROTO);
	ck_assert_ptr_nonnull(strstr(why, "tg_egress of 999 bytes"));
	h->layout_version = 12345;
	ck_assert_int_eq(open_as(TG_ROLE_DATAPLANE, &cap), -EPROTO);
	ck_assert_ptr_nonnull(strstr(why, "12345"));
	tg_region_close(first);
	remove_dir();
}
END_TEST

START_TEST(a_truncated_region_is_refused)
{
	struct tg_capacity cap = capacity();
	make_dir();
	ck_assert_int_eq(open_as(TG_ROLE_CONTROL, &cap), 0);
	tg_region_close(region);
	struct stat st;
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_int_eq(truncate(path, st.st_size / 2), 0);
	ck_assert_int_eq(open_as(TG_ROLE_DATAPLANE, &cap), -EUCLEAN);
	ck_assert_int_eq(open_as(TG_ROLE_READER, NULL), -EUCLEAN);
	remove_dir();
}
END_TEST

START_TEST(a_damaged_ring_is_refused)
{
	struct tg_capacity cap = capacity();
	make_dir();
	ck_assert_int_eq(open_as(TG_ROLE_CONTROL, &cap), 0);
	memset(tg_region_meters(region, 1)->ring, 0xff, 64);
	tg_region_close(region);
	ck_assert_int_eq(open_as(TG_ROLE_DATAPLANE, &cap), -EUCLEAN);
	remove_dir();
}
END_TEST

static void write_file(const char *bytes, size_t n, off_t size)
{
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, bytes, n), (ssize_t)n);
	if (size)
		ck_assert_int_eq(ftruncate(fd, size), 0);
	close(fd);
}

START_TEST(what_is_no_region_is_never_read_as_one)
{
	struct tg_capacity cap = capacity();
	make_dir();
	ck_assert_int_eq(open_as(TG_ROLE_READER, NULL), -ENOENT);
	write_file("hello", 5, 0);
	ck_assert_int_eq(open_as(TG_ROLE_READER, NULL), -EUCLEAN);
	/* The right magic and nothing behind it: a reader may not believe the capacity. */
	uint64_t magic = TG_REGION_MAGIC;
	write_file((char *)&magic, sizeof(magic), 4 << 20);
	ck_assert_int_lt(open_as(TG_ROLE_READER, NULL), 0);
	ck_assert_int_eq(open_as(TG_ROLE_DATAPLANE, &cap), -EPROTO);
	/* Unfinished: whoever comes next makes it anew. */
	write_file("", 0, 4 << 20);
	ck_assert_int_eq(open_as(TG_ROLE_DATAPLANE, &cap), 0);
	ck_assert(tg_region_created(region));
	tg_region_close(region);
	remove_dir();
}
END_TEST

START_TEST(a_failed_creation_leaves_nothing_behind)
{
	struct tg_capacity cap = capacity();
	struct stat st;
	make_dir();
	cap.arena_bytes = 1ull << 50;
	ck_assert_int_lt(open_as(TG_ROLE_DATAPLANE, &cap), 0);
	ck_assert_str_ne(why, "");
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_int_eq(st.st_size, 0);
	cap = capacity();
	ck_assert_int_eq(open_as(TG_ROLE_DATAPLANE, &cap), 0);
	tg_region_close(region);
	cap.ports = 3;
	ck_assert_int_eq(open_as(TG_ROLE_DATAPLANE, &cap), -EINVAL);
	remove_dir();
}
END_TEST

START_TEST(two_that_start_together_make_one_region)
{
	struct tg_capacity cap = capacity();
	for (int round = 0; round < 20; round++) {
		int status;
		make_dir();
		pid_t child = fork();
		if (!child) {
			if (open_as(TG_ROLE_CONTROL, &cap))
				_exit(100);
			_exit(tg_region_created(region));
		}
		ck_assert_int_eq(open_as(TG_ROLE_DATAPLANE, &cap), 0);
		waitpid(child, &status, 0);
		ck_assert_int_eq(WEXITSTATUS(status) + tg_region_created(region), 1);
		tg_region_close(region);
		remove_dir();
	}
}
END_TEST

TESTS("region", ipv6_costs_memory_only_where_there_is_some, addresses_out_of_order_are_refused,
	the_first_creates_and_the_others_find_the_same, parts_neither_overlap_nor_leave_the_file,
	a_second_process_of_a_role_is_kept_out_until_the_first_is_dead,
	another_capacity_or_build_is_refused_with_both_values, a_truncated_region_is_refused,
	a_damaged_ring_is_refused, what_is_no_region_is_never_read_as_one,
	a_failed_creation_leaves_nothing_behind, two_that_start_together_make_one_region)
