#include "settings/table.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include "base/log.h"
#include "settings/settings.h"
#include "settings/settings_check.h"

#define PATH_BYTES 160

int settings_table_fail(const struct settings_source *source, const config_setting_t *at, const char *path,
	const char *fmt, ...)
{
	const char *file = at ? config_setting_source_file(at) : NULL;
	unsigned line = at ? config_setting_source_line(at) : 0;
	char what[512];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	snprintf(source->why, source->why_bytes, "%s:%u: %s%s%s", file ? file : source->file, line ? line : 1,
		path, *path ? ": " : "", what);
	return -EINVAL;
}

int settings_table_open(config_t *config, const char *text, size_t len, const char *include_dir,
	const struct settings_source *source)
{
	config_init(config);
	if (include_dir)
		config_set_include_dir(config, include_dir);
	if (memchr(text, '\0', len)) {
		snprintf(source->why, source->why_bytes,
			"%s:1: there is a NUL byte in the file; allowed: text", source->file);
		return -EINVAL;
	}
	if (config_read_string(config, text) == CONFIG_TRUE)
		return 0;
	const char *file = config_error_file(config);
	const char *error = config_error_text(config);
	snprintf(source->why, source->why_bytes, "%s:%d: %s; allowed: settings of the form key = value;",
		file ? file : source->file, config_error_line(config) > 0 ? config_error_line(config) : 1,
		error ? error : "not readable");
	return -EINVAL;
}

static void set_int(const struct settings_field *f, void *base, int value)
{
	memcpy((char *)base + f->offset, &value, sizeof(value));
}

static void set_bool(const struct settings_field *f, void *base, bool value)
{
	memcpy((char *)base + f->offset, &value, sizeof(value));
}

static int choice_of(const struct settings_field *f, const char *text)
{
	for (int i = 0; f->choices[i]; i++)
		if (!strcmp(f->choices[i], text))
			return i;
	return -1;
}

void settings_table_defaults(const struct settings_field *fields, size_t n, void *base)
{
	for (size_t i = 0; i < n; i++) {
		const struct settings_field *f = &fields[i];
		const char *text = f->def_text ? f->def_text : "";
		switch (f->type) {
		case SETTINGS_INT:
			set_int(f, base, f->def);
			break;
		case SETTINGS_BOOL:
			set_bool(f, base, f->def != 0);
			break;
		case SETTINGS_TEXT:
			snprintf((char *)base + f->offset, f->bytes, "%s", text);
			break;
		case SETTINGS_CHOICE:
			set_int(f, base, choice_of(f, text) < 0 ? 0 : choice_of(f, text));
			break;
		case SETTINGS_RANGE:
			memset((char *)base + f->offset, 0, sizeof(struct settings_range));
			break;
		case SETTINGS_OTHER:
			break;
		}
	}
}

const char *settings_table_text(
	const struct settings_source *source, const config_setting_t *item, const char *path)
{
	const char *text = config_setting_get_string(item);
	if (!text)
		settings_table_fail(source, item, path, "is not a text; allowed: a text in double quotes");
	return text;
}

static int read_int(const struct settings_source *source, const config_setting_t *s, const char *path,
	const struct settings_field *f, void *base)
{
	int type = config_setting_type(s);
	if (type != CONFIG_TYPE_INT && type != CONFIG_TYPE_INT64)
		return settings_table_fail(
			source, s, path, "is not a whole number; allowed: %d to %d", f->min, f->max);
	long long value = config_setting_get_int64(s);
	if (value < f->min || value > f->max)
		return settings_table_fail(
			source, s, path, "%lld is out of range; allowed: %d to %d", value, f->min, f->max);
	set_int(f, base, (int)value);
	return 0;
}

static int read_choice(const struct settings_source *source, const config_setting_t *s, const char *path,
	const struct settings_field *f, const char *text, void *base)
{
	int choice = choice_of(f, text);
	if (choice >= 0) {
		set_int(f, base, choice);
		return 0;
	}
	char allowed[128] = "";
	for (int i = 0; f->choices[i]; i++) {
		size_t used = strlen(allowed);
		snprintf(allowed + used, sizeof(allowed) - used, "%s\"%s\"", i ? ", " : "", f->choices[i]);
	}
	return settings_table_fail(source, s, path, "%s is unknown; allowed: %s", log_quote(text), allowed);
}

static int read_text(const struct settings_source *source, const config_setting_t *s, const char *path,
	const struct settings_field *f, const char *text, void *base)
{
	if (strlen(text) >= f->bytes)
		return settings_table_fail(
			source, s, path, "is too long; allowed: at most %zu bytes", f->bytes - 1);
	for (const char *p = text; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			return settings_table_fail(
				source, s, path, "has a control character; allowed: printable text");
	const char *wrong = f->check ? f->check(text) : NULL;
	if (wrong)
		return settings_table_fail(source, s, path, "%s is %s", log_quote(text), wrong);
	snprintf((char *)base + f->offset, f->bytes, "%s", text);
	return 0;
}

static int read_field(const struct settings_source *source, const config_setting_t *s, const char *path,
	const struct settings_field *f, void *base)
{
	const char *text;
	struct settings_range range;
	switch (f->type) {
	case SETTINGS_INT:
		return read_int(source, s, path, f, base);
	case SETTINGS_BOOL:
		if (config_setting_type(s) != CONFIG_TYPE_BOOL)
			return settings_table_fail(
				source, s, path, "is neither true nor false; allowed: true, false");
		set_bool(f, base, config_setting_get_bool(s) != 0);
		return 0;
	case SETTINGS_TEXT:
		text = settings_table_text(source, s, path);
		return text ? read_text(source, s, path, f, text, base) : -EINVAL;
	case SETTINGS_CHOICE:
		text = settings_table_text(source, s, path);
		return text ? read_choice(source, s, path, f, text, base) : -EINVAL;
	case SETTINGS_RANGE:
		text = settings_table_text(source, s, path);
		if (!text)
			return -EINVAL;
		const char *wrong = settings_parse_range(text, &range);
		if (wrong)
			return settings_table_fail(source, s, path, "%s is %s", log_quote(text), wrong);
		memcpy((char *)base + f->offset, &range, sizeof(range));
		return 0;
	case SETTINGS_OTHER:
		return 0;
	}
	return -EINVAL;
}

static const struct settings_field *find_field(const struct settings_field *fields, size_t n, const char *key)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(fields[i].key, key))
			return &fields[i];
	return NULL;
}

static void join(char path[static PATH_BYTES], const char *group, const char *key)
{
	snprintf(path, PATH_BYTES, "%s%s%s", group, *group ? "." : "", key);
}

static int fail_unknown(const struct settings_source *source, const config_setting_t *s, const char *path,
	const struct settings_field *fields, size_t n)
{
	char allowed[400] = "";
	for (size_t i = 0; i < n; i++) {
		size_t used = strlen(allowed);
		snprintf(allowed + used, sizeof(allowed) - used, "%s%s", i ? ", " : "", fields[i].key);
	}
	return settings_table_fail(source, s, path, "is not a known key; allowed: %s", allowed);
}

int settings_table_read(const struct settings_source *source, const config_setting_t *group, const char *path,
	const struct settings_field *fields, size_t n, void *base)
{
	if (!config_setting_is_group(group))
		return settings_table_fail(
			source, group, path, "is not a group; allowed: { key = value; ... }");
	char key_path[PATH_BYTES];
	for (unsigned i = 0; i < (unsigned)config_setting_length(group); i++) {
		const config_setting_t *s = config_setting_get_elem((config_setting_t *)group, i);
		const struct settings_field *f = find_field(fields, n, config_setting_name(s));
		join(key_path, path, config_setting_name(s));
		int e = f ? read_field(source, s, key_path, f, base)
			  : fail_unknown(source, s, key_path, fields, n);
		if (e)
			return e;
	}
	for (size_t i = 0; i < n; i++) {
		join(key_path, path, fields[i].key);
		if (fields[i].required &&
			!config_setting_get_member((config_setting_t *)group, fields[i].key))
			return settings_table_fail(
				source, group, key_path, "is missing; it is: %s", fields[i].help);
	}
	return 0;
}

int settings_table_each(const struct settings_source *source, const config_setting_t *list, const char *path,
	int max,
	int (*each)(const struct settings_source *source, const config_setting_t *item, const char *path,
		void *arg),
	void *arg)
{
	if (!list)
		return 0;
	if (!config_setting_is_list(list) && !config_setting_is_array(list))
		return settings_table_fail(source, list, path, "is not a list; allowed: ( item, item, ... )");
	int n = config_setting_length(list);
	if (n > max)
		return settings_table_fail(source, list, path, "has %d items; allowed: at most %d", n, max);
	for (int i = 0; i < n; i++) {
		char item_path[PATH_BYTES];
		snprintf(item_path, sizeof(item_path), "%s[%d]", path, i);
		int e = each(source, config_setting_get_elem((config_setting_t *)list, (unsigned)i),
			item_path, arg);
		if (e)
			return e;
	}
	return 0;
}

void settings_table_print_text(FILE *out, const char *text)
{
	fputc('"', out);
	for (const char *p = text; *p; p++) {
		if (*p == '"' || *p == '\\')
			fputc('\\', out);
		fputc(*p, out);
	}
	fputc('"', out);
}

void settings_table_print(FILE *out, const struct settings_field *fields, size_t n, const char *indent)
{
	for (size_t i = 0; i < n; i++) {
		const struct settings_field *f = &fields[i];
		if (f->type == SETTINGS_OTHER)
			continue;
		fprintf(out, "%s# %s", indent, f->help);
		if (f->type == SETTINGS_INT)
			fprintf(out, " (%d to %d)", f->min, f->max);
		fprintf(out, "\n%s%s = ", indent, f->key);
		if (f->type == SETTINGS_INT)
			fprintf(out, "%d", f->def);
		else if (f->type == SETTINGS_BOOL)
			fputs(f->def ? "true" : "false", out);
		else
			settings_table_print_text(out, f->def_text ? f->def_text : "");
		fputs(";\n", out);
	}
}
