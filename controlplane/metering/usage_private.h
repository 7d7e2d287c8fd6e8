/* What usage.c keeps, for it and for whoever saves and loads it (usage_save.c). */
#ifndef TG_METERING_USAGE_PRIVATE_H
#define TG_METERING_USAGE_PRIVATE_H

#include "controlplane/metering/usage_session.h"

struct usage_seen {
	uint32_t stint, part;
};

/* What is known of a row's latest generation. */
struct usage_row {
	uint64_t region;
	uint32_t row, generation;
	uint32_t leg;
	bool final;                    /* its last record has come */
	struct usage_session *session; /* NULL: leg_media hasn't come, or the session is closed */
	bool closed;
	struct usage_seen *seen;
	size_t seen_n, seen_room;
	/* Records that came before leg_media. */
	struct usage_figures *kept;
	size_t kept_n;
	struct usage_row *next;    /* all rows */
	struct usage_row *sibling; /* the rows of its session */
};

struct usage_region {
	struct usage_region *next;
	uint64_t id;
	struct tg_meter sums[TG_WORKERS_MAX];
};

struct usage {
	uint64_t region;       /* of the last node_start */
	void *rows, *sessions; /* tsearch trees */
	struct usage_row *all_rows;
	struct usage_region *regions;
	uint64_t unclaimed;
};

/* What is there already, or made anew; NULL when memory is out. */
struct usage_row *usage_row_of(struct usage *usage, uint64_t region, uint32_t number, uint32_t generation);
struct usage_session *usage_session_of(struct usage *usage, const char *id);

#endif
