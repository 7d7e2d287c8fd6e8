/* Tables of keys: what a group in a libconfig file may hold, and where it goes in a struct.
 *
 * A table is generated from a field list (.def) and drives defaults, parser, validation and the sample. The
 * node's settings and the registry are both read through it. Errors are written as
 * "FILE:LINE: section.key: what is wrong; what is allowed". */
#ifndef TG_SETTINGS_TABLE_H
#define TG_SETTINGS_TABLE_H

#include <libconfig.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum settings_type {
	SETTINGS_INT,    /* int */
	SETTINGS_BOOL,   /* bool */
	SETTINGS_TEXT,   /* char[bytes] */
	SETTINGS_CHOICE, /* enum or int: position in choices */
	SETTINGS_RANGE,  /* struct settings_range */
	SETTINGS_OTHER,  /* a list or group that the caller reads by itself: the name is known, no more */
};

/* Says whether a text may stand for a key: NULL, or what is wrong and what is allowed. */
typedef const char *(*settings_check)(const char *text);

struct settings_field {
	const char *key;
	enum settings_type type;
	size_t offset, bytes;
	bool required;              /* must be in the file */
	int def, min, max;          /* INT, BOOL (def) */
	const char *def_text;       /* TEXT, CHOICE, RANGE; NULL: empty */
	settings_check check;       /* TEXT; NULL: anything that fits */
	const char *const *choices; /* CHOICE: NULL-terminated */
	const char *help;
};

/* The file that is being read and where its first error goes. */
struct settings_source {
	const char *file;
	char *why;
	size_t why_bytes;
};

/* Opens a text as libconfig: syntax errors and NUL bytes are errors. include_dir: where @include looks, or
 * NULL. Always to be closed with config_destroy(), also after an error. Returns 0 or -EINVAL. */
int settings_table_open(config_t *config, const char *text, size_t len, const char *include_dir,
	const struct settings_source *source);
/* Writes the error; at: the setting it is about, or its nearest one in the file. Returns -EINVAL. */
int settings_table_fail(const struct settings_source *source, const config_setting_t *at, const char *path,
	const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* Puts every field's default in base. */
void settings_table_defaults(const struct settings_field *fields, size_t n, void *base);
/* Reads a group into base. Keys that the table doesn't list are errors. path: the group's name for errors,
 * "" for the file's top. Returns 0 or -EINVAL. */
int settings_table_read(const struct settings_source *source, const config_setting_t *group, const char *path,
	const struct settings_field *fields, size_t n, void *base);
/* Calls each() for every element of a list or array: NULL is an empty one. path: its name. each() returns 0
 * or what ends the loop. More than max elements are an error. */
int settings_table_each(const struct settings_source *source, const config_setting_t *list, const char *path,
	int max,
	int (*each)(const struct settings_source *source, const config_setting_t *item, const char *path,
		void *arg),
	void *arg);
/* The element's text, or NULL after an error was written. */
const char *settings_table_text(
	const struct settings_source *source, const config_setting_t *item, const char *path);

/* "key = default;" with its help as a comment in front, as the file has it. */
void settings_table_print(FILE *out, const struct settings_field *fields, size_t n, const char *indent);
/* A string as libconfig reads it, with quotes. */
void settings_table_print_text(FILE *out, const char *text);

#endif
