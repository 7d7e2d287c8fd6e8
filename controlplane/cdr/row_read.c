#include "controlplane/cdr/row_read.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"

enum kind { TEXT, NUMBER, TIME, HUNDREDTHS };

/* Beyond any figure that has them. */
#define HUNDREDTHS_MAX 1e6

const char *const cdr_column_name[CDR_COLUMNS] = {
#define COLUMN(name, kind, help) #name,
#include "contract/cdr.def"
#undef COLUMN
};

static const enum kind kinds[CDR_COLUMNS] = {
#define COLUMN(name, kind, help) kind,
#include "contract/cdr.def"
#undef COLUMN
};

static int digits(const char *text, int n)
{
	int value = 0;
	for (int i = 0; i < n; i++) {
		if (text[i] < '0' || text[i] > '9')
			return -1;
		value = 10 * value + text[i] - '0';
	}
	return value;
}

/* "2026-11-22T13:00:00.123Z", of 1970 or later. */
static bool read_time(const char *text, size_t len, uint64_t *ns)
{
	char again[CLOCK_TEXT_BYTES];
	if (len != CLOCK_TEXT_BYTES - 1)
		return false;
	struct tm tm = {.tm_year = digits(text, 4) - 1900,
		.tm_mon = digits(text + 5, 2) - 1,
		.tm_mday = digits(text + 8, 2),
		.tm_hour = digits(text + 11, 2),
		.tm_min = digits(text + 14, 2),
		.tm_sec = digits(text + 17, 2)};
	int ms = digits(text + 20, 3);
	time_t s = tm.tm_year >= 70 && ms >= 0 ? timegm(&tm) : -1;
	/* Past what 64 bits of nanoseconds can say. */
	if (s < 0 || (uint64_t)s >= UINT64_MAX / CLOCK_NS_PER_S)
		return false;
	*ns = (uint64_t)s * CLOCK_NS_PER_S + (uint64_t)ms * CLOCK_NS_PER_MS;
	clock_format_utc(*ns, again);
	return !memcmp(text, again, len); /* no 31st of February either */
}

static bool read_value(struct cdr_row *row, int column, const json_t *v)
{
	uint64_t ns;
	switch (kinds[column]) {
	case TEXT:
		if (!json_is_string(v) || !json_string_length(v))
			return false;
		cdr_set_text(row, (enum cdr_column)column, json_string_value(v), json_string_length(v));
		return true;
	case NUMBER:
		if (!json_is_integer(v) || json_integer_value(v) < 0)
			return false;
		cdr_set_number(row, (enum cdr_column)column, (uint64_t)json_integer_value(v));
		return true;
	case TIME:
		if (!json_is_string(v) || !read_time(json_string_value(v), json_string_length(v), &ns))
			return false;
		cdr_set_number(row, (enum cdr_column)column, ns);
		return true;
	case HUNDREDTHS:
		if (!json_is_number(v) || json_number_value(v) < 0 || json_number_value(v) > HUNDREDTHS_MAX)
			return false;
		cdr_set_number(row, (enum cdr_column)column, (uint64_t)(json_number_value(v) * 100 + 0.5));
		return true;
	}
	return false;
}

static const char *unknown_column(const json_t *object)
{
	static _Thread_local char sentence[300];
	const char *name;
	json_t *value;
	json_object_foreach((json_t *)object, name, value)
	{
		bool known = false;
		for (int i = 0; i < CDR_COLUMNS && !known; i++)
			known = !strcmp(name, cdr_column_name[i]);
		if (known)
			continue;
		snprintf(sentence, sizeof(sentence), "there is no column %s", log_quote(name));
		return sentence;
	}
	return "a column is there twice";
}

const char *cdr_row_read(struct cdr_row *row, const json_t *object)
{
	static _Thread_local char sentence[128];
	memset(row, 0, sizeof(*row));
	if (!json_is_object(object))
		return "this is no row: a line of the .jsonl file is one JSON object";
	for (int i = 0; i < CDR_COLUMNS; i++) {
		const json_t *v = json_object_get(object, cdr_column_name[i]);
		if (v && (json_is_null(v) || read_value(row, i, v)))
			continue;
		snprintf(sentence, sizeof(sentence),
			v ? "%s is not what it should be" : "column %s is missing", cdr_column_name[i]);
		return sentence;
	}
	return json_object_size(object) == CDR_COLUMNS ? NULL : unknown_column(object);
}
