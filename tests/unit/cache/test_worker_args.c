#include <errno.h>
#include <string.h>

#include "cache/worker_args.h"
#include "tests/unit/cache/run_suite.h"

static const struct cache_worker_args sample = {8, {CACHE_HINT_L16, 16000, 2}, 86400, {65536, 600}};

static char text[CACHE_WORKER_ARGS][CACHE_WORKER_ARG_BYTES];
static char *argv[CACHE_WORKER_ARGS + 2];

static void format(void)
{
	cache_worker_args_format(&sample, text);
	argv[0] = "worker";
	for (int i = 0; i < CACHE_WORKER_ARGS; i++)
		argv[i + 1] = text[i];
}

START_TEST(they_come_back)
{
	struct cache_worker_args got;
	format();
	ck_assert_int_eq(cache_worker_args_parse(CACHE_WORKER_ARGS + 1, argv, &got), 0);
	ck_assert_uint_eq(got.codec, sample.codec);
	ck_assert_int_eq(got.type.hint, sample.type.hint);
	ck_assert_uint_eq(got.type.rate, sample.type.rate);
	ck_assert_uint_eq(got.type.channels, sample.type.channels);
	ck_assert_uint_eq(got.max_seconds, sample.max_seconds);
	ck_assert_uint_eq(got.sandbox.memory_mib, sample.sandbox.memory_mib);
	ck_assert_uint_eq(got.sandbox.cpu_seconds, sample.sandbox.cpu_seconds);
}
END_TEST

START_TEST(bad_ones_are_refused)
{
	struct cache_worker_args got;
	static const struct {
		int at;
		char *text;
	} bad[] = {{1, "codec=256"}, {1, "codec="}, {1, "codec=x"}, {1, "codec=-1"}, {1, "codec=1x"},
		{1, "x=1"}, {2, "hint=5"}, {5, "max-seconds=0"}, {5, "max-seconds=99999999999"},
		{6, "memory-mib=0"}, {7, "cpu-seconds=0"}, {7, "cpu-seconds"}};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		format();
		argv[bad[i].at] = bad[i].text;
		ck_assert_msg(cache_worker_args_parse(CACHE_WORKER_ARGS + 1, argv, &got) == -EINVAL, "%s",
			bad[i].text);
	}
	format();
	ck_assert_int_eq(cache_worker_args_parse(CACHE_WORKER_ARGS, argv, &got), -EINVAL);
	ck_assert_int_eq(cache_worker_args_parse(1, argv, &got), -EINVAL);
}
END_TEST

int main(void)
{
	return run_suite("worker_args", (const TTest *const[]){they_come_back, bad_ones_are_refused, NULL});
}
