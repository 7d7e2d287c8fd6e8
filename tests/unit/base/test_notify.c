#include "base/notify.h"

#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "tests/unit/journal/scratch.h"

static char heard[512];

/* A listener of this name, "@..." or a path. */
static int listen_at(const char *name)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	size_t len = strlen(name);
	memcpy(at.sun_path, name, len);
	if (name[0] == '@')
		at.sun_path[0] = 0;
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	socklen_t bytes = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&at, bytes), 0);
	setenv("NOTIFY_SOCKET", name, 1);
	return fd;
}

/* What has come in, or "". */
static const char *hear(int fd)
{
	ssize_t n = recv(fd, heard, sizeof(heard) - 1, 0);
	heard[n > 0 ? n : 0] = 0;
	return heard;
}

static const char *own_name(void)
{
	static char name[64];
	snprintf(name, sizeof(name), "@tollgate-test-notify-%d", (int)getpid());
	return name;
}

START_TEST(nobody_asked)
{
	struct notify n;
	unsetenv("NOTIFY_SOCKET");
	setenv("WATCHDOG_USEC", "1000000", 1);
	notify_open(&n);
	ck_assert_int_eq(n.fd, -1);
	ck_assert_uint_eq(n.watchdog_ns, 0);
	notify_say(&n, "READY=1");
	notify_alive(&n, 5 * CLOCK_NS_PER_S, "");
	notify_close(&n);
}
END_TEST

START_TEST(an_abstract_name_and_a_path)
{
	char path[64];
	snprintf(path, sizeof(path), "/tmp/tollgate-test-notify-%d", (int)getpid());
	const char *names[] = {own_name(), path};
	for (int i = 0; i < 2; i++) {
		struct notify n;
		int fd = listen_at(names[i]);
		notify_open(&n);
		ck_assert_ptr_null(getenv("NOTIFY_SOCKET"));
		notify_say(&n, "READY=1\nSTATUS=%d calls", 3);
		ck_assert_str_eq(hear(fd), "READY=1\nSTATUS=3 calls");
		notify_close(&n);
		close(fd);
	}
	unlink(path);
}
END_TEST

START_TEST(names_that_cannot_be)
{
	char longest[200];
	memset(longest, 'a', sizeof(longest) - 1);
	longest[0] = '/';
	longest[sizeof(longest) - 1] = 0;
	const char *names[] = {"", "@", "/", "relative", "vsock:2:1", longest};
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		struct notify n;
		setenv("NOTIFY_SOCKET", names[i], 1);
		notify_open(&n);
		ck_assert_int_eq(n.fd, -1);
		ck_assert_ptr_null(getenv("NOTIFY_SOCKET"));
	}
}
END_TEST

START_TEST(the_watchdog_is_told_twice_in_its_time)
{
	struct notify n;
	char pid[16];
	int fd = listen_at(own_name());
	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	setenv("WATCHDOG_USEC", "3000000", 1);
	setenv("WATCHDOG_PID", pid, 1);
	notify_open(&n);
	ck_assert_ptr_null(getenv("WATCHDOG_USEC"));
	ck_assert_ptr_null(getenv("WATCHDOG_PID"));
	ck_assert_uint_eq(n.watchdog_ns, 3 * CLOCK_NS_PER_S);
	notify_alive(&n, 100 * CLOCK_NS_PER_S, "well");
	ck_assert_str_eq(hear(fd), "WATCHDOG=1\nSTATUS=well");
	notify_alive(&n, 100 * CLOCK_NS_PER_S + 1499 * CLOCK_NS_PER_MS, "well");
	ck_assert_str_eq(hear(fd), "");
	notify_alive(&n, 100 * CLOCK_NS_PER_S + 1500 * CLOCK_NS_PER_MS, "well");
	ck_assert_str_eq(hear(fd), "WATCHDOG=1\nSTATUS=well");
	notify_close(&n);
	close(fd);
}
END_TEST

START_TEST(a_watchdog_of_somebody_else_or_of_nonsense_is_none)
{
	static const char *const pairs[][2] = {{"1", "1000000"}, {"", "1000000"}, {NULL, "0"}, {NULL, ""},
		{NULL, "-1"}, {NULL, "1e6"}, {NULL, "99999999999999999999999"}, {NULL, "86400000001"}};
	int fd = listen_at(own_name());
	for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++) {
		struct notify n;
		setenv("NOTIFY_SOCKET", own_name(), 1);
		setenv("WATCHDOG_USEC", pairs[i][1], 1);
		if (pairs[i][0])
			setenv("WATCHDOG_PID", pairs[i][0], 1);
		notify_open(&n);
		ck_assert_int_ge(n.fd, 0);
		ck_assert_uint_eq(n.watchdog_ns, 0);
		notify_alive(&n, 5 * CLOCK_NS_PER_S, "");
		ck_assert_str_eq(hear(fd), "");
		notify_close(&n);
	}
	close(fd);
}
END_TEST

START_TEST(a_listener_that_does_not_read_stops_nobody)
{
	struct notify n;
	int fd = listen_at(own_name());
	notify_open(&n);
	uint64_t begun = clock_mono_ns();
	for (int i = 0; i < 20000; i++)
		notify_say(&n, "WATCHDOG=1");
	close(fd);
	notify_say(&n, "WATCHDOG=1"); /* and one that is gone neither */
	ck_assert_uint_lt(clock_mono_ns() - begun, 5 * CLOCK_NS_PER_S);
	notify_close(&n);
}
END_TEST

START_TEST(long_texts_are_cut)
{
	struct notify n;
	char text[400];
	int fd = listen_at(own_name());
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = 0;
	notify_open(&n);
	notify_say(&n, "STATUS=%s", text);
	ck_assert_uint_eq(strlen(hear(fd)), 255);
	notify_close(&n);
	close(fd);
}
END_TEST

SCRATCH_MAIN("notify", 30, nobody_asked, an_abstract_name_and_a_path, names_that_cannot_be,
	the_watchdog_is_told_twice_in_its_time, a_watchdog_of_somebody_else_or_of_nonsense_is_none,
	a_listener_that_does_not_read_stops_nobody, long_texts_are_cut)
