/* A media worker that has been taken over: for tests/e2e/media_layer.py. It enters the sandbox as the real
 * one does, then does what the body says. What the sandbox lets through is reported as a failure "was
 * allowed". */
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/file.h"
#include "cache/sandbox.h"
#include "cache/worker_args.h"
#include "cache/worker_record.h"

static void say(uint32_t kind, const void *body, uint32_t bytes)
{
	uint8_t buf[4096];
	struct cache_record_header h = {kind, bytes};
	memcpy(buf, &h, sizeof(h));
	memcpy(buf + sizeof(h), body, bytes);
	file_write_all(1, buf, sizeof(h) + bytes);
}

static void complain(const char *what)
{
	struct {
		uint32_t error;
		char text[60];
	} body = {.error = CACHE_ERROR_INTERNAL};
	snprintf(body.text, sizeof(body.text), "%s", what);
	say(CACHE_RECORD_FAIL, &body, sizeof(body.error) + (uint32_t)strlen(body.text));
	_exit(1);
}

static void spin(void)
{
	for (volatile uint64_t i = 0;; i++)
		;
}

static void eat_memory(void)
{
	for (;;) {
		char *p = mmap(NULL, 16 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (p == MAP_FAILED)
			_exit(3);
		memset(p, 1, 16 << 20);
	}
}

static void misbehave(const char *what)
{
	char *none[] = {NULL};
	uint32_t one = 1, many = 4000000000u;
	if (!strcmp(what, "open"))
		complain(syscall(SYS_openat, AT_FDCWD, "/etc/passwd", O_RDONLY) < 0 ? "open was refused"
										    : "was allowed");
	else if (!strcmp(what, "socket"))
		syscall(SYS_socket, AF_INET, SOCK_STREAM, 0);
	else if (!strcmp(what, "exec"))
		syscall(SYS_execve, "/bin/true", none, none);
	else if (!strcmp(what, "fork"))
		syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
	else if (!strcmp(what, "kill"))
		syscall(SYS_kill, getppid(), 0);
	else if (!strcmp(what, "ptrace"))
		syscall(SYS_ptrace, 0, 0, 0, 0);
	else if (!strcmp(what, "code"))
		syscall(SYS_mmap, 0, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	else if (!strcmp(what, "segv"))
		/* cppcheck-suppress nullPointer ; on purpose */
		*(volatile int *)NULL = 1;
	else if (!strcmp(what, "spin"))
		spin();
	else if (!strcmp(what, "memory"))
		eat_memory();
	else if (!strcmp(what, "garbage"))
		file_write_all(1, "this is not a record, is it", 27);
	else if (!strcmp(what, "flood"))
		say(CACHE_RECORD_BEGIN, &many, sizeof(many));
	else if (!strcmp(what, "short"))
		say(CACHE_RECORD_BEGIN, &one, sizeof(one));
	else if (!strcmp(what, "quit"))
		_exit(0);
	else
		complain("unknown misdeed");
}

int main(int argc, char **argv)
{
	struct cache_worker_args args;
	char what[32] = "";
	const char *step = "";
	if (cache_worker_args_parse(argc, argv, &args) || pread(0, what, sizeof(what) - 1, 0) <= 0)
		return 2;
	what[strcspn(what, "\n")] = '\0';
	int e = cache_sandbox_enter(&args.sandbox, &step);
	if (e)
		complain("cannot enter the sandbox");
	misbehave(what);
	if (!strcmp(what, "garbage") || !strcmp(what, "flood") || !strcmp(what, "short"))
		_exit(0);
	complain("was allowed");
}
