/* The control plane's end of the region: rows, commands, news, meter records. On the SIP thread only.
 *
 * Commands go out in chains (contract/command.h). A chain for which the ring has no room waits here, in
 * order. Meter records are taken in two steps: they leave the ring only when the journal has made them
 * durable. A row that was released is used again only after its final record is durable, and then last of all
 * free rows. */
#ifndef TG_LINK_LINK_H
#define TG_LINK_LINK_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "contract/region.h"
#include "controlplane/journal/journal.h"

struct link;

struct link_row {
	uint32_t row, generation; /* generation 0: no row */
};

struct link_handler {
	void (*digit)(void *ctx, struct link_row row, char digit);
	void (*play_done)(void *ctx, struct link_row row, uint32_t play_id, bool stopped);
	void (*media_timeout)(void *ctx, struct link_row row);
	/* The leg was set to latch, and takes this source for its far end. Not told again to a successor. */
	void (*latched)(void *ctx, struct link_row row, const struct tg_addr *source, uint16_t port);
	/* The row's source was to be this play, and its item isn't what it was when the media layer named it:
	 * whoever wrote it may have been killed. Nothing is heard. */
	void (*play_refused)(void *ctx, struct link_row row, uint32_t play_id);
	/* The dataplane refused another command: a fault of ours, or a worker that is another build. */
	void (*refused)(void *ctx, struct link_row row, int refusal);
	/* The final meter record of the row has been appended to the journal. */
	void (*released)(void *ctx, struct link_row row);
	/* A worker's answer to link_snapshot(): the payload of FACT_snapshot, borrowed. */
	void (*snapshot)(void *ctx, uint32_t tag, uint32_t worker, bool ok, const json_t *fact);
};

/* Repairs this side's ring ends. Rows that a predecessor left in use are released; `released` tells about
 * each. journalled: per worker, sums of the meter records of this region that the journal holds already. */
struct link_options {
	struct tg_region *region;
	struct journal *journal;
	const struct link_handler *handler;
	void *ctx;
	const struct tg_meter *journalled; /* TG_WORKERS_MAX, or NULL for none */
	/* True for a meter record that the journal holds already (offered again after a crash). */
	bool (*seen)(void *ctx, const struct tg_meter_record *record);
};
/* Meter records that wait in the rings are made durable first. Rows that a predecessor left in use are for
 * the caller: adopt what goes on, then release the leftovers. */
int link_open(struct link **link, const struct link_options *options);
void link_close(struct link *link);

/* How much of a row's news has been passed on. */
struct link_passed {
	uint32_t digits, play_done, media_timeouts;
};
struct link_passed link_passed(const struct link *link, struct link_row row);
/* Takes a row over that a predecessor had open. passed: what it had passed on and what that led to was kept;
 * stint: what the row counts for. Returns false if it is free by now: then its final record is in the
 * journal. */
bool link_adopt(struct link *link, struct link_row row, const struct link_passed *passed, uint32_t *stint);
/* Takes a row that a predecessor had reserved and not programmed. Returns false if it is in use. */
bool link_adopt_reserved(struct link *link, struct link_row row);
/* Releases all rows that were in use and have not been adopted; `released` tells about each. */
void link_release_leftovers(struct link *link);
/* Passes on the news of one row. */
void link_look(struct link *link, struct link_row row);
/* What the digits passed on so far have led to is in a safe place: they are not offered to a successor again.
 */
void link_digits_settled(struct link *link, struct link_row row);

/* Is there a media address of this family? */
bool link_has_family(const struct link *link, enum tg_family family);
/* Takes a free row at an address of this family, of that worker (-1: the worker with the fewest rows in use).
 * Returns 0 or -EBUSY. */
int link_reserve(struct link *link, int worker, enum tg_family family, struct link_row *row);
/* Gives back a row that was never programmed. */
void link_unreserve(struct link *link, struct link_row row);
uint32_t link_worker(const struct link *link, struct link_row row);
struct tg_addr link_address(const struct link *link, struct link_row row, uint16_t *port);

/* What the command line shows of a leg. */
struct link_label {
	const uint8_t *session, *call; /* 16 bytes each */
	const char *module, *from, *to;
	bool outbound;
};
/* A chain under construction: commands for rows of one worker that take effect at one moment. */
struct link_chain {
	struct tg_command command[TG_CHAIN_MAX];
	uint32_t n;
};
void link_program(struct link *link, struct link_chain *chain, struct link_row row,
	const struct tg_leg_program *program, uint32_t stint, const struct link_label *label);
void link_source(
	struct link *link, struct link_chain *chain, struct link_row row, const struct tg_leg_source *source);
void link_stint(
	struct link *link, struct link_chain *chain, struct link_row row, uint32_t stint, const char *module);
void link_release(struct link *link, struct link_chain *chain, struct link_row row);
/* Sends it; an empty chain is nothing. */
void link_submit(struct link *link, const struct link_chain *chain);
/* Are the rows what the chain would make of them? For rows that were adopted and not been sent anything yet:
 * a chain that is done need not be sent. False where that can't be told, because a predecessor's commands
 * were still waiting at the start. */
bool link_is_done(const struct link *link, const struct link_chain *chain);

/* Looks at all rings. Call every few milliseconds. */
void link_poll(struct link *link);
/* The journal has made everything up to this sequence durable. */
void link_durable(struct link *link, uint64_t sequence);
/* Asks every worker for a snapshot. Returns the number of workers asked; answers come by `snapshot`. */
unsigned link_snapshot(struct link *link, uint32_t tag);
/* Of a row that a predecessor had and that is free by now: whether its final meter record has been found in a
 * ring, or may be among those that still wait there. */
bool link_ended(const struct link *link, struct link_row row);
/* True while the final meter record of this row has not come. */
bool link_releasing(const struct link *link, struct link_row row);
uint32_t link_rows_in_use(const struct link *link);
/* Rows that were released and whose final record has not come yet. */
uint32_t link_rows_releasing(const struct link *link);

#endif
