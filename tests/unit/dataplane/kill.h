/* A worker that is killed between any two of its instructions. What it does is stepped through in a child;
 * each state of the region that is seen there is one that a kill can leave. */
#ifndef TG_TESTS_DATAPLANE_KILL_H
#define TG_TESTS_DATAPLANE_KILL_H

#include <fcntl.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include "tests/unit/dataplane/fixture.h"

/* Legs 1 to 3, and at most so many records at the begin of each ring, are what the tests use. */
#define KILL_LEGS    4
#define KILL_RECORDS 16
#define KILL_RANGES  8

struct kill_range {
	void *at;
	size_t bytes;
};

struct kill_states {
	uint32_t n, room;
	size_t bytes; /* of one */
	uint8_t *state;
};

/* Of the region: all that a worker's commands and plays can change. */
static inline size_t kill_watch(struct kill_range r[static KILL_RANGES])
{
	/* A ring's ends are in front of its records. */
	r[0] = (struct kill_range){f.legs.stats, sizeof(*f.legs.stats)};
	r[1] = (struct kill_range){f.legs.ingress, KILL_LEGS * sizeof(*f.legs.ingress)};
	r[2] = (struct kill_range){f.legs.egress, KILL_LEGS * sizeof(*f.legs.egress)};
	r[3] = (struct kill_range){f.legs.hops.entry, TG_NEXT_HOPS * sizeof(*f.legs.hops.entry)};
	r[4] = (struct kill_range){tg_region_commands(f.region, 0)->ring,
		(size_t)tg_ring_size(KILL_RECORDS, sizeof(struct tg_command))};
	r[5] = (struct kill_range){tg_region_events(f.region, 0)->ring,
		(size_t)tg_ring_size(KILL_RECORDS, sizeof(struct tg_event))};
	r[6] = (struct kill_range){tg_region_meters(f.region, 0)->ring,
		(size_t)tg_ring_size(KILL_RECORDS, sizeof(struct tg_meter_record))};
	r[7] = (struct kill_range){f.legs.outage, KILL_LEGS * sizeof(*f.legs.outage)};
	size_t bytes = 0;
	for (int i = 0; i < KILL_RANGES; i++)
		bytes += r[i].bytes;
	return bytes;
}

static inline void kill_save(uint8_t *to)
{
	struct kill_range r[KILL_RANGES];
	kill_watch(r);
	for (int i = 0; i < KILL_RANGES; to += r[i++].bytes)
		memcpy(to, r[i].at, r[i].bytes);
}

static inline void kill_load(const uint8_t *from)
{
	struct kill_range r[KILL_RANGES];
	kill_watch(r);
	for (int i = 0; i < KILL_RANGES; from += r[i++].bytes)
		memcpy(r[i].at, from, r[i].bytes);
}

static inline bool kill_is_as(const uint8_t *state)
{
	struct kill_range r[KILL_RANGES];
	kill_watch(r);
	for (int i = 0; i < KILL_RANGES; state += r[i++].bytes)
		if (memcmp(state, r[i].at, r[i].bytes))
			return false;
	return true;
}

static inline void kill_note(struct kill_states *s)
{
	if (s->n && kill_is_as(s->state + (s->n - 1) * s->bytes))
		return;
	if (s->n == s->room) {
		s->room = s->room ? 2 * s->room : 64;
		s->state = realloc(s->state, s->room * s->bytes);
		ck_assert_ptr_nonnull(s->state);
	}
	kill_save(s->state + s->n++ * s->bytes);
}

static inline uint8_t *kill_read_region(size_t *bytes)
{
	char path[128];
	snprintf(path, sizeof(path), "%s/region", f.dir);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	*bytes = (size_t)lseek(fd, 0, SEEK_END);
	uint8_t *all = malloc(*bytes);
	ck_assert_ptr_nonnull(all);
	ck_assert_int_eq(pread(fd, all, *bytes, 0), (ssize_t)*bytes);
	close(fd);
	return all;
}

/* All states from before act() to behind it, in their order. The region is then as it was before. */
static inline struct kill_states kill_states_of(void (*act)(void))
{
	struct kill_range r[KILL_RANGES];
	struct kill_states s = {.bytes = kill_watch(r)};
	size_t bytes;
	int status;
	uint8_t *before = kill_read_region(&bytes);
	kill_note(&s);
	pid_t child = fork();
	ck_assert_int_ge(child, 0);
	if (!child) {
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		raise(SIGSTOP);
		act();
		_exit(0);
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	while (WIFSTOPPED(status)) {
		ck_assert_msg(!ptrace(PTRACE_SINGLESTEP, child, NULL, NULL), "ptrace is not allowed here");
		ck_assert_int_eq(waitpid(child, &status, 0), child);
		kill_note(&s);
	}
	ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	/* Nothing has changed but what was watched. */
	kill_load(s.state);
	uint8_t *after = kill_read_region(&bytes);
	ck_assert_msg(!memcmp(before, after, bytes), "something changed that is not watched");
	free(before);
	free(after);
	return s;
}

#endif
