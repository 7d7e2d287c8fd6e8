#include "tools/table.h"

#include "tests/unit/journal/scratch.h"

static void expect(struct table *t, const char *want)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);
	table_print(t, f);
	fclose(f);
	ck_assert_str_eq(text, want);
	free(text);
}

START_TEST(columns)
{
	static const char *const titles[] = {"NAME", ">N", "LAST"};
	struct table t = {.titles = titles, .columns = 3};
	table_add(&t, "%s", "a long name");
	table_add(&t, "%d", 7);
	table_add(&t, "%s", "x");
	table_add(&t, "%s", "b");
	table_add(&t, "%d", 12345);
	table_add(&t, "%s", "");
	expect(&t, "NAME             N  LAST\n"
		   "a long name      7  x\n"
		   "b            12345  \n");
	/* Printing empties it. */
	expect(&t, "NAME  N  LAST\n");
}
END_TEST

START_TEST(many_rows)
{
	static const char *const titles[] = {">N"};
	struct table t = {.titles = titles, .columns = 1};
	for (int i = 0; i < 10000; i++)
		table_add(&t, "%d", i);
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);
	table_print(&t, f);
	fclose(f);
	ck_assert_uint_eq(len, 10001 * 5);
	free(text);
}
END_TEST

SCRATCH_MAIN("table", 5, columns, many_rows)
