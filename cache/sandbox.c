#include "cache/sandbox.h"

#include <errno.h>
#include <grp.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#define NOBODY 65534

/* AddressSanitizer maps terabytes of shadow memory. */
#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif

static int limit(int what, rlim_t soft, rlim_t hard)
{
	struct rlimit r = {.rlim_cur = soft, .rlim_max = hard};
	return setrlimit(what, &r) ? -errno : 0;
}

static int set_limits(const struct cache_sandbox *s)
{
	int e = limit(RLIMIT_CPU, s->cpu_seconds, s->cpu_seconds + 1);
	if (!e)
		e = limit(RLIMIT_FSIZE, 0, 0);
	if (!e)
		e = limit(RLIMIT_CORE, 0, 0);
	if (!e) /* no new ones; 0, 1 and 2 stay usable */
		e = limit(RLIMIT_NOFILE, 0, 0);
#ifndef SANITIZED
	if (!e)
		e = limit(RLIMIT_AS, (rlim_t)s->memory_mib << 20, (rlim_t)s->memory_mib << 20);
#endif
	return e;
}

/* Root has more to give up than the system call filter takes away. */
static int drop_root(void)
{
	if (geteuid())
		return 0;
	if (unshare(CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWIPC) || setgroups(0, NULL) ||
		setresgid(NOBODY, NOBODY, NOBODY) || setresuid(NOBODY, NOBODY, NOBODY))
		return -errno;
	return geteuid() && getuid() ? 0 : -EPERM;
}

static int allow(scmp_filter_ctx f)
{
	static const int calls[] = {SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(munmap), SCMP_SYS(brk),
		SCMP_SYS(mremap), SCMP_SYS(madvise), SCMP_SYS(futex), SCMP_SYS(exit), SCMP_SYS(exit_group),
		SCMP_SYS(clock_gettime), SCMP_SYS(gettimeofday), SCMP_SYS(time), SCMP_SYS(getpid),
		SCMP_SYS(gettid), SCMP_SYS(rt_sigreturn), SCMP_SYS(restart_syscall), SCMP_SYS(getrandom),
		SCMP_SYS(fstat), SCMP_SYS(lseek), SCMP_SYS(sched_yield), SCMP_SYS(close), SCMP_SYS(sysinfo)};
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		int e = seccomp_rule_add(f, SCMP_ACT_ALLOW, calls[i], 0);
		if (e)
			return e;
	}
	int e = 0;
#ifdef SANITIZED
	e = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(sigaltstack), 0);
	if (e)
		return e;
#endif
	/* Memory, but none that is executable. */
	e = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1, SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	if (!e)
		e = seccomp_rule_add(
			f, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1, SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	return e;
}

/* libsndfile looks for a resource fork beside every body that it doesn't know at once; it lives with "no". */
static int refuse_open(scmp_filter_ctx f)
{
	int e = seccomp_rule_add(f, SCMP_ACT_ERRNO(EACCES), SCMP_SYS(openat), 0);
	if (!e)
		e = seccomp_rule_add(f, SCMP_ACT_ERRNO(EACCES), SCMP_SYS(open), 0);
	return e;
}

static int filter_calls(void)
{
	scmp_filter_ctx f = seccomp_init(SCMP_ACT_KILL_PROCESS);
	if (!f)
		return -ENOMEM;
	int e = allow(f);
	if (!e)
		e = refuse_open(f);
	if (!e)
		e = seccomp_load(f);
	seccomp_release(f);
	return e;
}

int cache_sandbox_enter(const struct cache_sandbox *s, const char **step)
{
	*step = "leave root's rights";
	int e = drop_root();
	if (e)
		return e;
	*step = "forbid new privileges";
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0))
		return -errno;
	/* After the change of user, which clears it: a worker does not outlive the thread that started it. */
	*step = "tie to the parent";
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0))
		return -errno;
	*step = "set resource limits";
	e = set_limits(s);
	if (e)
		return e;
	*step = "filter system calls";
	return filter_calls();
}
