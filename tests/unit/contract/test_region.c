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

/* The header of the region that is open. */
static struct tg_header *header(void)
{
	return (struct tg_header *)((char *)tg_region_timebase(region) -
				    offsetof(struct tg_header, timebase));
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
	region = first;
	struct tg_header *h = header();
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

static void write_file(const char *bytes, size_t n, off_t size)
{
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, bytes, n), (ssize_t)n);
	if (size)
		ck_assert_int_eq(ftruncate(fd, size), 0);
	close(fd);
}

/* Whether something lies beside the region, and how many bytes of it; it is removed. */
static off_t take_aside(void)
{
	char aside[sizeof(path) + 16];
	struct stat st;
	snprintf(aside, sizeof(aside), "%s.damaged", path);
	if (stat(aside, &st))
		return -1;
	ck_assert_int_eq(unlink(aside), 0);
	return st.st_size;
}

/* No reader believes what lies there; a plane moves it aside, says what it was, and makes a new one. */
static void check_moved_aside(const char *what)
{
	struct tg_capacity cap = capacity();
	struct stat st;
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_int_eq(open_as(TG_ROLE_READER, NULL), -EUCLEAN);
	ck_assert_int_eq(take_aside(), -1);
	ck_assert_msg(!open_as(TG_ROLE_DATAPLANE, &cap), "%s", why);
	ck_assert(tg_region_created(region));
	ck_assert_ptr_nonnull(tg_region_moved_aside(region));
	ck_assert_msg(
		strstr(tg_region_moved_aside(region), what) != NULL, "%s", tg_region_moved_aside(region));
	ck_assert_ptr_nonnull(strstr(tg_region_moved_aside(region), ".damaged"));
	ck_assert_int_eq(take_aside(), st.st_size);
	tg_region_close(region);
	ck_assert_int_eq(open_as(TG_ROLE_READER, NULL), 0);
	tg_region_close(region);
}

static void fill_with_noise(uint8_t *to, size_t n)
{
	uint32_t x = 12345;
	for (size_t i = 0; i < n; i++)
		to[i] = (uint8_t)((x = x * 1664525 + 1013904223) >> 24);
}

START_TEST(what_is_no_region_is_moved_aside)
{
	static uint8_t noise[1 << 16];
	uint64_t magic = TG_REGION_MAGIC;
	make_dir();
	ck_assert_int_eq(open_as(TG_ROLE_READER, NULL), -ENOENT);
	write_file("hello", 5, 0);
	check_moved_aside("no region in its 5 bytes");
	fill_with_noise(noise, sizeof(noise));
	write_file((char *)noise, sizeof(noise), 4 << 20);
	check_moved_aside("no region in its 4194304 bytes");
	/* The right magic, and nothing or noise behind it. */
	write_file((char *)&magic, sizeof(magic), 4 << 20);
	check_moved_aside("layout version 0");
	memcpy(noise, &magic, sizeof(magic));
	write_file((char *)noise, sizeof(noise), 4 << 20);
	check_moved_aside("layout version");
	remove_dir();
}
END_TEST

START_TEST(an_unfinished_region_is_made_anew)
{
	struct tg_capacity cap = capacity();
	make_dir();
	write_file("", 0, 4 << 20);
	ck_assert_int_eq(open_as(TG_ROLE_READER, NULL), -EUCLEAN);
	ck_assert_int_eq(open_as(TG_ROLE_DATAPLANE, &cap), 0);
	ck_assert(tg_region_created(region));
	ck_assert_ptr_null(tg_region_moved_aside(region));
	tg_region_close(region);
	remove_dir();
}
END_TEST

static void begin_damage(void)
{
	struct tg_capacity cap = capacity();
	ck_assert_int_eq(open_as(TG_ROLE_CONTROL, &cap), 0);
}

static void end_damage(const char *what)
{
	tg_region_close(region);
	check_moved_aside(what);
}

START_TEST(a_damaged_region_is_moved_aside)
{
	struct stat st;
	make_dir();
	begin_damage();
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_int_eq(truncate(path, st.st_size / 2), 0);
	end_damage("truncated");
	begin_damage();
	header()->part[TG_PART_INGRESS].offset = 1ull << 40;
	end_damage("parts that lie elsewhere");
	begin_damage();
	header()->part[TG_PART_METERS].offset = header()->part[TG_PART_EVENTS].offset;
	end_damage("parts that lie elsewhere");
	begin_damage();
	header()->total_bytes = 4096;
	end_damage("parts that lie elsewhere");
	begin_damage();
	header()->capacity.ports = 65534;
	end_damage("a capacity out of range");
	begin_damage();
	header()->struct_bytes[TG_STRUCT_tg_event] = 0xdeadbeef;
	end_damage("a tg_event of 3735928559 bytes");
	begin_damage();
	memset(tg_region_meters(region, 1)->ring, 0xff, 64);
	end_damage("a damaged meter ring of worker 1");
	begin_damage();
	atomic_store(&tg_region_timebase(region)->ticks_per_s, 0);
	end_damage("a damaged clock");
	begin_damage();
	atomic_store(&tg_region_timebase(region)->ns_per_tick_q32, 1);
	end_damage("a damaged clock");
	remove_dir();
}
END_TEST

/* Somebody writes over the header of a region that is open: who has it open is not led astray. */
START_TEST(a_header_that_turns_to_noise_is_not_read_again)
{
	struct tg_capacity cap = capacity();
	make_dir();
	begin_damage();
	uint64_t id = tg_region_id(region);
	const struct tg_egress *row = tg_region_egress(region, 63);
	struct tg_worker_stats *stats = tg_region_stats(region, 1);
	fill_with_noise((uint8_t *)&header()->total_bytes,
		offsetof(struct tg_header, generation) - offsetof(struct tg_header, total_bytes));
	ck_assert_uint_eq(tg_region_id(region), id);
	ck_assert_uint_eq(tg_region_legs(region), 64);
	ck_assert_mem_eq(tg_region_capacity(region), &cap, sizeof(cap));
	ck_assert_ptr_eq(tg_region_egress(region, 63), row);
	ck_assert_ptr_eq(tg_region_stats(region, 1), stats);
	end_damage("damaged");
	remove_dir();
}
END_TEST

START_TEST(a_ring_with_more_records_than_room_is_damaged)
{
	struct tg_ring *ring;
	make_dir();
	begin_damage();
	ring = (struct tg_ring *)tg_region_events(region, 0);
	uint64_t record[64] = {0};
	ck_assert_int_eq(tg_ring_push(ring, record), 0);
	/* The consumer's tail lies a cache line or two behind the producer's: all but the first line, as
	 * noise. */
	fill_with_noise((uint8_t *)ring->ring + 2 * TG_CACHE_LINE, 8);
	tg_region_close(region);
	struct tg_capacity cap = capacity();
	ck_assert_int_eq(open_as(TG_ROLE_DATAPLANE, &cap), 0);
	ck_assert_ptr_nonnull(tg_region_moved_aside(region));
	tg_region_close(region);
	ck_assert_int_gt(take_aside(), 0);
	remove_dir();
}
END_TEST

START_TEST(what_the_other_plane_has_open_is_left_alone)
{
	struct tg_capacity cap = capacity();
	make_dir();
	begin_damage();
	struct tg_region *first = region;
	uint64_t magic = TG_REGION_MAGIC;
	atomic_store(&header()->magic, 1);
	ck_assert_int_eq(open_as(TG_ROLE_DATAPLANE, &cap), -EUCLEAN);
	ck_assert_ptr_nonnull(strstr(why, "the other plane has it open"));
	/* Not even what looks unfinished is made anew under its feet. */
	region = first;
	atomic_store(&header()->magic, 0);
	ck_assert_int_eq(open_as(TG_ROLE_DATAPLANE, &cap), -EUCLEAN);
	region = first;
	atomic_store(&header()->magic, magic);
	header()->total_bytes++;
	ck_assert_int_eq(open_as(TG_ROLE_DATAPLANE, &cap), -EUCLEAN);
	ck_assert_int_eq(take_aside(), -1);
	region = first;
	header()->total_bytes--;
	ck_assert_int_eq(open_as(TG_ROLE_DATAPLANE, &cap), 0);
	tg_region_close(region);
	tg_region_close(first);
	remove_dir();
}
END_TEST

START_TEST(of_damaged_ones_the_newest_is_kept)
{
	struct tg_capacity cap = capacity();
	make_dir();
	for (int i = 0; i < 2; i++) {
		write_file("other", 5 - (size_t)i, 0);
		ck_assert_int_eq(open_as(TG_ROLE_DATAPLANE, &cap), 0);
		tg_region_close(region);
		ck_assert_int_eq(unlink(path), 0);
	}
	ck_assert_int_eq(take_aside(), 4);
	remove_dir();
}
END_TEST

START_TEST(another_nodes_region_is_refused_with_both_names)
{
	struct tg_capacity cap = capacity();
	const char *longest = "a-name-that-is-longer-than-what-the-region-keeps-of-it";
	make_dir();
	ck_assert_int_eq(open_as(TG_ROLE_CONTROL, &cap), 0);
	ck_assert_int_eq(tg_region_claim(region, "gw1", why, sizeof(why)), 0);
	ck_assert_int_eq(tg_region_claim(region, "gw1", why, sizeof(why)), 0);
	ck_assert_int_eq(tg_region_claim(region, "gw2", why, sizeof(why)), -EPROTO);
	ck_assert_ptr_nonnull(strstr(why, "\"gw1\""));
	ck_assert_ptr_nonnull(strstr(why, "\"gw2\""));
	tg_region_close(region);
	unlink(path);
	ck_assert_int_eq(open_as(TG_ROLE_CONTROL, &cap), 0);
	ck_assert_int_eq(tg_region_claim(region, longest, why, sizeof(why)), 0);
	ck_assert_int_eq(tg_region_claim(region, longest, why, sizeof(why)), 0);
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
	another_capacity_or_build_is_refused_with_both_values, what_is_no_region_is_moved_aside,
	an_unfinished_region_is_made_anew, a_damaged_region_is_moved_aside,
	a_header_that_turns_to_noise_is_not_read_again, a_ring_with_more_records_than_room_is_damaged,
	what_the_other_plane_has_open_is_left_alone, of_damaged_ones_the_newest_is_kept,
	another_nodes_region_is_refused_with_both_names, a_failed_creation_leaves_nothing_behind,
	two_that_start_together_make_one_region)
