/* Every document of the fuzz corpus against what it must be read as: NAME.xml and documents/NAME.txt. With
 * DOCUMENT_GOLDEN_WRITE set, the latter are written anew, to be looked at. */
#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "tests/unit/modules/document_dump.h"

static char **names;
static int names_n;

static int is_document(const struct dirent *entry)
{
	const char *dot = strrchr(entry->d_name, '.');
	return dot && !strcmp(dot, ".xml");
}

static void list_corpus(void)
{
	struct dirent **entries;
	names_n = scandir(CORPUS, &entries, is_document, alphasort);
	if (names_n <= 0)
		abort();
	names = calloc((size_t)names_n, sizeof(*names));
	for (int i = 0; i < names_n; i++) {
		names[i] = strndup(entries[i]->d_name, strlen(entries[i]->d_name) - 4);
		free(entries[i]);
	}
	free(entries);
}

static void check_golden(const char *name, const char *got, size_t len)
{
	char path[512], *want;
	size_t want_len;
	snprintf(path, sizeof(path), "%s/%s.txt", GOLDEN, name);
	if (getenv("DOCUMENT_GOLDEN_WRITE")) {
		FILE *f = fopen(path, "w");
		ck_assert_ptr_nonnull(f);
		fwrite(got, 1, len, f);
		fclose(f);
		return;
	}
	ck_assert_msg(file_read(path, 1 << 20, &want, &want_len) == 0, "%s is missing", path);
	ck_assert_msg(len == want_len && !memcmp(got, want, len), "%s was read as\n%s\nnot as\n%s", name, got,
		want);
	free(want);
}

START_TEST(golden)
{
	char path[512], *body, *text;
	size_t len, text_len;
	snprintf(path, sizeof(path), "%s/%s.xml", CORPUS, names[_i]);
	ck_assert_int_eq(file_read(path, 1 << 20, &body, &len), 0);
	struct document *d = NULL;
	struct document_error error = {0};
	int e = document_parse(body, len, "text/xml; charset=utf-8", "http://h/app/x.xml", &d, &error);
	FILE *out = open_memstream(&text, &text_len);
	if (e)
		fprintf(out, "error %d: %s\n", error.number, error.sentence);
	else
		document_dump(out, d);
	fclose(out);
	check_golden(names[_i], text, text_len);
	document_free(d);
	free(text);
	free(body);
}
END_TEST

static const struct {
	const char *type;
	int error; /* 0: fine */
} types[] = {{"text/xml", 0}, {"TEXT/XML", 0}, {"application/xml;charset=utf-8", 0}, {" text/html ; x", 0},
	{"text/plain", 41004}, {"application/json", 12300}, {"text/xmlx", 12300}, {"", 12300}, {NULL, 12300},
	{"image/png\r\nx", 12300}};

START_TEST(content_types)
{
	static const char body[] = "<Response><Hangup/></Response>";
	struct document *d = NULL;
	struct document_error error = {0};
	int e = document_parse(body, sizeof(body) - 1, types[_i].type, "http://h/", &d, &error);
	ck_assert_int_eq(e, types[_i].error ? -EINVAL : 0);
	ck_assert_int_eq(error.number, types[_i].error);
	for (const char *p = error.sentence; *p; p++)
		ck_assert(*p >= ' ' && *p <= '~');
	document_free(d);
}
END_TEST

START_TEST(sound)
{
	struct document *d;
	struct document_error error;
	ck_assert_int_eq(document_parse("RIFF", 4, "audio/x-wav", "http://h/a.wav", &d, &error), 0);
	ck_assert_int_eq(document_verbs(d), 1);
	const struct document_verb *v = document_verb(d, 0);
	ck_assert_int_eq(v->type, VERB_Play);
	ck_assert_str_eq(v->text, "http://h/a.wav");
	ck_assert_int_eq(v->u.Play.loop, 1);
	ck_assert_ptr_null(document_verb(d, 1));
	ck_assert_ptr_null(document_verb(d, -1));
	ck_assert_int_eq(document_warnings(d), 0);
	document_free(d);
}
END_TEST

int main(void)
{
	list_corpus();
	Suite *suite = suite_create("document");
	TCase *tc = tcase_create("all");
	tcase_add_loop_test(tc, golden, 0, names_n);
	tcase_add_loop_test(tc, content_types, 0, sizeof(types) / sizeof(types[0]));
	tcase_add_test(tc, sound);
	suite_add_tcase(suite, tc);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	for (int i = 0; i < names_n; i++)
		free(names[i]);
	free(names);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
