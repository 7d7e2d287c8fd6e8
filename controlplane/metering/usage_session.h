/* The entries of one session, within usage.c's bookkeeping. */
#ifndef TG_METERING_USAGE_SESSION_H
#define TG_METERING_USAGE_SESSION_H

#include "controlplane/metering/usage.h"

struct usage_row; /* usage_private.h */

struct usage_session {
	char *id;
	struct usage_row *rows;
	struct usage_entry *entry;
	size_t entries, room;
	unsigned open_legs;
	bool unreadable; /* a meter record of it made no sense */
};

/* A meter record's figures. */
struct usage_figures {
	struct usage_part name;
	uint32_t worker, jitter_us;
	uint64_t start_ns, end_ns, lost;
	uint64_t outages, outage_ms, uncertain_packets;
	bool final, media_timeout;
	struct usage_quality quality;
	struct tg_meter counts;
};

/* Reads FACT_meter. Returns 0, or -EINVAL for one that is not whole or counts what nobody can have counted;
 * the name is filled as far as it is there. region: of a record that names none. */
int usage_figures_read(struct usage_figures *f, const json_t *payload, uint64_t region);
/* Adds a record to the entry of its stint and this leg. Returns 0 or -ENOMEM. */
int usage_session_add(struct usage_session *s, uint32_t leg, const struct usage_figures *f);

#endif
