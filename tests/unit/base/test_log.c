#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "tests/unit/journal/scratch.h"

/* What a call wrote to standard error. */
static char written[8192];

static void capture(void (*call)(void))
{
	int pipes[2], kept = dup(STDERR_FILENO);
	ck_assert_int_eq(pipe2(pipes, O_NONBLOCK), 0);
	dup2(pipes[1], STDERR_FILENO);
	call();
	dup2(kept, STDERR_FILENO);
	close(kept);
	close(pipes[1]);
	ssize_t n = read(pipes[0], written, sizeof(written) - 1);
	written[n > 0 ? n : 0] = '\0';
	close(pipes[0]);
}

static void hostile(void)
{
	log_info(sip, "CA1", "hello", "from=%s", log_quote("a\"b\n\x1b[2Jlevel=error \xff"));
}

static void quiet(void)
{
	log_debug(sip, NULL, "details", "x=%d", 1);
}

static void long_line(void)
{
	char text[5000];
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	log_warn(cdr, NULL, "long", "text=%s", text);
}

START_TEST(text_from_outside_stays_within_its_quotes)
{
	capture(hostile);
	ck_assert_ptr_nonnull(strstr(written,
		"level=info area=sip id=CA1 event=hello from=\"a\\x22b\\x0a\\x1b[2Jlevel=error \\xff\"\n"));
	ck_assert_ptr_eq(strchr(written, '\n'), written + strlen(written) - 1);
}
END_TEST

START_TEST(long_text_is_cut)
{
	char text[1000];
	memset(text, '\n', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	ck_assert_uint_le(strlen(log_quote(text)), 208);
	ck_assert_str_eq(log_quote(NULL), "\"\"");
	capture(long_line);
	ck_assert_uint_lt(strlen(written), 2049);
	ck_assert_int_eq(written[strlen(written) - 1], '\n');
}
END_TEST

START_TEST(levels_are_per_area)
{
	capture(quiet);
	ck_assert_str_eq(written, "");
	ck_assert_int_eq(log_set_level("cdr", "debug"), 0);
	capture(quiet);
	ck_assert_str_eq(written, "");
	ck_assert_int_eq(log_set_level("sip", "debug"), 0);
	capture(quiet);
	ck_assert_ptr_nonnull(strstr(written, "event=details x=1"));
	ck_assert_int_eq(log_set_level("all", "error"), 0);
	capture(hostile);
	ck_assert_str_eq(written, "");
	ck_assert_int_eq(log_set_level("nothing", "info"), -EINVAL);
	ck_assert_int_eq(log_set_level("sip", "loud"), -EINVAL);
}
END_TEST

SCRATCH_MAIN("log", 10, text_from_outside_stays_within_its_quotes, long_text_is_cut, levels_are_per_area)
