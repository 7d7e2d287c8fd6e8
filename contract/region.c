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

#include "contract/region_check.h"
#include "contract/region_layout.h"
#include "contract/region_private.h"

#define HUGETLBFS_MAGIC_NUMBER 0x958458f6
#define HUGE_PAGE_BYTES        ((size_t)2 << 20)
/* How long to wait for another process that is creating the region. */
#define CREATE_WAIT_MS 5000
/* Each time somebody moved the file aside meanwhile. */
#define OPEN_TRIES 8

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

/* Of a header that is right. */
static int attach_rings(struct tg_region *r, const struct tg_header *h)
{
	r->id = h->region_id;
	r->capacity = h->capacity;
	memcpy(r->part, h->part, sizeof(r->part));
	for (uint32_t w = 0; w < h->capacity.workers; w++) {
		int e = tg_ring_attach(&r->commands[w], r->base + tg_layout_ring(h, TG_PART_COMMANDS, w),
			TG_COMMAND_RING, sizeof(struct tg_command));
		if (!e)
			e = tg_ring_attach(&r->events[w], r->base + tg_layout_ring(h, TG_PART_EVENTS, w),
				TG_EVENT_RING, sizeof(struct tg_event));
		if (!e)
			e = tg_ring_attach(&r->meters[w], r->base + tg_layout_ring(h, TG_PART_METERS, w),
				TG_METER_RING, sizeof(struct tg_meter_record));
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

enum found { FOUND_NOTHING, FOUND_UNFINISHED, FOUND_NO_REGION, FOUND_REGION };

/* A file that begins with zeros was being made by somebody who died; one that begins with something else is
 * no region of ours. */
static enum found look(const struct tg_region *r, uint64_t *bytes)
{
	struct stat st;
	*bytes = 0;
	if (fstat(r->fd, &st) || !st.st_size)
		return FOUND_NOTHING;
	*bytes = (uint64_t)st.st_size;
	if (*bytes < sizeof(struct tg_header))
		return FOUND_NO_REGION;
	size_t n = HUGE_PAGE_BYTES < *bytes ? HUGE_PAGE_BYTES : (size_t)*bytes;
	void *p = mmap(NULL, n, PROT_READ, MAP_SHARED, r->fd, 0);
	if (p == MAP_FAILED)
		return FOUND_NO_REGION;
	uint64_t magic = atomic_load_explicit(&((struct tg_header *)p)->magic, memory_order_acquire);
	munmap(p, n);
	return magic == TG_REGION_MAGIC ? FOUND_REGION : magic ? FOUND_NO_REGION : FOUND_UNFINISHED;
}

static void unmap(struct tg_region *r)
{
	if (r->base)
		munmap(r->base, r->bytes);
	r->base = NULL;
}

/* Maps it and believes it, or leaves it alone. -EUCLEAN: `why` is a phrase that says what is wrong with it.
 */
static int attach(struct tg_region *r, const struct tg_header *wanted, uint64_t bytes, const char *path,
	char *why, size_t n)
{
	char what[600] = "";
	int e = map(r, bytes, path, why, n);
	if (e)
		return e;
	const struct tg_header h = *r->header; /* checked and believed is one and the same */
	e = tg_check_header(&h, bytes, wanted, what, sizeof(what));
	if (!e)
		e = tg_check_rings(r->base, what, sizeof(what));
	if (!e)
		e = tg_check_clock(&r->header->timebase, what, sizeof(what));
	if (!e)
		e = attach_rings(r, &h);
	if (!e)
		return 0;
	unmap(r);
	return e == -EPROTO ? explain(why, n, e, "region %s %s", path, what) : explain(why, n, e, "%s", what);
}

/* Behind the bytes of the roles: shared by those who have the region open, taken alone by whoever makes it or
 * moves it aside. A process that waits to begin has its role, and not this. */
#define USE_LOCK_AT 8

static int lock_use(int fd, short type)
{
	struct flock lock = {.l_type = type, .l_whence = SEEK_SET, .l_start = USE_LOCK_AT, .l_len = 1};
	return fcntl(fd, F_OFD_SETLK, &lock) ? -errno : 0;
}

static int move_aside(struct tg_region *r, const char *path, const char *what, char *why, size_t n)
{
	char aside[PATH_MAX];
	if (snprintf(aside, sizeof(aside), "%s.damaged", path) >= (int)sizeof(aside) || rename(path, aside)) {
		int e = -errno;
		return explain(why, n, e,
			"region %s is damaged (%s) and can't be moved aside: %s; remove it, start again",
			path, what, strerror(-e));
	}
	snprintf(r->moved, sizeof(r->moved),
		"%s: %s; kept as %s until the next time: remove it to have its memory back", path, what,
		aside);
	return -ESTALE;
}

/* A new region where there is none that anybody believes. Under the creation lock. */
static int make(struct tg_region *r, const struct tg_header *wanted, enum found found, const char *what,
	const char *path, char *why, size_t n)
{
	if (lock_use(r->fd, F_WRLCK))
		return explain(why, n, -EUCLEAN,
			"region %s is damaged (%s) and the other plane has it open: stop that, start again",
			path, what);
	if (found == FOUND_NO_REGION)
		return move_aside(r, path, what, why, n);
	int e = create(r, wanted, path, why, n);
	if (!e) {
		e = attach_rings(r, r->header);
		return e ? explain(why, n, e, "region %s: cannot attach its rings", path) : 0;
	}
	unmap(r);
	r->created = false;
	if (ftruncate(r->fd, 0)) /* gives back what a half-made one took */
		return e;
	return e;
}

/* Under the creation lock. -ESTALE: the file was moved aside, begin anew. */
static int create_or_attach(
	struct tg_region *r, const struct tg_header *wanted, const char *path, char *why, size_t n)
{
	uint64_t bytes;
	char what[600] = "its header is missing";
	enum found found = look(r, &bytes);
	if (found == FOUND_NO_REGION)
		snprintf(what, sizeof(what), "no region in its %llu bytes", (unsigned long long)bytes);
	if (found == FOUND_REGION) {
		int e = attach(r, wanted, bytes, path, what, sizeof(what));
		if (e && e != -EUCLEAN)
			return explain(why, n, e, "%s", what);
		found = e ? FOUND_NO_REGION : FOUND_REGION;
	}
	int e = found == FOUND_REGION ? 0 : make(r, wanted, found, what, path, why, n);
	return e ? e : lock_use(r->fd, F_RDLCK);
}

/* Whether the path still leads to this file. */
static bool is_at(int fd, const char *path)
{
	struct stat here, there;
	return !fstat(fd, &here) && !stat(path, &there) && here.st_ino == there.st_ino &&
	       here.st_dev == there.st_dev;
}

static int with_creation_lock(
	struct tg_region *r, const struct tg_header *wanted, const char *path, char *why, size_t n)
{
	for (int waited = 0; flock(r->fd, LOCK_EX | LOCK_NB); waited += 10) {
		if (waited >= CREATE_WAIT_MS)
			return explain(why, n, -ETIMEDOUT,
				"region %s: another process has been creating it for %d ms", path,
				CREATE_WAIT_MS);
		pause_ms(10);
	}
	int e = is_at(r->fd, path) ? create_or_attach(r, wanted, path, why, n) : -ESTALE;
	flock(r->fd, LOCK_UN);
	return e;
}

static int open_file(struct tg_region *r, const char *path, char *why, size_t n)
{
	int flags = r->role == TG_ROLE_READER ? O_RDONLY : O_RDWR | O_CREAT;
	struct statfs fs;
	r->fd = open(path, flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0640);
	if (r->fd < 0) {
		int e = -errno;
		return explain(why, n, e,
			e == -ENOENT && r->role == TG_ROLE_READER
				? "no region at %s: neither plane has run: %s"
			: e == -ENOENT ? "%s: the directory is missing; mount huge pages with `mount -t "
					 "hugetlbfs nodev "
					 "/dev/hugepages`: %s"
				       : "cannot open region %s: %s",
			path, strerror(-e));
	}
	r->huge = !fstatfs(r->fd, &fs) && (uint32_t)fs.f_type == HUGETLBFS_MAGIC_NUMBER;
	return check_owner(r, path, why, n);
}

static int open_reader(struct tg_region *r, const char *path, char *why, size_t n)
{
	uint64_t bytes;
	char what[600];
	int e = open_file(r, path, why, n);
	if (e)
		return e;
	if (look(r, &bytes) != FOUND_REGION)
		return explain(why, n, -EUCLEAN, "%s is not a finished region", path);
	e = attach(r, NULL, bytes, path, what, sizeof(what));
	if (e)
		explain(why, n, e,
			e == -EUCLEAN ? "region %s is damaged (%s): start a plane, which moves it aside"
				      : "%s%s",
			e == -EUCLEAN ? path : "", what);
	return e;
}

static int open_once(
	struct tg_region *r, const struct tg_header *wanted, const char *path, char *why, size_t n)
{
	int e = open_file(r, path, why, n);
	if (e)
		return e;
	if (lock_role(r->fd, r->role))
		return explain(why, n, -EBUSY, "another tollgate-%s runs on region %s: stop it first",
			r->role == TG_ROLE_CONTROL ? "control" : "dataplane", path);
	return with_creation_lock(r, wanted, path, why, n);
}

/* The pages that a damaged region keeps may be those that the new one needs. */
static bool give_up_aside(struct tg_region *r, const char *path, int e)
{
	char aside[PATH_MAX];
	if (!r->moved[0] || (e != -ENOMEM && e != -ENOSPC) || r->gave_up ||
		snprintf(aside, sizeof(aside), "%s.damaged", path) >= (int)sizeof(aside) || unlink(aside))
		return false;
	r->gave_up = true;
	snprintf(strstr(r->moved, "; kept as"), 64, "; removed, since the new one needs its memory");
	return true;
}

static int open_plane(
	struct tg_region *r, const struct tg_capacity *cap, const char *path, char *why, size_t n)
{
	struct tg_header wanted;
	int e = tg_check_capacity(cap, why, n);
	if (e)
		return e;
	tg_layout(&wanted, cap);
	for (int tries = 0; tries < OPEN_TRIES; tries++) {
		e = open_once(r, &wanted, path, why, n);
		if (e != -ESTALE && !give_up_aside(r, path, e))
			return e;
		close(r->fd);
		r->fd = -1;
	}
	return explain(why, n, -EAGAIN, "region %s is being replaced again and again", path);
}

int tg_region_open(struct tg_region **region, const char *dir, const char *name,
	const struct tg_capacity *cap, enum tg_role role, char *why, size_t n)
{
	char path[PATH_MAX];
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	struct tg_region *r = calloc(1, sizeof(*r));
	if (!r)
		return explain(why, n, -ENOMEM, "out of memory");
	r->role = role;
	r->fd = -1;
	int e = role == TG_ROLE_READER ? open_reader(r, path, why, n) : open_plane(r, cap, path, why, n);
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
	unmap(r);
	if (r->fd >= 0)
		close(r->fd);
	free(r);
}

int tg_region_claim(const struct tg_region *r, const char *node, char *why, size_t n)
{
	char ours[TG_NODE_BYTES], *theirs = r->header->node;
	snprintf(ours, sizeof(ours), "%s", node);
	if (!theirs[0])
		memcpy(theirs, ours, sizeof(ours));
	if (!strncmp(theirs, ours, sizeof(ours)))
		return 0;
	return explain(why, n, -EPROTO,
		"the region belongs to node \"%.*s\", the settings name node \"%s\": put node.name back or "
		"give this node "
		"a region.name of its own; or let calls end (tollgate drain), stop both planes, remove the "
		"file, start "
		"again",
		TG_NODE_BYTES, theirs, node);
}
