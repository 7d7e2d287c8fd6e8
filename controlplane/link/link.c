#include "controlplane/link/link.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "controlplane/link/meter_fact.h"
#include "controlplane/link/row_is.h"
#include "controlplane/link/rows.h"

/* Meter records that are on their way to the journal at a time. */
#define METER_BATCH 64
#define EVENT_BATCH 64
/* A command's tag says in a refusal what was refused: its kind and, above that, the play. */
#define TAG_KIND_BITS 4
/* For the journal, when it takes up what a predecessor left. */
#define DRAIN_WAIT_MS 5000

/* Chains that found the ring full. */
struct waiting {
	struct waiting *next;
	struct link_chain chain;
};

/* A row whose release was refused because the worker has it no more: it is free when every record that was in
 * the meter ring by then is durable, its final one perhaps among them. */
struct gone {
	struct gone *next;
	struct link_row row;
	uint64_t at; /* of worker_end.taken */
};

struct worker_end {
	struct waiting *first, **last;
	struct gone *gone;
	uint64_t taken; /* meter records that left the ring */
	bool settled;   /* no command of a predecessor was waiting at the start */
	/* The batch that was peeked and is not durable yet. */
	struct tg_meter_record batch[METER_BATCH];
	uint32_t batch_n;
	uint64_t batch_sequence;
	struct tg_meter journalled;
	uint64_t events_missed;
};

struct link {
	struct tg_region *region;
	struct journal *journal;
	struct link_handler handler;
	void *ctx;
	bool (*seen)(void *ctx, const struct tg_meter_record *record);
	struct rows rows;
	uint32_t workers, in_use, releasing;
	uint64_t durable;
	struct worker_end end[TG_WORKERS_MAX];
};

static void look_at_news(struct link *l, uint32_t index);
static void drain_meters(struct link *l);

static struct row_use *use_of(struct link *l, struct link_row row)
{
	struct row_use *use = row.row < l->rows.legs ? &l->rows.use[row.row] : NULL;
	return use && use->generation == row.generation ? use : NULL;
}

static void take_over(struct link *l, struct link_row row)
{
	rows_take_this(&l->rows, row.row);
	l->in_use++;
	l->rows.use[row.row] = (struct row_use){.generation = row.generation, .state = ROW_OPEN};
}

void link_release_leftovers(struct link *l)
{
	for (uint32_t row = 0; row < l->rows.legs; row++) {
		uint32_t programmed = atomic_load_explicit(
			&tg_region_egress(l->region, row)->generation, memory_order_acquire);
		uint32_t wanted = tg_region_desired(l->region, row)->generation;
		if ((!programmed && !wanted) || l->rows.use[row].state != ROW_FREE)
			continue;
		struct link_row left = {row, programmed ? programmed : wanted};
		take_over(l, left);
		struct link_chain chain = {.n = 0};
		link_release(l, &chain, left);
		link_submit(l, &chain);
	}
}

bool link_adopt(struct link *l, struct link_row row, const struct link_passed *passed, uint32_t *stint)
{
	if (row.row >= l->rows.legs || l->rows.use[row.row].state != ROW_FREE)
		return false;
	const struct tg_egress *e = tg_region_egress(l->region, row.row);
	struct tg_desired *d = tg_region_desired(l->region, row.row);
	bool programmed = atomic_load_explicit(&e->generation, memory_order_acquire) == row.generation;
	if (!programmed && d->generation != row.generation)
		return false;
	take_over(l, row);
	struct row_use *use = &l->rows.use[row.row];
	*stint = programmed ? e->stint : d->stint;
	use->digits = passed->digits;
	use->media_timeouts = passed->media_timeouts;
	use->play_done = passed->play_done;
	use->latches = programmed ? atomic_load_explicit(&e->latches, memory_order_relaxed) : 0;
	atomic_store_explicit(&d->digits_taken, passed->digits, memory_order_release);
	return true;
}

bool link_adopt_reserved(struct link *l, struct link_row row)
{
	if (row.row >= l->rows.legs || l->rows.use[row.row].state != ROW_FREE ||
		atomic_load_explicit(
			&tg_region_egress(l->region, row.row)->generation, memory_order_acquire) ||
		tg_region_desired(l->region, row.row)->generation)
		return false;
	take_over(l, row);
	l->rows.use[row.row].state = ROW_RESERVED;
	return true;
}

void link_look(struct link *l, struct link_row row)
{
	if (use_of(l, row))
		look_at_news(l, row.row);
}

struct link_passed link_passed(const struct link *l, struct link_row row)
{
	const struct row_use *use = row.row < l->rows.legs ? &l->rows.use[row.row] : NULL;
	if (!use || use->generation != row.generation)
		return (struct link_passed){0};
	return (struct link_passed){use->digits, use->play_done, use->media_timeouts};
}

void link_digits_settled(struct link *l, struct link_row row)
{
	struct row_use *use = use_of(l, row);
	if (!use || use->state != ROW_OPEN)
		return;
	_Atomic uint32_t *taken = &tg_region_desired(l->region, row.row)->digits_taken;
	if (atomic_load_explicit(taken, memory_order_relaxed) != use->digits)
		atomic_store_explicit(taken, use->digits, memory_order_release);
}

int link_open(struct link **link, const struct link_options *o)
{
	struct link *l = calloc(1, sizeof(*l));
	if (!l)
		return -ENOMEM;
	l->region = o->region;
	l->journal = o->journal;
	l->handler = *o->handler;
	l->ctx = o->ctx;
	l->seen = o->seen;
	l->workers = tg_region_capacity(o->region)->workers;
	int e = rows_open(&l->rows, tg_region_capacity(o->region));
	if (e) {
		free(l);
		return e;
	}
	for (uint32_t w = 0; w < l->workers; w++) {
		tg_ring_repair_producer(tg_region_commands(l->region, w));
		l->end[w].settled = !tg_ring_waiting(tg_region_commands(l->region, w));
		tg_ring_repair_consumer(tg_region_events(l->region, w));
		tg_ring_repair_consumer(tg_region_meters(l->region, w));
		l->end[w].last = &l->end[w].first;
		if (o->journalled)
			l->end[w].journalled = o->journalled[w];
	}
	drain_meters(l);
	*link = l;
	return 0;
}

void link_close(struct link *l)
{
	if (!l)
		return;
	for (uint32_t w = 0; w < l->workers; w++) {
		if (l->end[w].batch_n)
			tg_ring_take(tg_region_meters(l->region, w),
				l->end[w].batch_sequence <= l->durable ? l->end[w].batch_n : 0);
		while (l->end[w].gone) {
			struct gone *next = l->end[w].gone->next;
			free(l->end[w].gone);
			l->end[w].gone = next;
		}
		while (l->end[w].first) {
			struct waiting *next = l->end[w].first->next;
			free(l->end[w].first);
			l->end[w].first = next;
		}
	}
	rows_close(&l->rows);
	free(l);
}

bool link_has_family(const struct link *l, enum tg_family family)
{
	const struct tg_capacity *cap = tg_region_capacity(l->region);
	return family == TG_FAMILY_IPV6   ? cap->ipv6_addresses > 0
	       : family == TG_FAMILY_IPV4 ? cap->addresses > cap->ipv6_addresses
					  : false;
}

int link_reserve(struct link *l, int worker, enum tg_family family, struct link_row *row)
{
	uint32_t index = rows_take(&l->rows, worker, family);
	if (index == TG_NONE)
		return -EBUSY;
	row->row = index;
	row->generation = tg_region_next_generation(l->region);
	l->rows.use[index] = (struct row_use){.generation = row->generation, .state = ROW_RESERVED};
	l->in_use++;
	return 0;
}

/* Free for the next: only now, so that a successor finds a row whose release is on its way. */
static void give_back(struct link *l, uint32_t row)
{
	struct tg_desired *d = tg_region_desired(l->region, row);
	if (d->generation == l->rows.use[row].generation) {
		tg_desired_write_begin(d);
		d->generation = 0;
		tg_desired_write_end(d);
	}
	rows_give(&l->rows, row);
	l->in_use--;
}

void link_unreserve(struct link *l, struct link_row row)
{
	struct row_use *use = use_of(l, row);
	if (use && use->state == ROW_RESERVED)
		give_back(l, row.row);
}

uint32_t link_worker(const struct link *l, struct link_row row)
{
	return tg_capacity_worker(tg_region_capacity(l->region), row.row);
}

struct tg_addr link_address(const struct link *l, struct link_row row, uint16_t *port)
{
	return *tg_capacity_address(tg_region_capacity(l->region), row.row, port);
}

static struct tg_command *add(struct link_chain *chain, enum tg_command_kind kind, struct link_row row)
{
	if (chain->n == TG_CHAIN_MAX) /* 50 legs at most per session, one kind of command each */
		return NULL;
	struct tg_command *c = &chain->command[chain->n++];
	*c = (struct tg_command){
		.kind = (uint8_t)kind, .tag = kind, .leg = row.row, .generation = row.generation};
	return c;
}

static void copy_text(char *to, const char *from, size_t room)
{
	strncpy(to, from ? from : "", room - 1);
	to[room - 1] = '\0';
}

void link_program(struct link *l, struct link_chain *chain, struct link_row row,
	const struct tg_leg_program *program, uint32_t stint, const struct link_label *label)
{
	struct row_use *use = use_of(l, row);
	struct tg_command *c = use ? add(chain, TG_CMD_PROGRAM, row) : NULL;
	if (!c)
		return;
	c->program = *program;
	c->stint = stint;
	struct tg_desired *d = tg_region_desired(l->region, row.row);
	tg_desired_write_begin(d);
	if (use->state == ROW_RESERVED) {
		d->generation = row.generation;
		d->since_ns = tg_timebase_now(tg_region_timebase(l->region));
		d->source = (struct tg_leg_source){.kind = TG_SOURCE_NONE};
		d->stint = stint;
		atomic_store_explicit(&d->digits_taken, 0, memory_order_relaxed);
	}
	d->program = *program;
	if (label) {
		memcpy(d->session, label->session, sizeof(d->session));
		memcpy(d->call, label->call, sizeof(d->call));
		copy_text(d->module, label->module, sizeof(d->module));
		copy_text(d->from, label->from, sizeof(d->from));
		copy_text(d->to, label->to, sizeof(d->to));
		d->outbound = label->outbound;
	}
	tg_desired_write_end(d);
	use->state = ROW_OPEN;
}

static uint32_t source_tag(const struct tg_leg_source *source)
{
	uint32_t play = source->kind == TG_SOURCE_PLAY ? source->play_id : 0;
	return TG_CMD_SOURCE | play << TAG_KIND_BITS;
}

void link_source(
	struct link *l, struct link_chain *chain, struct link_row row, const struct tg_leg_source *source)
{
	struct row_use *use = use_of(l, row);
	struct tg_command *c = use && use->state == ROW_OPEN ? add(chain, TG_CMD_SOURCE, row) : NULL;
	if (!c)
		return;
	c->source = *source;
	c->tag = source_tag(source);
	struct tg_desired *d = tg_region_desired(l->region, row.row);
	tg_desired_write_begin(d);
	d->source = *source;
	tg_desired_write_end(d);
}

void link_stint(
	struct link *l, struct link_chain *chain, struct link_row row, uint32_t stint, const char *module)
{
	struct row_use *use = use_of(l, row);
	struct tg_command *c = use && use->state == ROW_OPEN ? add(chain, TG_CMD_STINT, row) : NULL;
	if (!c)
		return;
	c->stint = stint;
	struct tg_desired *d = tg_region_desired(l->region, row.row);
	tg_desired_write_begin(d);
	d->stint = stint;
	copy_text(d->module, module, sizeof(d->module));
	tg_desired_write_end(d);
}

void link_release(struct link *l, struct link_chain *chain, struct link_row row)
{
	struct row_use *use = use_of(l, row);
	if (!use || use->state != ROW_OPEN || !add(chain, TG_CMD_RELEASE, row))
		return;
	use->state = ROW_RELEASING;
	l->releasing++;
	struct tg_desired *d = tg_region_desired(l->region, row.row);
	tg_desired_write_begin(d);
	d->source = (struct tg_leg_source){.kind = TG_SOURCE_NONE};
	tg_desired_write_end(d);
}

static int push_chain(struct link *l, uint32_t worker, const struct link_chain *chain)
{
	return tg_ring_push_bulk(tg_region_commands(l->region, worker), chain->command, chain->n);
}

void link_submit(struct link *l, const struct link_chain *chain)
{
	if (!chain->n)
		return;
	struct link_chain ready = *chain;
	for (uint32_t i = 0; i < ready.n; i++)
		ready.command[i].more = i + 1 < ready.n;
	uint32_t w = ready.command[0].kind == TG_CMD_SNAPSHOT
			     ? ready.command[0].leg
			     : tg_capacity_worker(tg_region_capacity(l->region), ready.command[0].leg);
	struct worker_end *end = &l->end[w];
	if (!end->first && !push_chain(l, w, &ready))
		return;
	struct waiting *wait = malloc(sizeof(*wait));
	if (!wait) {
		log_error(link, NULL, "command-lost", "worker=%u reason=\"out of memory\"", w);
		return;
	}
	wait->next = NULL;
	wait->chain = ready;
	*end->last = wait;
	end->last = &wait->next;
}

bool link_is_done(const struct link *l, const struct link_chain *chain)
{
	const struct tg_capacity *cap = tg_region_capacity(l->region);
	for (uint32_t i = 0; i < chain->n; i++) {
		const struct tg_command *c = &chain->command[i];
		if (c->leg >= l->rows.legs || !l->end[tg_capacity_worker(cap, c->leg)].settled ||
			l->rows.use[c->leg].state != ROW_OPEN || !row_is(l->region, c))
			return false;
	}
	return true;
}

static void push_waiting(struct link *l, uint32_t w)
{
	struct worker_end *end = &l->end[w];
	while (end->first && !push_chain(l, w, &end->first->chain)) {
		struct waiting *done = end->first;
		end->first = done->next;
		if (!end->first)
			end->last = &end->first;
		free(done);
	}
}

/* The row says what is wanted: a play that is over isn't, and must not keep its item in the arena. */
static void forget_play(struct link *l, uint32_t index, uint32_t play_id)
{
	struct tg_desired *d = tg_region_desired(l->region, index);
	if (d->source.kind != TG_SOURCE_PLAY || d->source.play_id != play_id)
		return;
	tg_desired_write_begin(d);
	d->source = (struct tg_leg_source){.kind = TG_SOURCE_NONE};
	tg_desired_write_end(d);
}

/* Passes on what the egress record says that has not been passed on yet. */
static void look_at_news(struct link *l, uint32_t index)
{
	struct row_use *use = &l->rows.use[index];
	if (use->state != ROW_OPEN)
		return;
	struct link_row row = {index, use->generation};
	const struct tg_egress *e = tg_region_egress(l->region, index);
	if (atomic_load_explicit(&e->generation, memory_order_acquire) != row.generation)
		return;
	uint32_t done = atomic_load_explicit(&e->play_done, memory_order_acquire);
	bool stopped = atomic_load_explicit(&e->play_stopped, memory_order_relaxed);
	uint32_t digits = atomic_load_explicit(&e->digit_count, memory_order_acquire);
	uint32_t timeouts = atomic_load_explicit(&e->media_timeouts, memory_order_acquire);
	uint32_t latches = atomic_load_explicit(&e->latches, memory_order_acquire);
	if (digits - use->digits >
		TG_DIGITS_WAITING) /* never so by a worker of ours: it counts digits_lost */
		use->digits = digits - TG_DIGITS_WAITING;
	/* A handler may release the row: then use_of() no longer finds it open. */
	while (use->generation == row.generation && use->state == ROW_OPEN && use->digits != digits) {
		char digit = (char)e->digits[use->digits++ % TG_DIGITS_WAITING];
		if (digit && strchr("0123456789*#ABCD", digit)) /* else the row is damaged */
			l->handler.digit(l->ctx, row, digit);
	}
	if (use->generation == row.generation && use->state == ROW_OPEN && use->play_done != done) {
		use->play_done = done;
		forget_play(l, index, done);
		l->handler.play_done(l->ctx, row, done, stopped);
	}
	if (use->generation == row.generation && use->state == ROW_OPEN && use->media_timeouts != timeouts) {
		use->media_timeouts = timeouts;
		l->handler.media_timeout(l->ctx, row);
	}
	if (use->generation == row.generation && use->state == ROW_OPEN && use->latches != latches) {
		const struct tg_ingress *in = tg_region_ingress(l->region, index);
		bool ipv6 = tg_capacity_family(tg_region_capacity(l->region), index) == TG_FAMILY_IPV6;
		struct tg_addr source = ipv6 ? tg_addr_ipv6(tg_region_ipv6(l->region, index)->match)
					     : tg_addr_ipv4(in->match_ip_be);
		use->latches = latches;
		l->handler.latched(l->ctx, row, &source, be16toh(in->match_port_be));
	}
}

static void drop_gone(struct link *l, uint32_t w)
{
	for (struct gone **at = &l->end[w].gone; *at;) {
		struct gone *g = *at;
		if (g->at > l->end[w].taken) {
			at = &g->next;
			continue;
		}
		*at = g->next;
		struct row_use *use = use_of(l, g->row);
		if (use && use->state ==
				   ROW_RELEASING) { /* its final record never was: it had never been opened */
			l->releasing--;
			l->handler.released(l->ctx, g->row);
			give_back(l, g->row.row);
		}
		free(g);
	}
}

static void release_refused(struct link *l, struct link_row row, int refusal)
{
	uint32_t w = tg_capacity_worker(tg_region_capacity(l->region), row.row);
	if (refusal != TG_REFUSED_GENERATION) {
		struct link_chain again = {.n = 0};
		add(&again, TG_CMD_RELEASE, row);
		link_submit(l, &again);
		return;
	}
	struct gone *g = malloc(sizeof(*g));
	if (!g) {
		log_error(link, NULL, "out-of-memory", "effect=\"port of row %u stays unused\"", row.row);
		return;
	}
	*g = (struct gone){
		l->end[w].gone, row, l->end[w].taken + tg_ring_waiting(tg_region_meters(l->region, w))};
	l->end[w].gone = g;
	drop_gone(l, w);
}

/* True for a play's source. One that is no longer wanted matters to nobody. */
static bool play_refused(struct link *l, struct link_row row, const struct tg_event *ev)
{
	struct tg_leg_source wanted = tg_region_desired(l->region, row.row)->source;
	if (ev->refusal != TG_REFUSED_SOURCE || ev->tag >> TAG_KIND_BITS == 0)
		return false;
	if (wanted.kind == TG_SOURCE_PLAY && source_tag(&wanted) == ev->tag) {
		forget_play(l, row.row, wanted.play_id);
		l->handler.play_refused(l->ctx, row, wanted.play_id);
	}
	return true;
}

static void take_event(struct link *l, const struct tg_event *ev)
{
	if (ev->leg >= l->rows.legs)
		return;
	if (ev->kind == TG_EVENT_NEWS) {
		look_at_news(l, ev->leg);
		return;
	}
	struct link_row row = {ev->leg, ev->generation};
	struct row_use *use = use_of(l, row);
	if (use && use->state == ROW_OPEN && play_refused(l, row, ev))
		return;
	/* Not where a release was asked for twice, here and by a predecessor: that is as it should be. */
	if (!use || use->state != ROW_RELEASING || ev->refusal != TG_REFUSED_GENERATION)
		log_error(link, NULL, "command-refused", "row=%u generation=%u reason=\"%s\"", ev->leg,
			ev->generation, tg_refusal_text(ev->refusal));
	if (!use)
		return;
	if (use->state == ROW_RELEASING) {
		if (ev->tag == TG_CMD_RELEASE)
			release_refused(l, row, ev->refusal);
		return; /* what else was refused no longer matters */
	}
	l->handler.refused(l->ctx, row, ev->refusal);
}

static void poll_events(struct link *l, uint32_t w)
{
	struct tg_event events[EVENT_BATCH];
	uint32_t n = tg_ring_pop(tg_region_events(l->region, w), events, EVENT_BATCH);
	for (uint32_t i = 0; i < n; i++)
		take_event(l, &events[i]);
	uint64_t missed = tg_counter_read(&tg_region_stats(l->region, w)->events_missed);
	if (missed == l->end[w].events_missed)
		return;
	l->end[w].events_missed = missed;
	for (uint32_t row = 0; row < l->rows.legs; row++)
		if (tg_capacity_worker(tg_region_capacity(l->region), row) == w)
			look_at_news(l, row);
}

static void take_part(struct link *l, uint32_t w, const struct tg_meter_record *r)
{
	if (!l->seen || !l->seen(l->ctx, r)) {
		uint64_t at = journal_append(l->journal, FACT_meter, meter_fact(tg_region_id(l->region), r));
		if (at)
			l->end[w].batch_sequence = at;
		tg_meter_add(&l->end[w].journalled, &r->counts);
	}
	if (!r->final)
		return;
	if (l->rows.use[r->leg].state == ROW_FREE)
		l->rows.use[r->leg].ended = r->generation;
	struct row_use *use = use_of(l, (struct link_row){r->leg, r->generation});
	if (!use || use->state != ROW_RELEASING)
		return;
	l->releasing--;
	l->handler.released(l->ctx, (struct link_row){r->leg, r->generation});
}

/* A record that no worker of ours writes comes of a damaged region: it is not money. */
static bool is_of_worker(const struct link *l, uint32_t w, const struct tg_meter_record *r)
{
	return r->worker == w && r->leg < l->rows.legs && r->generation &&
	       tg_capacity_worker(tg_region_capacity(l->region), r->leg) == w;
}

static void take_snapshot(struct link *l, uint32_t w, const struct tg_meter_record *r)
{
	bool ok;
	json_t *fact = snapshot_fact(tg_region_id(l->region), w, r, &l->end[w].journalled, &ok);
	if (!fact)
		return;
	l->handler.snapshot(l->ctx, r->stint, w, ok, fact);
	uint64_t at = journal_append(l->journal, FACT_snapshot, fact);
	if (at)
		l->end[w].batch_sequence = at;
}

/* First step: into the journal. The records stay in the ring until they are durable there. */
static void poll_meters(struct link *l, uint32_t w)
{
	struct worker_end *end = &l->end[w];
	if (end->batch_n)
		return;
	end->batch_n = tg_ring_peek(tg_region_meters(l->region, w), end->batch, METER_BATCH);
	end->batch_sequence = 0;
	for (uint32_t i = 0; i < end->batch_n; i++) {
		const struct tg_meter_record *r = &end->batch[i];
		if (r->kind == TG_METER_PART && !is_of_worker(l, w, r))
			log_error(link, NULL, "meter-record-refused",
				"worker=%u row=%u generation=%u effect=\"not counted: it can be no "
				"worker's\"",
				w, r->leg, r->generation);
		else if (r->kind == TG_METER_PART)
			take_part(l, w, r);
		else if (r->kind == TG_METER_SNAPSHOT)
			take_snapshot(l, w, r);
		else
			log_error(link, NULL, "meter-record-unknown", "worker=%u kind=%u", w, r->kind);
	}
	if (end->batch_n && !end->batch_sequence)
		link_durable(l, l->durable);
}

/* Second step: out of the ring, and the rows of final records are free again. */
static void finish_batch(struct link *l, uint32_t w)
{
	struct worker_end *end = &l->end[w];
	tg_ring_take(tg_region_meters(l->region, w), end->batch_n);
	for (uint32_t i = 0; i < end->batch_n; i++) {
		const struct tg_meter_record *r = &end->batch[i];
		struct row_use *use = use_of(l, (struct link_row){r->leg, r->generation});
		if (r->kind == TG_METER_PART && is_of_worker(l, w, r) && r->final && use &&
			use->state == ROW_RELEASING)
			give_back(l, r->leg);
	}
	end->taken += end->batch_n;
	end->batch_n = 0;
	drop_gone(l, w);
}

void link_durable(struct link *l, uint64_t sequence)
{
	l->durable = sequence;
	for (uint32_t w = 0; w < l->workers; w++)
		if (l->end[w].batch_n && l->end[w].batch_sequence <= sequence)
			finish_batch(l, w);
}

/* What a predecessor left in the rings is in the journal before anything is decided by it. */
static void drain_meters(struct link *l)
{
	for (uint32_t w = 0; w < l->workers; w++) {
		for (uint32_t left = TG_METER_RING; left; left--) {
			poll_meters(l, w);
			if (!l->end[w].batch_n)
				break;
			if (journal_wait(l->journal, l->end[w].batch_sequence, DRAIN_WAIT_MS))
				return;
			link_durable(l, l->end[w].batch_sequence);
		}
	}
}

void link_poll(struct link *l)
{
	for (uint32_t w = 0; w < l->workers; w++) {
		push_waiting(l, w);
		poll_events(l, w);
		poll_meters(l, w);
	}
}

unsigned link_snapshot(struct link *l, uint32_t tag)
{
	for (uint32_t w = 0; w < l->workers; w++) {
		struct link_chain chain = {.n = 0};
		struct tg_command *c = add(&chain, TG_CMD_SNAPSHOT, (struct link_row){w, 0});
		c->tag = tag;
		link_submit(l, &chain);
	}
	return l->workers;
}

bool link_ended(const struct link *l, struct link_row row)
{
	if (row.row >= l->rows.legs || l->rows.use[row.row].state != ROW_FREE)
		return false;
	uint32_t w = tg_capacity_worker(tg_region_capacity(l->region), row.row);
	return l->rows.use[row.row].ended == row.generation ||
	       tg_ring_waiting(tg_region_meters(l->region, w));
}

bool link_releasing(const struct link *l, struct link_row row)
{
	return row.row < l->rows.legs && l->rows.use[row.row].generation == row.generation &&
	       l->rows.use[row.row].state == ROW_RELEASING;
}

uint32_t link_rows_in_use(const struct link *l)
{
	return l->in_use;
}

uint32_t link_rows_releasing(const struct link *l)
{
	return l->releasing;
}
