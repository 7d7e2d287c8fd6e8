/* The stack prints to stderr by itself, a line for each datagram that looks like STUN: anyone could fill the
 * log by that. While it runs, the C library's stderr is a stream into the log, a few lines a second; what
 * writes to descriptor 2 (base/log, sanitizers) isn't concerned. */
#ifndef TG_SIP_SOFIA_STDERR_H
#define TG_SIP_SOFIA_STDERR_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct sofia_stderr {
	FILE *before, *stream; /* stream NULL: not replaced */
	char line[256];
	size_t used;
	uint64_t second, lines, left_out; /* lines of this second; lines that were not logged */
};

/* The struct must stay where it is until sofia_stderr_restore(). Returns 0 or -errno. */
int sofia_stderr_replace(struct sofia_stderr *s);
void sofia_stderr_restore(struct sofia_stderr *s);

#endif
