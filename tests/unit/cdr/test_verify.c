/* What `tollgate cdr verify` finds in files that aren't as they were written. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/cdr/verify.h"
#include "tests/unit/journal/scratch.h"

static struct cdr_verify *verify;
static char said[4096];
static char *text[2];
static size_t len[2];

static void on_fault(void *ctx, const char *file, uint64_t line, const char *sentence)
{
	char one[1400];
	snprintf(one, sizeof(one), "%s:%d: %s\n", file, (int)line, sentence);
	strncat(said, one, sizeof(said) - strlen(said) - 1);
}

static void setup(void)
{
	said[0] = '\0';
	ck_assert_int_eq(cdr_verify_create(&verify, on_fault, NULL), 0);
	text[0] = scratch_read(GOLDEN, "two_stints.jsonl", &len[0]);
	text[1] = scratch_read(GOLDEN, "two_stints.csv", &len[1]);
}

static void teardown(void)
{
	cdr_verify_free(verify);
	free(text[0]);
	free(text[1]);
}

static void add(const char *stem, bool open)
{
	struct cdr_verify_pair pair = {
		.stem = stem, .text = {text[0], text[1]}, .len = {len[0], len[1]}, .open = open};
	cdr_verify_add(verify, &pair);
}

/* The first `from` becomes `to`, of the same length. */
static void change(int form, const char *from, const char *to)
{
	char *at = strstr(text[form], from);
	ck_assert_uint_eq(strlen(from), strlen(to));
	ck_assert_msg(at != NULL, "there is no %s", from);
	memcpy(at, to, strlen(to));
}

#define SAYS(wanted) ck_assert_msg(strstr(said, wanted) != NULL, "wanted: %s\nsaid: %s", wanted, said)

START_TEST(what_was_written_is_whole)
{
	add("gw1-1", false);
	ck_assert_str_eq(said, "");
	const struct cdr_verified *v = cdr_verify_result(verify);
	ck_assert_uint_eq(v->rows, 6);
	ck_assert_uint_eq(v->sessions, 1);
	ck_assert_uint_eq(v->first, 1);
	ck_assert_uint_eq(v->last, 6);
}
END_TEST

/* Row by row and figure by figure: whatever number is changed, it is noticed. */
START_TEST(no_digit_can_be_changed)
{
	unsigned noticed = 0, changed = 0;
	for (size_t i = 0; i < len[0]; i++) {
		char was = text[0][i];
		if (was < '0' || was > '9')
			continue;
		text[0][i] = was == '9' ? '8' : (char)(was + 1);
		cdr_verify_free(verify);
		ck_assert_int_eq(cdr_verify_create(&verify, on_fault, NULL), 0);
		said[0] = '\0';
		add("gw1-1", false);
		changed++;
		noticed += cdr_verify_result(verify)->faults > 0;
		text[0][i] = was;
	}
	ck_assert_uint_gt(changed, 500);
	ck_assert_uint_eq(noticed, changed);
}
END_TEST

/* The same change in both forms: only what rows must agree on is left to notice it. */
START_TEST(figures_that_do_not_add_up)
{
	static const struct {
		const char *json[2], *csv[2], *wanted;
	} changes[] = {
		{{"\"duration_ms\":58000", "\"duration_ms\":58001"}, {",58000,1000,", ",58001,1000,"},
			"duration_ms is not the difference of its times, 58000"},
		{{"\"ring_ms\":1000", "\"ring_ms\":1001"}, {",58000,1000,", ",58000,1001,"},
			"ring_ms is not the difference of its times, 1000"},
		{{"\"to_packets\":20000", "\"to_packets\":20001"}, {",20000,25000,", ",20001,25000,"},
			"to_caller_packets is not that of its legs: 20001"},
		{{"\"type\":\"leg\"", "\"type\":\"lag\""}, {"gw1,1,leg,", "gw1,1,lag,"}, "type is none of"},
		{{"\"leg\":0", "\"leg\":4"}, {",,0,in,", ",,4,in,"}, "leg should be 0"},
		{{"\"record\":1", "\"record\":3"}, {"gw1,1,", "gw1,3,"}, "record 2 again or out of order"},
	};
	change(0, changes[_i].json[0], changes[_i].json[1]);
	change(1, changes[_i].csv[0], changes[_i].csv[1]);
	add("gw1-1", false);
	SAYS(changes[_i].wanted);
	ck_assert_msg(strstr(said, "differs") == NULL, "%s", said);
}
END_TEST

START_TEST(forms_that_differ)
{
	change(1, "busy", "bust");
	add("gw1-1", false);
	SAYS("gw1-1.csv:3: the row differs from that of the .jsonl file, line 2");
}
END_TEST

START_TEST(a_session_twice_and_a_gap_in_the_numbers)
{
	add("gw1-1", false);
	change(0, "\"record\":1", "\"record\":9");
	change(1, "gw1,1,", "gw1,9,");
	add("gw1-2", false);
	SAYS("gw1-2.jsonl:1: records 7 to 8 are missing before this row");
	SAYS("gw1-2.jsonl:6: session \"SE1\" was there before: it would be billed twice");
}
END_TEST

START_TEST(cut_off)
{
	size_t whole[2] = {len[0], len[1]};
	len[0] -= 10;
	add("gw1-1", false);
	SAYS("gw1-1.jsonl:6: the last line is cut off");
	SAYS("gw1-1.jsonl:5: the file ends before the row of session \"SE1\"");
	SAYS("gw1-1.csv:7: the file goes on, and the .jsonl file does not");
	said[0] = '\0';
	len[0] = whole[0];
	len[1] -= 10;
	add("gw1-2", false);
	SAYS("gw1-2.csv:7: the row differs");
}
END_TEST

/* Wherever the gateway is with writing, nothing is wrong with its open file. */
START_TEST(any_beginning_of_an_open_file_is_fine)
{
	size_t whole[2] = {len[0], len[1]};
	for (size_t i = 0; i <= whole[0]; i += 7)
		for (int form = 0; form < 2; form++) {
			cdr_verify_free(verify);
			ck_assert_int_eq(cdr_verify_create(&verify, on_fault, NULL), 0);
			len[0] = form ? whole[0] : i;
			len[1] = form ? (i < whole[1] ? i : whole[1]) : whole[1];
			add("gw1-1", true);
			ck_assert_str_eq(said, "");
		}
	len[0] = whole[0] - 1;
	add("gw1-1", true);
	ck_assert_uint_eq(cdr_verify_result(verify)->waiting, 5);
}
END_TEST

START_TEST(what_is_no_row)
{
	static const struct {
		const char *line, *wanted;
	} lines[] = {
		{"\n", "this is no row"},
		{"[]\n", "this is no row"},
		{"{\"schema\":1}\n", "column node is missing"},
		{"{\"schema\":\"1\"}\n", "schema is not what it should be"},
		{"{\"schema\":-1}\n", "schema is not what it should be"},
		{"\x1b[2J\xff\n", "this is no row"},
	};
	len[0] = strlen(lines[_i].line);
	memcpy(text[0], lines[_i].line, len[0]);
	add("gw1-1", false);
	SAYS(lines[_i].wanted);
}
END_TEST

/* A column that isn't ours is shown so that it can't move a cursor. */
START_TEST(a_hostile_column)
{
	char *line = NULL;
	size_t n = (size_t)(strchr(text[0], '\n') - text[0]);
	ck_assert_int_gt(asprintf(&line, "%.*s,\"\\u001b[2J\":1}\n", (int)n - 1, text[0]), 0);
	free(text[0]);
	text[0] = line;
	len[0] = strlen(line);
	add("gw1-1", false);
	SAYS("there is no column \"\\x1b[2J\"");
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {what_was_written_is_whole, no_digit_can_be_changed, forms_that_differ,
		a_session_twice_and_a_gap_in_the_numbers, cut_off, any_beginning_of_an_open_file_is_fine,
		a_hostile_column};
	Suite *suite = suite_create("verify");
	TCase *tcase = tcase_create("verify");
	tcase_set_timeout(tcase, 60);
	tcase_add_checked_fixture(tcase, setup, teardown);
	for (size_t i = 0; i < sizeof(tests) / sizeof(*tests); i++)
		tcase_add_test(tcase, tests[i]);
	tcase_add_loop_test(tcase, figures_that_do_not_add_up, 0, 6);
	tcase_add_loop_test(tcase, what_is_no_row, 0, 6);
	suite_add_tcase(suite, tcase);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
