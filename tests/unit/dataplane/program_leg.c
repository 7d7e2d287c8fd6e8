/* Stands in for the control plane in tests of the running dataplane: reads lines from standard input, writes
 * what they ask for into the region, answers each with lines that end with "." on a line of its own.
 *
 *   program LEG GENERATION ADDRESS PORT [key=value ...]    release LEG GENERATION
 *   silence LEG GENERATION      relay LEG GENERATION PEER PEER_GENERATION
 *   play LEG GENERATION ITEM ITEM_GENERATION PLAY_ID [loops= start= stop=]
 *   stint LEG GENERATION STINT  snapshot WORKER TAG        raw KIND LEG GENERATION
 *   chain ... commit            commands between the two go out as one chain
 *   item ITEM GENERATION FRAMES READY STATE CODEC          taken LEG COUNT
 *   link LEG                    the leg's next hop, 0 while it isn't known
 *   egress LEG | ingress LEG | stats WORKER | events WORKER | meters WORKER | beat */
#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "contract/region_open.h"
#include "settings/settings.h"

#define WORDS_MAX 24

struct driver {
	struct tg_region *region;
	const struct tg_capacity *cap;
	bool chaining;
	uint32_t chained;
	struct tg_command chain[TG_CHAIN_MAX];
};

struct line {
	int words;
	char *word[WORDS_MAX];
};

static struct line split(char *text)
{
	struct line l = {0};
	for (char *w = strtok(text, " \n"); w && l.words < WORDS_MAX; w = strtok(NULL, " \n"))
		l.word[l.words++] = w;
	return l;
}

static uint32_t number(const struct line *l, int i)
{
	return i < l->words ? (uint32_t)strtoul(l->word[i], NULL, 0) : 0;
}

static uint32_t option(const struct line *l, const char *key, uint32_t otherwise)
{
	size_t n = strlen(key);
	for (int i = 1; i < l->words; i++)
		if (!strncmp(l->word[i], key, n) && l->word[i][n] == '=')
			return (uint32_t)strtoul(l->word[i] + n + 1, NULL, 0);
	return otherwise;
}

static void send_chain(struct driver *d)
{
	if (!d->chained)
		return;
	for (uint32_t i = 0; i < d->chained; i++)
		d->chain[i].more = i + 1 < d->chained;
	uint32_t w = d->chain[0].kind == TG_CMD_SNAPSHOT ? d->chain[0].leg
		     : d->chain[0].leg < tg_region_legs(d->region)
			     ? tg_capacity_worker(d->cap, d->chain[0].leg)
			     : 0;
	if (tg_ring_push_bulk(tg_region_commands(d->region, w), d->chain, d->chained))
		puts("full");
	d->chained = 0;
}

static void command(struct driver *d, const struct tg_command *c)
{
	if (d->chained < TG_CHAIN_MAX)
		d->chain[d->chained++] = *c;
	if (!d->chaining)
		send_chain(d);
}

static struct tg_command begin(const struct line *l, uint8_t kind)
{
	return (struct tg_command){
		.kind = kind, .leg = number(l, 1), .generation = number(l, 2), .tag = option(l, "tag", 0)};
}

static void do_program(struct driver *d, const struct line *l)
{
	struct tg_command c = begin(l, TG_CMD_PROGRAM);
	struct tg_leg_program *p = &c.program;
	if (l->words < 5 || !tg_addr_parse(l->word[3], &p->remote))
		return;
	p->remote_port_be = htons((uint16_t)number(l, 4));
	if (tg_addr_is_unspecified(&p->remote))
		p->remote.family = TG_FAMILY_NONE;
	p->flags = (uint8_t)option(l, "flags", 0);
	p->frame_ms = (uint8_t)option(l, "frame_ms", 20);
	p->clock_khz = 8;
	p->dscp = (uint8_t)option(l, "dscp", 46);
	p->rx.audio = (uint8_t)option(l, "rx", 0);
	p->rx.event = (uint8_t)option(l, "rx_event", 101);
	p->tx.audio = (uint8_t)option(l, "tx", 0);
	p->tx.event = (uint8_t)option(l, "tx_event", 101);
	p->ssrc = option(l, "ssrc", 0x1000 + c.leg);
	p->media_timeout_ms = option(l, "timeout", 0);
	c.stint = option(l, "stint", 1);
	struct tg_desired *row = c.leg < tg_region_legs(d->region) ? tg_region_desired(d->region, c.leg)
								   : NULL;
	if (row && row->generation != c.generation) {
		tg_desired_write_begin(row);
		row->generation = c.generation;
		atomic_store(&row->digits_taken, 0);
		tg_desired_write_end(row);
	}
	command(d, &c);
}

static void do_source(struct driver *d, const struct line *l)
{
	struct tg_command c = begin(l, TG_CMD_SOURCE);
	c.source.kind = l->word[0][0] == 'r'   ? TG_SOURCE_RELAY
			: l->word[0][0] == 'p' ? TG_SOURCE_PLAY
					       : TG_SOURCE_NONE;
	c.source.peer = number(l, 3);
	c.source.generation = number(l, 4);
	c.source.play_id = number(l, 5);
	c.source.loops = option(l, "loops", 1);
	c.source.start_frame = option(l, "start", 0);
	c.source.stop_on_digit = (uint8_t)option(l, "stop", 0);
	command(d, &c);
}

static void do_other(struct driver *d, const struct line *l)
{
	struct tg_command c = begin(l, 0);
	switch (l->word[0][0]) {
	case 's': /* stint or snapshot */
		c.kind = l->word[0][1] == 't' ? TG_CMD_STINT : TG_CMD_SNAPSHOT;
		c.stint = number(l, 3);
		if (c.kind == TG_CMD_SNAPSHOT)
			c.tag = number(l, 2);
		break;
	case 'r': /* release or raw */
		c.kind = TG_CMD_RELEASE;
		if (l->word[0][1] == 'a')
			c = (struct tg_command){.kind = (uint8_t)number(l, 1),
				.leg = number(l, 2),
				.generation = number(l, 3)};
		break;
	}
	command(d, &c);
}

/* Frame i of item n is filled with the byte (n * 16 + i) modulo 256. */
static void do_item(struct driver *d, const struct line *l)
{
	uint32_t index = number(l, 1), frames = number(l, 3);
	struct tg_media_item *item = tg_region_media(d->region, index);
	uint64_t room = d->cap->arena_bytes / d->cap->media_items / 64 * 64;
	if (index >= d->cap->media_items || frames * 160ull > room)
		return;
	item->frame_bytes = 160;
	item->frame_ms = 20;
	item->codec = (uint8_t)number(l, 6);
	item->offset = index * room;
	item->bytes = room;
	for (uint32_t i = 0; i < frames; i++)
		memset(tg_region_arena(d->region) + item->offset + i * 160ull, (int)(index * 16 + i) & 0xff,
			160);
	atomic_store(&item->generation, number(l, 2));
	atomic_store_explicit(&item->frames_ready, number(l, 4), memory_order_release);
	atomic_store_explicit(&item->state, number(l, 5), memory_order_release);
}

static void show_egress(const struct driver *d, uint32_t leg)
{
	const struct tg_egress *e = tg_region_egress(d->region, leg);
	printf("generation=%u source=%u feeder=%u stint=%u part=%u digit_count=%u digits_lost=%u "
	       "play_done=%u "
	       "play_stopped=%u media_timeouts=%u latches=%u next_hop=%u digits=",
		e->generation, e->source, e->feeder, e->stint, e->part, e->digit_count, e->digits_lost,
		e->play_done, e->play_stopped, e->media_timeouts, e->latches, e->next_hop);
	for (uint32_t i = 0; i < e->digit_count && i < TG_DIGITS_WAITING; i++)
		putchar(e->digits[i]);
	printf("\n");
}

static void show_ingress(const struct driver *d, uint32_t leg)
{
	const struct tg_ingress *r = tg_region_ingress(d->region, leg);
	char match[TG_ADDR_PORT_TEXT];
	struct tg_addr far = r->ipv6 ? tg_addr_ipv6(tg_region_ipv6(d->region, leg)->match)
				     : tg_addr_ipv4(r->match_ip_be);
	tg_addr_format_port(&far, ntohs(r->match_port_be), match);
	printf("generation=%u match=%s sink=%u rx_packets=%" PRIu64 " forwarded_packets=%" PRIu64
	       " dropped=%u jitter=%u flags=%u\n",
		r->generation, match, r->sink, r->rx_packets, r->forwarded_packets, r->dropped_packets,
		r->jitter_q4 >> 4, r->flags);
}

static void show_meter(const char *prefix, const struct tg_meter *m)
{
	for (int i = 0; i < TG_METERS; i++)
		printf(" %s%s=%" PRIu64, prefix, tg_meter_name[i], m->v[i]);
}

static void show_meters(const struct driver *d, uint32_t worker)
{
	struct tg_meter_record r;
	while (tg_ring_pop(tg_region_meters(d->region, worker), &r, 1)) {
		printf("kind=%u worker=%u final=%u media_timeout=%u leg=%u generation=%u stint=%u part=%u "
		       "lost=%u "
		       "start_ns=%" PRIu64 " end_ns=%" PRIu64
		       " jitter_us=%u outages=%u outage_ms=%u uncertain_packets=%u",
			r.kind, r.worker, r.final, r.media_timeout, r.leg, r.generation, r.stint, r.part,
			r.lost, r.start_ns, r.end_ns, r.jitter_us, r.outages, r.outage_ms,
			r.uncertain_packets);
		show_meter("", &r.counts);
		if (r.kind == TG_METER_SNAPSHOT) {
			show_meter("closed_", &r.closed);
			show_meter("total_", &r.total);
		}
		printf("\n");
	}
}

static void show_events(const struct driver *d, uint32_t worker)
{
	struct tg_event ev;
	while (tg_ring_pop(tg_region_events(d->region, worker), &ev, 1))
		printf("kind=%u refusal=%u leg=%u generation=%u tag=%u\n", ev.kind, ev.refusal, ev.leg,
			ev.generation, ev.tag);
}

static void show_stats(const struct driver *d, uint32_t worker)
{
	const struct tg_worker_stats *s = tg_region_stats(d->region, worker);
#define STAT(name, help) printf("%s=%" PRIu64 " ", #name, tg_counter_read(&s->name));
	TG_WORKER_STATS(STAT)
#undef STAT
	for (int i = 0; i < TG_DROPS; i++)
		printf("drop_%s=%" PRIu64 " ", tg_drop_info[i].name, tg_counter_read(&s->drops[i]));
	printf("alive_ns=%" PRIu64 "\n", s->alive_ns);
}

static void obey(struct driver *d, const struct line *l)
{
	static const struct {
		const char *name;
		void (*run)(struct driver *, const struct line *);
	} table[] = {{"program", do_program}, {"silence", do_source}, {"relay", do_source},
		{"play", do_source}, {"stint", do_other}, {"snapshot", do_other}, {"release", do_other},
		{"raw", do_other}, {"item", do_item}};
	const char *verb = l->word[0];
	uint32_t n = number(l, 1);
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (!strcmp(verb, table[i].name))
			table[i].run(d, l);
	if (!strcmp(verb, "chain"))
		d->chaining = true;
	if (!strcmp(verb, "commit")) {
		d->chaining = false;
		send_chain(d);
	}
	if (!strcmp(verb, "taken") && n < tg_region_legs(d->region))
		atomic_store(&tg_region_desired(d->region, n)->digits_taken, number(l, 2));
	if (!strcmp(verb, "egress") && n < tg_region_legs(d->region))
		show_egress(d, n);
	if (!strcmp(verb, "link") && n < tg_region_legs(d->region)) {
		uint32_t hop = tg_region_egress(d->region, n)->next_hop;
		printf("link=%" PRIu64 "\n",
			hop < TG_NEXT_HOPS
				? tg_region_next_hops(d->region, tg_capacity_worker(d->cap, n))[hop].link
				: 0);
	}
	if (!strcmp(verb, "ingress") && n < tg_region_legs(d->region))
		show_ingress(d, n);
	if (!strcmp(verb, "stats") && n < d->cap->workers)
		show_stats(d, n);
	if (!strcmp(verb, "events") && n < d->cap->workers)
		show_events(d, n);
	if (!strcmp(verb, "meters") && n < d->cap->workers)
		show_meters(d, n);
	if (!strcmp(verb, "beat")) {
		int pid;
		uint64_t ns = tg_region_last_beat(d->region, TG_ROLE_DATAPLANE, &pid);
		printf("age_ms=%" PRId64 " pid=%d\n",
			(int64_t)(tg_timebase_now(tg_region_timebase(d->region)) - ns) / 1000000, pid);
	}
}

int main(int argc, char **argv)
{
	static struct driver d;
	static struct settings s;
	struct tg_capacity cap;
	char why[1024], text[1024];
	if (argc != 2)
		return 2;
	if (settings_load(argv[1], &s, why, sizeof(why))) {
		fprintf(stderr, "%s\n", why);
		return 1;
	}
	settings_capacity(&s, &cap);
	if (tg_region_open_or_fallback(
		    &d.region, s.region.dir, s.region.name, &cap, TG_ROLE_CONTROL, why, sizeof(why))) {
		fprintf(stderr, "%s\n", why);
		return 1;
	}
	d.cap = tg_region_capacity(d.region);
	for (uint32_t w = 0; w < d.cap->workers; w++) {
		tg_ring_repair_producer(tg_region_commands(d.region, w));
		tg_ring_repair_consumer(tg_region_events(d.region, w));
		tg_ring_repair_consumer(tg_region_meters(d.region, w));
	}
	while (fgets(text, sizeof(text), stdin)) {
		struct line l = split(text);
		if (l.words)
			obey(&d, &l);
		puts(".");
		fflush(stdout);
	}
	tg_region_close(d.region);
	return 0;
}
