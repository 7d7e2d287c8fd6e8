#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "tools/top_screen.h"
#include "tools/views.h"

#define RENEW_MS 1000
#define ONCE_MS  500 /* between the two looks of a single screen */

#define ENTER "\x1b[?1049h\x1b[?25l" /* alternate screen, no cursor */
#define LEAVE "\x1b[?25h\x1b[?1049l"
#define HOME  "\x1b[H"
#define EOL   "\x1b[K\r\n"
#define CLEAR "\x1b[J"

struct terminal {
	struct termios before;
	int signals;
	sigset_t mask_before;
};

static int enter(struct terminal *t)
{
	struct termios raw;
	sigset_t set;
	if (tcgetattr(STDIN_FILENO, &t->before))
		return -errno;
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGWINCH);
	sigprocmask(SIG_BLOCK, &set, &t->mask_before);
	t->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (t->signals < 0) {
		int e = -errno;
		sigprocmask(SIG_SETMASK, &t->mask_before, NULL);
		return e;
	}
	raw = t->before;
	raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	tcsetattr(STDIN_FILENO, TCSANOW, &raw);
	fputs(ENTER, stdout);
	return 0;
}

static void leave(struct terminal *t)
{
	fputs(LEAVE, stdout);
	fflush(stdout);
	tcsetattr(STDIN_FILENO, TCSANOW, &t->before);
	close(t->signals);
	sigprocmask(SIG_SETMASK, &t->mask_before, NULL);
}

/* Waits for the next second, a key or a signal. True: time to end. */
static bool wait_or_end(const struct terminal *t)
{
	struct pollfd fds[] = {{.fd = STDIN_FILENO, .events = POLLIN}, {.fd = t->signals, .events = POLLIN}};
	char key;
	struct signalfd_siginfo info;
	if (poll(fds, 2, RENEW_MS) <= 0)
		return false;
	if (fds[0].revents && (read(STDIN_FILENO, &key, 1) <= 0 || key == 'q' || key == 'Q'))
		return true;
	return fds[1].revents && read(t->signals, &info, sizeof(info)) == sizeof(info) &&
	       info.ssi_signo != SIGWINCH;
}

static void window(int *lines, int *columns)
{
	struct winsize size;
	*lines = 24;
	*columns = 80;
	if (!ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) && size.ws_row && size.ws_col) {
		*lines = size.ws_row;
		*columns = size.ws_col;
	}
}

static int watch(const struct tg_region *region)
{
	struct terminal t;
	struct top_look before = {0}, now = {0};
	int e = enter(&t), lines, columns;
	if (e)
		return tool_fail("cannot use this terminal: %s", strerror(-e));
	do {
		e = top_look(&now, region);
		if (e)
			break;
		window(&lines, &columns);
		fputs(HOME, stdout);
		/* Without the last line: its end would scroll the screen. */
		top_draw(before.mono_ns ? &before : &now, &now, lines - 1, columns, EOL, stdout);
		fputs(CLEAR, stdout);
		if (fflush(stdout))
			break;
		top_look_free(&before);
		before = now;
		now = (struct top_look){0};
	} while (!wait_or_end(&t));
	leave(&t);
	top_look_free(&before);
	top_look_free(&now);
	return e ? tool_fail("out of memory") : TOOL_OK;
}

static int look_once(const struct tg_region *region)
{
	struct top_look before = {0}, now = {0};
	struct timespec pause = {.tv_nsec = ONCE_MS * 1000000l};
	int e = top_look(&before, region);
	if (!e) {
		nanosleep(&pause, NULL);
		e = top_look(&now, region);
	}
	if (!e)
		top_draw(&before, &now, 24, 80, "\n", stdout);
	top_look_free(&before);
	top_look_free(&now);
	return e ? tool_fail("out of memory") : tool_done();
}

int command_top(const struct tool *tool)
{
	struct tg_region *region;
	int status = tool_region(tool, &region);
	if (status)
		return status;
	if (tool->json)
		status = tool_print(
			json_pack("{s:o, s:o}", "stats", stats_json(region), "calls", calls_json(region)));
	else if (isatty(STDIN_FILENO) && isatty(STDOUT_FILENO))
		status = watch(region);
	else
		status = look_once(region);
	tg_region_close(region);
	return status;
}
