#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cache/sandbox.h"
#include "tests/unit/cache/run_suite.h"

/* Runs the deed in a child, after the sandbox is entered. Returns its wait status. */
static int inside(int (*deed)(void))
{
	pid_t pid = fork();
	ck_assert_int_ge(pid, 0);
	if (!pid) {
		struct cache_sandbox s = {.memory_mib = 64, .cpu_seconds = 1};
		const char *step;
		_exit(cache_sandbox_enter(&s, &step) ? 99 : deed());
	}
	int status;
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return status;
}

static int work(void)
{
	char c;
	struct timespec t;
	char *p = malloc(1 << 20);
	if (!p)
		return 1;
	memset(p, 1, 1 << 20);
	free(p);
	clock_gettime(CLOCK_MONOTONIC, &t);
	return read(0, &c, 0) == 0 && write(2, &c, 0) == 0 ? 0 : 2;
}

static int try_open(void)
{
	return openat(AT_FDCWD, "/etc/passwd", O_RDONLY) == -1 && errno == EACCES ? 0 : 1;
}

static int try_dev_null(void)
{
	return syscall(SYS_open, "/dev/null", O_WRONLY) == -1 && errno == EACCES ? 0 : 1;
}

static int try_socket(void)
{
	return socket(AF_UNIX, SOCK_STREAM, 0);
}

static int try_fork(void)
{
	return (int)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
}

static int try_clone3(void)
{
	return (int)syscall(SYS_clone3, NULL, 0);
}

static int try_exec(void)
{
	char *none[] = {NULL};
	return execve("/bin/true", none, none);
}

static int try_kill(void)
{
	return kill(1, 0);
}

static int try_unlink(void)
{
	return unlink("/tmp/there-is-no-such-file");
}

static int try_setuid(void)
{
	return setuid(0);
}

static int try_prctl(void)
{
	return (int)syscall(SYS_prctl, 4, 1, 0, 0, 0);
}

static int try_code(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED;
}

static int try_make_code(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return mprotect(p, 4096, PROT_READ | PROT_WRITE | PROT_EXEC);
}

START_TEST(it_can_work)
{
	int status = inside(work);
	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "%x", status);
}
END_TEST

START_TEST(files_are_refused)
{
	ck_assert_int_eq(inside(try_open), 0);
	ck_assert_int_eq(inside(try_dev_null), 0);
}
END_TEST

START_TEST(everything_else_kills)
{
	static int (*const deeds[])(void) = {try_socket, try_fork, try_clone3, try_exec, try_kill, try_unlink,
		try_setuid, try_prctl, try_code, try_make_code};
	for (size_t i = 0; i < sizeof(deeds) / sizeof(deeds[0]); i++) {
		int status = inside(deeds[i]);
		ck_assert_msg(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS, "deed %zu: %x", i, status);
	}
}
END_TEST

#if !defined(__SANITIZE_ADDRESS__)
static int eat(void)
{
	size_t n = 0;
	while (n < 1024 &&
		mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED)
		n++;
	return n <= 64 ? 0 : 1;
}

START_TEST(memory_is_limited)
{
	ck_assert_int_eq(inside(eat), 0);
}
END_TEST
#endif

static int spin(void)
{
	for (volatile unsigned i = 0; i != 1;)
		;
	return 0;
}

START_TEST(time_is_limited)
{
	int status = inside(spin);
	ck_assert(WIFSIGNALED(status) && (WTERMSIG(status) == SIGXCPU || WTERMSIG(status) == SIGKILL));
}
END_TEST

int main(void)
{
	return run_suite(
		"sandbox", (const TTest *const[]) {
			it_can_work, files_are_refused, everything_else_kills,
#if !defined(__SANITIZE_ADDRESS__)
				memory_is_limited,
#endif
				time_is_limited, NULL
		});
}
