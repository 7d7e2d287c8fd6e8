#include "contract/region.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "contract/region_layout.h"

#define HUGETLBFS_MAGIC_NUMBER 0x958458f6
#define HUGE_PAGE_BYTES        ((size_t)2 << 20)
/* How long to wait for another process that is creating the region. */
#define CREATE_WAIT_MS 5000

struct tg_region {
	uint8_t *base;
	size_t bytes;
	int fd;
	enum tg_role role;
	bool created, huge;
	struct tg_header *header;
	struct tg_ring commands[TG_WORKERS_MAX], events[TG_WORKERS_MAX], meters[TG_WORKERS_MAX];
};

static int explain(char *why, size_t n, int e, const char *fmt, ...) __attribute__((format(printf, 4, 5)));
static int explain(char *why, size_t n, int e, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(why, n, fmt, ap);
	va_end(ap);
	return e;
}

static void pause_ms(long ms)
{
	struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
	nanosleep(&t, NULL);
}

/* One byte of the file stands for each role; the kernel gives the lock back when the process dies. */
static int lock_role(int fd, enum tg_role role)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = (off_t)role, .l_len = 1};
	return fcntl(fd, F_OFD_SETLK, &lock) ? -errno : 0;
}

/* Who can write to the region rules the dataplane, and who can cut it short kills both planes. A reader that
 * is root looks at other users' too. */
static int check_owner(const struct tg_region *r, const char *path, char *why, size_t n)
{
	struct stat st;
	if (fstat(r->fd, &st))
		return explain(why, n, -errno, "region %s: %s", path, strerror(errno));
	bool ours = st.st_uid == geteuid() || st.st_uid == 0 || (r->role == TG_ROLE_READER && !geteuid());
	if (S_ISREG(st.st_mode) && ours && !(st.st_mode & (S_IWGRP | S_IWOTH)))
		return 0;
	return explain(why, n, -EPERM,
		"region %s belongs to user %u or others may write to it (mode %o): find out whose it is, "
		"remove "
		"it, start again",
		path, (unsigned)st.st_uid, (unsigned)st.st_mode & 07777);
}

static int check_header(
	const struct tg_header *found, const struct tg_header *wanted, const char *path, char *why, size_t n)
{
	if (found->layout_version != wanted->layout_version)
		return explain(why, n, -EPROTO,
			"region %s has layout version %u, this program has %u: let calls end, stop both "
			"planes, remove "
			"the file, start again",
			path, found->layout_version, wanted->layout_version);
	if (memcmp(found->struct_bytes, wanted->struct_bytes, sizeof(found->struct_bytes)))
		for (int i = 0; i < TG_STRUCTS; i++)
			if (found->struct_bytes[i] != wanted->struct_bytes[i])
				return explain(why, n, -EPROTO,
					"region %s has a %s of %u bytes, this program has %u: the planes are "
					"of "
					"different builds; stop both, remove the file, start again",
					path, tg_struct_name[i], found->struct_bytes[i],
					wanted->struct_bytes[i]);
	if (memcmp(&found->capacity, &wanted->capacity, sizeof(found->capacity)))
		return explain(why, n, -EPROTO,
			"region %s was made for %u workers, %u addresses, ports %u+%u, %u media items, %llu "
			"arena bytes; "
			"the settings now say %u, %u, %u+%u, %u, %llu (or other addresses): stop both "
			"planes, remove the "
			"file, start again",
			path, found->capacity.workers, found->capacity.addresses, found->capacity.port_min,
			found->capacity.ports, found->capacity.media_items,
			(unsigned long long)found->capacity.arena_bytes, wanted->capacity.workers,
			wanted->capacity.addresses, wanted->capacity.port_min, wanted->capacity.ports,
			wanted->capacity.media_items, (unsigned long long)wanted->capacity.arena_bytes);
	return 0;
}

/* IPv4 first, then as many of IPv6 as it says. */
static bool addresses_in_order(const struct tg_capacity *cap)
{
	for (uint32_t a = 0; a < cap->addresses; a++)
		if (cap->address[a].family !=
			(a + cap->ipv6_addresses < cap->addresses ? TG_FAMILY_IPV4 : TG_FAMILY_IPV6))
			return false;
	return cap->ipv6_addresses <= cap->addresses;
}

static int check_capacity(const struct tg_capacity *cap, char *why, size_t n)
{
	if (cap->workers < 1 || cap->workers > TG_WORKERS_MAX || cap->addresses < 1 ||
		cap->addresses > TG_ADDRS_MAX || cap->ports < 2 || (cap->ports & 1) || (cap->port_min & 1) ||
		cap->port_min < 1024 || cap->port_min + cap->ports > 65536 || cap->media_items < 1 ||
		cap->arena_bytes < 4096 || cap->workers > cap->addresses * (cap->ports / 2) ||
		!addresses_in_order(cap))
		return explain(why, n, -EINVAL, "capacity out of range: check media.* in the settings");
	return 0;
}

static int init_rings(struct tg_region *r)
{
	for (uint32_t w = 0; w < r->header->capacity.workers; w++) {
		int e = tg_ring_init(r->base + tg_layout_ring(r->header, TG_PART_COMMANDS, w),
			TG_COMMAND_RING, sizeof(struct tg_command));
		if (!e)
			e = tg_ring_init(r->base + tg_layout_ring(r->header, TG_PART_EVENTS, w),
				TG_EVENT_RING, sizeof(struct tg_event));
		if (!e)
			e = tg_ring_init(r->base + tg_layout_ring(r->header, TG_PART_METERS, w),
				TG_METER_RING, sizeof(struct tg_meter_record));
		if (e)
			return e;
	}
	return 0;
}

static int attach_rings(struct tg_region *r)
{
	for (uint32_t w = 0; w < r->header->capacity.workers; w++) {
		int e = tg_ring_attach(&r->commands[w],
			r->base + tg_layout_ring(r->header, TG_PART_COMMANDS, w), TG_COMMAND_RING,
			sizeof(struct tg_command));
		if (!e)
			e = tg_ring_attach(&r->events[w],
				r->base + tg_layout_ring(r->header, TG_PART_EVENTS, w), TG_EVENT_RING,
				sizeof(struct tg_event));
		if (!e)
			e = tg_ring_attach(&r->meters[w],
				r->base + tg_layout_ring(r->header, TG_PART_METERS, w), TG_METER_RING,
				sizeof(struct tg_meter_record));
		if (e)
			return e;
	}
	return 0;
}

static int map(struct tg_region *r, size_t bytes, const char *path, char *why, size_t n)
{
	int prot = r->role == TG_ROLE_READER ? PROT_READ : PROT_READ | PROT_WRITE;
	void *p = mmap(NULL, bytes, prot, MAP_SHARED, r->fd, 0);
	if (p == MAP_FAILED) {
		int e = -errno;
		if (e == -ENOMEM && r->huge)
			return explain(why, n, e,
				"region %s needs %zu huge pages of 2 MiB that are not free: run `sysctl -w "
				"vm.nr_hugepages=N` with N at least %zu more than are in use",
				path, bytes / HUGE_PAGE_BYTES, bytes / HUGE_PAGE_BYTES);
		return explain(why, n, e, "region %s: cannot map %zu bytes: %s", path, bytes, strerror(-e));
	}
	r->base = p;
	r->bytes = bytes;
	r->header = p;
	return 0;
}

/* Makes the region in an empty (or never finished) file. The magic is written last: until then nobody
 * believes it. Holds the creation lock. */
static int create(struct tg_region *r, const struct tg_header *wanted, const char *path, char *why, size_t n)
{
	if (ftruncate(r->fd, 0) || ftruncate(r->fd, (off_t)wanted->total_bytes)) {
		int e = -errno;
		return explain(why, n, e, "region %s: cannot size it to %llu bytes: %s%s", path,
			(unsigned long long)wanted->total_bytes, strerror(-e),
			r->huge ? "; reserve more huge pages (sysctl vm.nr_hugepages)" : "");
	}
	/* On tmpfs a page that cannot be had later would kill whoever touches it: take them all now. */
	int e = r->huge ? 0 : -posix_fallocate(r->fd, 0, (off_t)wanted->total_bytes);
	if (e)
		return explain(why, n, e,
			"region %s: no room for %llu bytes: %s; make the file system larger or "
			"media.arena_mib smaller",
			path, (unsigned long long)wanted->total_bytes, strerror(-e));
	e = map(r, wanted->total_bytes, path, why, n);
	if (e)
		return e;
	memcpy(r->header, wanted, sizeof(*wanted));
	if (getrandom(&r->header->region_id, sizeof(r->header->region_id), 0) < 0)
		return explain(why, n, -errno, "region %s: no random number", path);
	r->header->region_id >>= 1; /* stays a positive number in JSON */
	e = init_rings(r);
	if (e)
		return explain(why, n, e, "region %s: cannot make the rings", path);
	tg_timebase_start(tg_region_timebase(r));
	atomic_store_explicit(&r->header->magic, TG_REGION_MAGIC, memory_order_release);
	r->created = true;
	return 0;
}

static uint64_t magic_on_file(int fd, uint64_t *bytes)
{
	struct stat st;
	*bytes = 0;
	if (fstat(fd, &st) || (size_t)st.st_size < sizeof(struct tg_header))
		return 0;
	*bytes = (uint64_t)st.st_size;
	void *p = mmap(NULL, HUGE_PAGE_BYTES < (size_t)st.st_size ? HUGE_PAGE_BYTES : (size_t)st.st_size,
		PROT_READ, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		return 0;
	uint64_t magic = atomic_load_explicit(&((struct tg_header *)p)->magic, memory_order_acquire);
	munmap(p, HUGE_PAGE_BYTES < (size_t)st.st_size ? HUGE_PAGE_BYTES : (size_t)st.st_size);
	return magic;
}

static int attach(struct tg_region *r, const struct tg_header *wanted, uint64_t bytes, const char *path,
	char *why, size_t n)
{
	int e = map(r, bytes, path, why, n);
	if (e)
		return e;
	struct tg_header expect;
	if (!wanted) { /* a reader believes the file's own capacity, if it fits */
		e = check_capacity(&r->header->capacity, why, n);
		if (e)
			return e;
		tg_layout(&expect, &r->header->capacity);
		wanted = &expect;
	}
	e = check_header(r->header, wanted, path, why, n);
	if (e)
		return e;
	if (r->header->total_bytes != wanted->total_bytes || r->header->total_bytes > bytes ||
		memcmp(r->header->part, wanted->part, sizeof(wanted->part)))
		return explain(why, n, -EUCLEAN,
			"region %s is truncated or damaged (%llu bytes, its header says %llu): stop both "
			"planes, remove "
			"the file, start again",
			path, (unsigned long long)bytes, (unsigned long long)r->header->total_bytes);
	e = attach_rings(r);
	if (e)
		return explain(why, n, e,
			"region %s: a ring is damaged: stop both planes, remove the file, start again", path);
	return 0;
}

/* Creates under an exclusive lock if nobody has finished one, else attaches. */
static int create_or_attach(
	struct tg_region *r, const struct tg_header *wanted, const char *path, char *why, size_t n)
{
	for (int waited = 0;; waited += 10) {
		uint64_t bytes;
		if (magic_on_file(r->fd, &bytes) == TG_REGION_MAGIC)
			break;
		if (!flock(r->fd, LOCK_EX | LOCK_NB)) {
			int e = 0;
			if (magic_on_file(r->fd, &bytes) != TG_REGION_MAGIC)
				e = create(r, wanted, path, why, n);
			if (e && !ftruncate(r->fd, 0)) /* gives back what a half-made one took */
				r->created = false;
			flock(r->fd, LOCK_UN);
			if (e)
				return e;
			break;
		}
		if (waited >= CREATE_WAIT_MS)
			return explain(why, n, -ETIMEDOUT,
				"region %s: another process has been creating it for %d ms", path,
				CREATE_WAIT_MS);
		pause_ms(10);
	}
	if (r->created) {
		int e = attach_rings(r);
		return e ? explain(why, n, e, "region %s: cannot attach its rings", path) : 0;
	}
	uint64_t bytes;
	magic_on_file(r->fd, &bytes);
	return attach(r, wanted, bytes, path, why, n);
}

static int open_reader(struct tg_region *r, const char *path, char *why, size_t n)
{
	uint64_t bytes;
	if (magic_on_file(r->fd, &bytes) != TG_REGION_MAGIC)
		return explain(why, n, -EUCLEAN, "%s is not a finished region", path);
	return attach(r, NULL, bytes, path, why, n);
}

int tg_region_open(struct tg_region **region, const char *dir, const char *name,
	const struct tg_capacity *cap, enum tg_role role, char *why, size_t n)
{
	char path[PATH_MAX];
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	struct tg_header wanted;
	if (role != TG_ROLE_READER) {
		int e = check_capacity(cap, why, n);
		if (e)
			return e;
		tg_layout(&wanted, cap);
	}
	struct tg_region *r = calloc(1, sizeof(*r));
	if (!r)
		return explain(why, n, -ENOMEM, "out of memory");
	r->role = role;
	int flags = role == TG_ROLE_READER ? O_RDONLY : O_RDWR | O_CREAT;
	r->fd = open(path, flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0640);
	int e = r->fd < 0 ? -errno : 0;
	if (e) {
		explain(why, n, e,
			e == -ENOENT && role == TG_ROLE_READER ? "no region at %s: neither plane has run: %s"
			: e == -ENOENT ? "%s: the directory is missing; mount huge pages with `mount -t "
					 "hugetlbfs nodev "
					 "/dev/hugepages`: %s"
				       : "cannot open region %s: %s",
			path, strerror(-e));
		free(r);
		return e;
	}
	struct statfs fs;
	r->huge = !fstatfs(r->fd, &fs) && (uint32_t)fs.f_type == HUGETLBFS_MAGIC_NUMBER;
	e = check_owner(r, path, why, n);
	if (!e && role == TG_ROLE_READER) {
		e = open_reader(r, path, why, n);
	} else if (!e) {
		e = lock_role(r->fd, role);
		if (e)
			e = explain(why, n, -EBUSY, "another tollgate-%s runs on region %s: stop it first",
				role == TG_ROLE_CONTROL ? "control" : "dataplane", path);
		else
			e = create_or_attach(r, &wanted, path, why, n);
	}
	if (e) {
		tg_region_close(r);
		return e;
	}
	*region = r;
	return 0;
}

void tg_region_close(struct tg_region *r)
{
	if (!r)
		return;
	if (r->base)
		munmap(r->base, r->bytes);
	if (r->fd >= 0)
		close(r->fd);
	free(r);
}

bool tg_region_created(const struct tg_region *r)
{
	return r->created;
}

bool tg_region_on_huge_pages(const struct tg_region *r)
{
	return r->huge;
}

const struct tg_capacity *tg_region_capacity(const struct tg_region *r)
{
	return &r->header->capacity;
}

uint64_t tg_region_id(const struct tg_region *r)
{
	return r->header->region_id;
}

uint32_t tg_region_legs(const struct tg_region *r)
{
	return tg_capacity_legs(&r->header->capacity);
}

static void *row(const struct tg_region *r, enum tg_part part, uint32_t index, size_t bytes)
{
	return r->base + r->header->part[part].offset + (size_t)index * bytes;
}

struct tg_desired *tg_region_desired(const struct tg_region *r, uint32_t leg)
{
	return row(r, TG_PART_DESIRED, leg, sizeof(struct tg_desired));
}

struct tg_ingress *tg_region_ingress(const struct tg_region *r, uint32_t leg)
{
	return row(r, TG_PART_INGRESS, leg, sizeof(struct tg_ingress));
}

struct tg_egress *tg_region_egress(const struct tg_region *r, uint32_t leg)
{
	return row(r, TG_PART_EGRESS, leg, sizeof(struct tg_egress));
}

struct tg_leg_ipv6 *tg_region_ipv6(const struct tg_region *r, uint32_t leg)
{
	return r->header->capacity.ipv6_addresses ? row(r, TG_PART_IPV6, leg, sizeof(struct tg_leg_ipv6))
						  : NULL;
}

struct tg_outage *tg_region_outage(const struct tg_region *r, uint32_t leg)
{
	return row(r, TG_PART_OUTAGE, leg, sizeof(struct tg_outage));
}

struct tg_media_item *tg_region_media(const struct tg_region *r, uint32_t item)
{
	return row(r, TG_PART_MEDIA, item, sizeof(struct tg_media_item));
}

uint8_t *tg_region_arena(const struct tg_region *r)
{
	return row(r, TG_PART_ARENA, 0, 0);
}

struct tg_next_hop *tg_region_next_hops(const struct tg_region *r, uint32_t worker)
{
	return row(r, TG_PART_NEXT_HOPS, worker * TG_NEXT_HOPS, sizeof(struct tg_next_hop));
}

struct tg_worker_stats *tg_region_stats(const struct tg_region *r, uint32_t worker)
{
	return row(r, TG_PART_STATS, worker, sizeof(struct tg_worker_stats));
}

struct tg_timebase *tg_region_timebase(const struct tg_region *r)
{
	return &r->header->timebase;
}

const struct tg_ring *tg_region_commands(const struct tg_region *r, uint32_t worker)
{
	return &r->commands[worker];
}

const struct tg_ring *tg_region_events(const struct tg_region *r, uint32_t worker)
{
	return &r->events[worker];
}

const struct tg_ring *tg_region_meters(const struct tg_region *r, uint32_t worker)
{
	return &r->meters[worker];
}

uint32_t tg_region_next_generation(const struct tg_region *r)
{
	uint32_t next = atomic_load_explicit(&r->header->generation, memory_order_relaxed) + 1;
	if (next == 0) /* 0 means free */
		next = 1;
	atomic_store_explicit(&r->header->generation, next, memory_order_relaxed);
	return next;
}

void tg_region_beat(const struct tg_region *r, enum tg_role role, uint64_t utc_ns)
{
	atomic_store_explicit(&r->header->beat[role].pid, (uint32_t)getpid(), memory_order_relaxed);
	atomic_store_explicit(&r->header->beat[role].utc_ns, utc_ns, memory_order_release);
}

uint64_t tg_region_last_beat(const struct tg_region *r, enum tg_role role, int *pid)
{
	uint64_t ns = atomic_load_explicit(&r->header->beat[role].utc_ns, memory_order_acquire);
	*pid = (int)atomic_load_explicit(&r->header->beat[role].pid, memory_order_relaxed);
	return ns;
}
