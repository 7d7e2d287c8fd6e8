/* A wall clock that a test can step, for one process: preloaded (LD_PRELOAD), it adds to what the kernel says
 * the nanoseconds that are in the file TOLLGATE_TEST_CLOCK. Monotonic clocks are left alone. The machine's
 * own clock must not be touched, and a test has to see a step in all threads of two processes at one moment:
 * hence a shared page. */
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define SECOND 1000000000ll

static const _Atomic int64_t *step_ns;

__attribute__((constructor)) static void find_step(void)
{
	const char *path = getenv("TOLLGATE_TEST_CLOCK");
	int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	if (fd < 0)
		return;
	void *page = mmap(NULL, sizeof(*step_ns), PROT_READ, MAP_SHARED, fd, 0);
	close(fd);
	if (page != MAP_FAILED)
		step_ns = page;
}

static int is_wall(clockid_t id)
{
	return id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE;
}

int clock_gettime(clockid_t id, struct timespec *ts)
{
	if (syscall(SYS_clock_gettime, id, ts))
		return -1;
	if (!step_ns || !is_wall(id))
		return 0;
	int64_t ns = (int64_t)ts->tv_sec * SECOND + ts->tv_nsec + atomic_load(step_ns);
	ts->tv_sec = (time_t)(ns / SECOND);
	ts->tv_nsec = (long)(ns % SECOND);
	return 0;
}

int gettimeofday(struct timeval *restrict tv, void *restrict zone)
{
	struct timespec ts;
	int e = clock_gettime(CLOCK_REALTIME, &ts);
	if (!e)
		*tv = (struct timeval){.tv_sec = ts.tv_sec, .tv_usec = ts.tv_nsec / 1000};
	return e;
}

time_t time(time_t *out)
{
	struct timespec ts;
	if (clock_gettime(CLOCK_REALTIME, &ts))
		return -1;
	if (out)
		*out = ts.tv_sec;
	return ts.tv_sec;
}
