#include "tools/top_screen.h"

#include "tests/unit/journal/scratch.h"

#define S 1000000000ull

static struct top_look before, now;
static struct leg legs[100];

static void setup(void)
{
	before = (struct top_look){
		.mono_ns = 10 * S, .utc_ns = 1790000000ull * S, .workers = 2, .rows = 1000};
	now = before;
	now.mono_ns = 12 * S;
	now.utc_ns += 2 * S;
	now.control = (struct plane){.beat_ns = 1789999999ull * S, .pid = 17, .running = false};
	now.dataplane = (struct plane){.beat_ns = now.utc_ns, .pid = 18, .running = true};
	now.arena = (struct arena){.items = 10, .items_used = 2, .bytes = 1 << 20, .bytes_used = 1 << 19};
	now.worker[0] = (struct top_worker){.state = TG_WORKER_RUNS,
		.loops = 2000,
		.busy = 300,
		.idle = 100,
		.rx = 200,
		.tx = 400,
		.legs = 3};
	now.worker[1].state = TG_WORKER_STUCK;
	now.worker[1].drops[TG_DROP_bad_rtp] = 10;
	now.worker[1].drops[TG_DROP_runt] = 30;
	for (int i = 0; i < 100; i++) {
		legs[i] = (struct leg){
			.state = "relay", .seconds = 61, .rx_packets = 5, .tx_packets = UINT64_MAX};
		snprintf(legs[i].session, sizeof(legs[i].session), "SE%030d", i);
		memset(legs[i].module, 'm', sizeof(legs[i].module) - 1);
	}
	now.legs = legs;
	now.leg_count = 3;
}

/* Lines of what is drawn; the caller frees the text. */
static int draw(char **text, int lines, int columns)
{
	size_t len = 0;
	FILE *f = open_memstream(text, &len);
	top_draw(&before, &now, lines, columns, "\n", f);
	fclose(f);
	int n = 0, width = 0;
	for (const char *p = *text; *p; p++) {
		ck_assert(*p == '\n' || (*p >= ' ' && *p < 0x7f));
		width = *p == '\n' ? 0 : width + 1;
		ck_assert_int_le(width, columns);
		n += *p == '\n';
	}
	ck_assert_int_le(n, lines);
	return n;
}

START_TEST(figures)
{
	char *text;
	ck_assert_int_eq(draw(&text, 24, 80), 14);
	ck_assert_ptr_nonnull(strstr(text, "control    not running since 2026-09-21T14:13:19.000Z\n"));
	ck_assert_ptr_nonnull(strstr(text, "dataplane  running (pid 18)\n"));
	ck_assert_ptr_nonnull(strstr(text, "legs 3 of 1000   media 2 of 10 items, 512.0 KiB of 1.0 MiB\n"));
	ck_assert_ptr_nonnull(strstr(
		text, "0      running       75%      1000       100       200      3      0         0\n"));
	ck_assert_ptr_nonnull(strstr(text, "1      stuck          0%"));
	ck_assert_ptr_nonnull(strstr(text, "drops/s 20  runt 15  bad_rtp 5\n"));
	ck_assert_ptr_nonnull(strstr(text, "SE000000 in  mmmmmmmmm "));
	free(text);
}
END_TEST

START_TEST(fits_any_window)
{
	now.leg_count = 100;
	for (int lines = 0; lines < 40; lines++) {
		char *text;
		ck_assert_int_eq(draw(&text, lines, 80), lines);
		ck_assert(lines < 12 || strstr(text, " more\n"));
		free(text);
		draw(&text, lines, 10);
		free(text);
	}
}
END_TEST

/* Counters that went back: the region was made anew between the looks. */
START_TEST(counters_that_went_back)
{
	before.worker[0] = (struct top_worker){
		.loops = UINT64_MAX, .busy = UINT64_MAX, .idle = UINT64_MAX, .rx = 500};
	before.mono_ns = now.mono_ns;
	char *text;
	draw(&text, 24, 80);
	ck_assert_ptr_nonnull(strstr(text, "0      running        0%         0         0         0 "));
	free(text);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("top_screen");
	TCase *tcase = tcase_create("top_screen");
	tcase_add_checked_fixture(tcase, setup, NULL);
	tcase_add_test(tcase, figures);
	tcase_add_test(tcase, fits_any_window);
	tcase_add_test(tcase, counters_that_went_back);
	suite_add_tcase(suite, tcase);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
