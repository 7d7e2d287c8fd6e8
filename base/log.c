#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"

static const char *const level_names[LOG_LEVELS] = {"debug", "info", "warn", "error"};
static const char *const area_names[LOG_AREAS] = {
#define LOG_AREA(name) #name,
#include "base/log_area.def"
#undef LOG_AREA
};

/* Zero is the default, so levels are kept as an offset from LOG_INFO. */
static _Atomic signed char level_offset[LOG_AREAS];

#define LINE_MAX_BYTES  2048
#define QUOTE_MAX_BYTES 200
#define QUOTE_BUFFERS   8

void log_event(
	enum log_area area, enum log_level level, const char *id, const char *event, const char *fmt, ...)
{
	int saved = errno;
	if ((int)level < LOG_INFO + atomic_load_explicit(&level_offset[area], memory_order_relaxed))
		return;
	char line[LINE_MAX_BYTES], when[CLOCK_TEXT_BYTES];
	clock_format_utc(clock_utc_ns(), when);
	int n = snprintf(line, sizeof(line), "%s level=%s area=%s id=%s event=%s ", when, level_names[level],
		area_names[area], id && *id ? id : "-", event);
	va_list ap;
	va_start(ap, fmt);
	int more = vsnprintf(line + n, sizeof(line) - (size_t)n, fmt, ap);
	va_end(ap);
	size_t len = (size_t)n + (more > 0 ? (size_t)more : 0);
	if (len > sizeof(line) - 2)
		len = sizeof(line) - 2;
	line[len++] = '\n';
	/* A line that cannot be written has nowhere else to go; one write keeps lines whole between threads.
	 */
	ssize_t ignored = write(STDERR_FILENO, line, len);
	(void)ignored;
	errno = saved;
}

const char *log_quote(const char *text)
{
	static _Thread_local char buffers[QUOTE_BUFFERS][QUOTE_MAX_BYTES + 8];
	static _Thread_local unsigned next;
	char *out = buffers[next++ % QUOTE_BUFFERS];
	size_t n = 0;
	out[n++] = '"';
	for (const unsigned char *p = (const unsigned char *)(text ? text : ""); *p; p++) {
		if (n > QUOTE_MAX_BYTES - 4) {
			memcpy(out + n, "...", 3);
			n += 3;
			break;
		}
		if (*p >= ' ' && *p < 0x7f && *p != '"' && *p != '\\')
			out[n++] = (char)*p;
		else
			n += (size_t)sprintf(out + n, "\\x%02x", *p);
	}
	out[n++] = '"';
	out[n] = '\0';
	return out;
}

int log_set_level(const char *area, const char *level)
{
	int wanted = -1;
	for (int i = 0; i < LOG_LEVELS; i++)
		if (!strcmp(level, level_names[i]))
			wanted = i;
	if (wanted < 0)
		return -EINVAL;
	int found = 0;
	for (int i = 0; i < LOG_AREAS; i++) {
		if (strcmp(area, "all") && strcmp(area, area_names[i]))
			continue;
		atomic_store_explicit(
			&level_offset[i], (signed char)(wanted - LOG_INFO), memory_order_relaxed);
		found = 1;
	}
	return found ? 0 : -EINVAL;
}
