#include "controlplane/sip/sofia_stderr.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>
#include <sys/types.h>

#include "base/clock.h"
#include "base/log.h"

#define LINES_PER_SECOND 5

static void tell(struct sofia_stderr *s)
{
	uint64_t now = clock_mono_ns() / CLOCK_NS_PER_S;
	s->line[s->used] = '\0';
	s->used = 0;
	if (!s->line[0])
		return;
	if (now != s->second) {
		s->second = now;
		s->lines = 0;
	}
	if (s->lines == LINES_PER_SECOND) {
		s->left_out++;
		return;
	}
	s->lines++;
	/* A failed assertion says why the process ends. */
	bool stun = !strncasecmp(s->line, "stun ", 5);
	log_event(LOG_AREA_sip, stun ? LOG_DEBUG : LOG_WARN, NULL, "stderr", "text=%s left_out=%llu",
		log_quote(s->line), (unsigned long long)s->left_out);
	s->left_out = 0;
}

static ssize_t on_write(void *cookie, const char *data, size_t n)
{
	struct sofia_stderr *s = cookie;
	for (size_t i = 0; i < n; i++) {
		if (data[i] == '\n')
			tell(s);
		else if (s->used < sizeof(s->line) - 1)
			s->line[s->used++] = data[i];
	}
	return (ssize_t)n;
}

int sofia_stderr_replace(struct sofia_stderr *s)
{
	memset(s, 0, sizeof(*s));
	s->stream = fopencookie(s, "w", (cookie_io_functions_t){.write = on_write});
	if (!s->stream)
		return -ENOMEM;
	setvbuf(s->stream, NULL, _IOLBF, 512);
	s->before = stderr;
	stderr = s->stream;
	return 0;
}

void sofia_stderr_restore(struct sofia_stderr *s)
{
	if (!s->stream)
		return;
	stderr = s->before;
	fclose(s->stream);
	s->stream = NULL;
}
