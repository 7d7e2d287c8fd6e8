/* Who may call, and how often: trunks by source address, each with a rate and a number of calls. */
#ifndef TG_SIP_SOURCE_H
#define TG_SIP_SOURCE_H

#include <stdint.h>

#include "settings/settings.h"

enum source_verdict {
	SOURCE_ADMITTED, /* counted as a call of the trunk until source_release() */
	SOURCE_RATE,     /* more calls per second than the trunk may make */
	SOURCE_LIMIT,    /* more calls at a time */
};

struct source_trunk {
	char name[sizeof(((struct settings_trunk *)0)->name)];
	struct settings_range range;
	uint64_t call_ns;   /* what one call costs: 1 s / calls_per_second */
	uint64_t credit_ns; /* saved up, at most one second */
	uint64_t seen_ns;   /* when credit was last added */
	int calls, max_calls;
};

struct source_table {
	struct source_trunk trunk[SETTINGS_TRUNKS_MAX];
	int trunks;
};

void source_init(struct source_table *table, const struct settings *settings, uint64_t now_ns);
/* First trunk whose range holds the address, or -1. */
int source_find(const struct source_table *table, const struct tg_addr *address);
/* Asks for one more call of a trunk. now_ns: monotonic. */
enum source_verdict source_admit(struct source_table *table, int trunk, uint64_t now_ns);
/* Counts a call that another process admitted, whatever the limits are. */
void source_adopt(struct source_table *table, int trunk);
void source_release(struct source_table *table, int trunk);

#endif
