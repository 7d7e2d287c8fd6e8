/* One line per event on standard error: time, level, area, id of the call or session, event, key=value.
 *
 * Levels can be changed per area while running. Text from outside goes through log_quote(), so that a
 * peer can neither break a line nor reach a terminal. Dataplane workers never log: they count. */
#ifndef TG_BASE_LOG_H
#define TG_BASE_LOG_H

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR, LOG_LEVELS };

enum log_area {
#define LOG_AREA(name) LOG_AREA_##name,
#include "base/log_area.def"
#undef LOG_AREA
	LOG_AREAS
};

/* id: CallSid, session id or NULL where no call is concerned. event: a literal of a few words joined by
 * dashes. fmt: "key=value key=value", values from outside through log_quote(). Keeps errno. */
void log_event(enum log_area area, enum log_level level, const char *id, const char *event, const char *fmt,
	...) __attribute__((format(printf, 5, 6)));

/* Quotes text from outside for one log line: printable ASCII stays, everything else becomes \xHH; cut at
 * 200 bytes with "...". Returns one of eight buffers of the calling thread: use it in the same call. */
const char *log_quote(const char *text);

/* area: name from log_area.def or "all". Returns 0, or -EINVAL for an unknown area or level. */
int log_set_level(const char *area, const char *level);

#define log_debug(area, id, event, ...) log_event(LOG_AREA_##area, LOG_DEBUG, id, event, __VA_ARGS__)
#define log_info(area, id, event, ...)  log_event(LOG_AREA_##area, LOG_INFO, id, event, __VA_ARGS__)
#define log_warn(area, id, event, ...)  log_event(LOG_AREA_##area, LOG_WARN, id, event, __VA_ARGS__)
#define log_error(area, id, event, ...) log_event(LOG_AREA_##area, LOG_ERROR, id, event, __VA_ARGS__)

#endif
