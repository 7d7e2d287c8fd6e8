/* A region as anybody may have left it (spoiled_region.h), and a control plane that finds it: it adopts rows
 * that the input names, releases the others, takes what is in the rings. Nothing is touched outside, nothing
 * goes on for ever, and no digit is passed on that is none. */
#include "base/log.h"
#include "controlplane/link/link.h"
#include "tests/fuzz/spoiled_region.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define JOURNAL_FACTS 20000 /* then it is begun anew: it lies in memory */

static struct journal *journal;
static char journal_dir[64];

static void on_digit(void *ctx, struct link_row row, char digit)
{
	if (!strchr("0123456789*#ABCD", digit) || !digit || row.row >= LEGS)
		abort();
}

static void on_play_done(void *ctx, struct link_row row, uint32_t play_id, bool stopped)
{
}

static void on_row(void *ctx, struct link_row row)
{
	if (row.row >= LEGS)
		abort();
}

static void on_latched(void *ctx, struct link_row row, const struct tg_addr *source, uint16_t port)
{
	on_row(ctx, row);
}

static void on_play_refused(void *ctx, struct link_row row, uint32_t play_id)
{
	on_row(ctx, row);
}

static void on_refused(void *ctx, struct link_row row, int refusal)
{
	on_row(ctx, row);
}

static void on_snapshot(void *ctx, uint32_t tag, uint32_t worker, bool ok, const json_t *fact)
{
}

static const struct link_handler handler = {.digit = on_digit,
	.play_done = on_play_done,
	.media_timeout = on_row,
	.latched = on_latched,
	.play_refused = on_play_refused,
	.refused = on_refused,
	.released = on_row,
	.snapshot = on_snapshot};

static void close_journal(void)
{
	char command[128];
	journal_close(journal);
	snprintf(command, sizeof(command), "rm -rf %s", journal_dir);
	if (system(command))
		abort();
}

static void open_once(void)
{
	make_good();
	if (journal && journal_appended(journal) < JOURNAL_FACTS)
		return;
	if (journal)
		close_journal();
	else
		atexit(close_journal); /* before the directory that it is in */
	log_set_level("all", "error");
	snprintf(journal_dir, sizeof(journal_dir), "%s/journal", dir);
	struct journal_options o = {.dir = journal_dir, .segment_bytes = 1 << 20};
	if (journal_open(&journal, &o, why, sizeof(why)))
		abort();
}

static void take_over(struct tg_region *region, uint32_t named)
{
	struct link *link;
	struct link_options o = {.region = region, .journal = journal, .handler = &handler};
	struct link_passed passed = {0};
	uint32_t stint;
	if (link_open(&link, &o))
		abort();
	for (uint32_t leg = 0; leg < LEGS + 2; leg++) {
		struct link_row row = {
			leg, leg < LEGS ? atomic_load(&tg_region_egress(region, leg)->generation) : named};
		if (!link_adopt(link, row, &passed, &stint) && (named >> leg % 32 & 1))
			link_adopt_reserved(link, row);
	}
	link_release_leftovers(link);
	for (uint32_t leg = 0; leg < LEGS; leg++)
		link_look(link,
			(struct link_row){leg, atomic_load(&tg_region_egress(region, leg)->generation)});
	for (int i = 0; i < 70; i++) {
		link_poll(link);
		link_durable(link, journal_appended(journal));
	}
	link_close(link);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tg_region *region;
	open_once();
	if (size < HOW)
		return 0;
	write_region(data, data + HOW, size - HOW < 8192 ? size - HOW : 8192);
	if (!open_as(&region, TG_ROLE_CONTROL)) {
		if (!tg_region_created(region))
			take_over(region, (uint32_t)(data[0] | data[1] << 8 | data[2] << 16));
		tg_region_close(region);
	}
	remove_files();
	return 0;
}
