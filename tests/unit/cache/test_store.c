#include <errno.h>
#include <string.h>

#include "cache/store.h"
#include "tests/unit/cache/run_suite.h"
#include "tests/unit/cache/small_region.h"

#define NOW   1700000000000000000ull
#define BLOCK 25u /* frames that take one block of the arena */

static struct small_region small;
static struct tg_region *region;
static struct cache_store *store;
static uint8_t digest[40][CACHE_DIGEST_BYTES];
static uint8_t payload[200 * CACHE_FRAME_BYTES];

static void open_store(void)
{
	ck_assert_int_eq(cache_store_open(&store, region, NOW), 0);
}

static void begin_test(void)
{
	for (int i = 0; i < 40; i++)
		memset(digest[i], i + 1, CACHE_DIGEST_BYTES);
	region = small_region_open(&small);
	open_store();
}

static void end_test(void)
{
	cache_store_close(store);
	small_region_close(&small);
}

static struct tg_media_item *row(uint32_t item)
{
	return tg_region_media(region, item);
}

static uint32_t state(uint32_t item)
{
	return atomic_load(&row(item)->state);
}

static int begin(int d, uint32_t frames, uint32_t *item)
{
	struct cache_store_ask ask = {
		.digest = digest[d], .codec = TG_CODEC_PCMU, .keep = true, .frames = frames, .now_ns = NOW};
	return cache_store_begin(store, &ask, item);
}

static uint32_t make(int d, uint32_t frames)
{
	uint32_t item;
	struct cache_origin o = {.etag = "\"e\"", .shown = "http://h/", .fresh_ns = NOW + 1000};
	ck_assert_int_eq(begin(d, frames, &item), 0);
	memset(payload, d + 1, frames * CACHE_FRAME_BYTES);
	cache_store_append(store, item, payload, frames);
	cache_store_ready(store, item, &o);
	cache_store_unpin(store, item);
	return item;
}

/* A worker as the cache sees it: a counter of loops and a sign of life. */
static void worker_loops(uint32_t w, uint64_t n)
{
	struct tg_worker_stats *s = tg_region_stats(region, w);
	tg_counter_add(&s->loops, n);
	atomic_store(&s->alive_ns, NOW);
}

static void all_loop(uint64_t n)
{
	worker_loops(0, n);
	worker_loops(1, n);
}

static void play(uint32_t leg, uint32_t item)
{
	struct tg_egress *e = tg_region_egress(region, leg);
	atomic_store(&e->generation, item == TG_NONE ? 0 : 1);
	e->source = item == TG_NONE ? TG_SOURCE_NONE : TG_SOURCE_PLAY;
	e->item = item;
	e->item_generation = item == TG_NONE ? 0 : atomic_load(&row(item)->generation);
}

START_TEST(fill_and_find)
{
	uint32_t item;
	begin_test();
	ck_assert_uint_eq(cache_store_find(store, digest[0]), TG_NONE);
	ck_assert_int_eq(begin(0, 30, &item), 0);
	ck_assert_uint_eq(state(item), TG_MEDIA_FILLING);
	ck_assert_uint_eq(row(item)->generation, 1);
	ck_assert_uint_eq(row(item)->frame_bytes, 160);
	ck_assert_uint_eq(row(item)->frame_ms, 20);
	ck_assert_uint_eq(row(item)->pins, 1);
	ck_assert_uint_eq(cache_store_find(store, digest[0]), TG_NONE);
	ck_assert_uint_eq(cache_store_find_version(store, digest[0], row(item)->version), item);
	memset(payload, 7, sizeof(payload));
	cache_store_append(store, item, payload, 10);
	ck_assert_uint_eq(row(item)->frames_ready, 10);
	memset(payload, 8, sizeof(payload));
	cache_store_append(store, item, payload, 20);
	ck_assert_uint_eq(tg_region_arena(region)[row(item)->offset + 1599], 7);
	ck_assert_uint_eq(tg_region_arena(region)[row(item)->offset + 1600], 8);
	cache_store_append(store, item, payload, 100); /* more than is reserved */
	ck_assert_uint_eq(row(item)->frames_ready, 30);
	cache_store_ready(store, item, &(struct cache_origin){.etag = "x", .fresh_ns = 5});
	ck_assert_uint_eq(state(item), TG_MEDIA_READY);
	ck_assert_uint_eq(cache_store_find(store, digest[0]), item);
	ck_assert_str_eq(cache_store_origin(store, item).etag, "x");
	ck_assert_uint_eq(row(item)->fresh_ns, 5);
	ck_assert_uint_eq(cache_store_find(store, digest[1]), TG_NONE);
	cache_store_renew(store, item, &(struct cache_origin){.fresh_ns = 9});
	ck_assert_str_eq(cache_store_origin(store, item).etag, "x");
	ck_assert_uint_eq(cache_store_origin(store, item).fresh_ns, 9);
	end_test();
}
END_TEST

START_TEST(evicts_the_least_recently_used)
{
	begin_test();
	uint32_t a = make(0, 2 * BLOCK), b = make(1, 2 * BLOCK), c = make(2, 2 * BLOCK);
	uint32_t version = row(c)->version, generation = atomic_load(&row(c)->generation);
	cache_store_touch(store, a);
	cache_store_touch(store, b);
	uint32_t d = make(3, 4 * BLOCK);
	ck_assert_uint_eq(cache_store_find(store, digest[2]), TG_NONE);
	ck_assert_uint_eq(cache_store_find_version(store, digest[2], version), TG_NONE);
	ck_assert_uint_eq(cache_store_find(store, digest[0]), a);
	ck_assert_uint_eq(cache_store_find(store, digest[1]), b);
	ck_assert_uint_eq(cache_store_find(store, digest[3]), d);
	ck_assert_uint_eq(atomic_load(&row(c)->generation), generation + (d == c));
	/* What comes again under the same address is another version. */
	uint32_t again = make(2, BLOCK);
	ck_assert_uint_gt(row(again)->version, version);
	end_test();
}
END_TEST

START_TEST(the_table_can_be_full_too)
{
	begin_test();
	for (int i = 0; i < 7; i++)
		make(i, 1);
	ck_assert_uint_eq(cache_store_find(store, digest[0]), TG_NONE);
	ck_assert_uint_ne(cache_store_find(store, digest[6]), TG_NONE);
	end_test();
}
END_TEST

START_TEST(what_is_held_stays)
{
	uint32_t item;
	begin_test();
	uint32_t a = make(0, 4 * BLOCK), b = make(1, 4 * BLOCK);
	cache_store_pin(store, a);
	play(2, b);
	ck_assert_int_eq(begin(2, BLOCK, &item), -ENOSPC);
	ck_assert_uint_eq(state(a), TG_MEDIA_READY);
	ck_assert_uint_eq(state(b), TG_MEDIA_READY);
	cache_store_unpin(store, a);
	ck_assert_int_eq(
		begin(3, 5 * BLOCK, &item), -ENOSPC); /* nothing is given up for what doesn't fit anyway */
	ck_assert_uint_eq(state(a), TG_MEDIA_READY);
	struct tg_desired *d = tg_region_desired(region, 1);
	d->generation = 1;
	d->source = (struct tg_leg_source){
		.kind = TG_SOURCE_PLAY, .peer = a, .generation = atomic_load(&row(a)->generation)};
	ck_assert_int_eq(begin(2, BLOCK, &item), -ENOSPC);
	d->source.generation--; /* another item's */
	ck_assert_int_eq(begin(2, BLOCK, &item), 0);
	ck_assert_uint_eq(cache_store_find(store, digest[0]), TG_NONE);
	ck_assert_int_eq(begin(4, SMALL_BLOCKS * BLOCK + 20, &item), -ENOSPC);
	end_test();
}
END_TEST

START_TEST(memory_waits_for_every_worker)
{
	uint32_t item;
	begin_test();
	all_loop(100);
	uint32_t a = make(0, 8 * BLOCK);
	ck_assert_int_eq(begin(1, 8 * BLOCK, &item), -EAGAIN);
	ck_assert_uint_eq(state(a), TG_MEDIA_RETIRED);
	ck_assert(cache_store_waits(store));
	worker_loops(0, 50);
	for (int i = 0; i < 5; i++)
		cache_store_tick(store, NOW);
	ck_assert_uint_eq(state(a), TG_MEDIA_RETIRED); /* worker 1 stands still */
	worker_loops(1, 1);
	cache_store_tick(store, NOW);
	ck_assert_int_eq(begin(1, 8 * BLOCK, &item), -EAGAIN);
	worker_loops(1, 1);
	cache_store_tick(store, NOW);
	ck_assert_uint_eq(state(a), TG_MEDIA_RETIRED); /* the second period has only begun */
	all_loop(2);
	cache_store_tick(store, NOW);
	ck_assert_uint_eq(state(a), TG_MEDIA_FREE);
	ck_assert(!cache_store_waits(store));
	ck_assert_int_eq(begin(1, 8 * BLOCK, &item), 0);
	end_test();
}
END_TEST

START_TEST(a_leg_that_took_it_last_keeps_it)
{
	uint32_t item;
	begin_test();
	all_loop(100);
	uint32_t a = make(0, 8 * BLOCK);
	ck_assert_int_eq(begin(1, BLOCK, &item), -EAGAIN);
	/* A worker had checked the state just before, and shows it in its record now. */
	play(0, a);
	for (int i = 0; i < 10; i++) {
		all_loop(5);
		cache_store_tick(store, NOW);
	}
	ck_assert_uint_eq(state(a), TG_MEDIA_RETIRED);
	ck_assert_int_eq(begin(1, BLOCK, &item), -EAGAIN);
	play(0, TG_NONE);
	for (int i = 0; i < 4; i++) {
		all_loop(5);
		cache_store_tick(store, NOW);
	}
	ck_assert_uint_eq(state(a), TG_MEDIA_FREE);
	end_test();
}
END_TEST

START_TEST(a_dead_worker_holds_nothing)
{
	begin_test();
	all_loop(100);
	uint32_t a = make(0, 8 * BLOCK), item;
	ck_assert_int_eq(begin(1, BLOCK, &item), -EAGAIN);
	cache_store_tick(store, NOW + 9000000000ull);
	ck_assert_uint_eq(state(a), TG_MEDIA_RETIRED);
	cache_store_tick(store, NOW + 11000000000ull);
	ck_assert_uint_eq(state(a), TG_MEDIA_FREE);
	end_test();
}
END_TEST

START_TEST(a_new_version_supersedes)
{
	begin_test();
	uint32_t a = make(0, BLOCK);
	cache_store_pin(store, a);
	uint32_t b = make(0, BLOCK);
	ck_assert_uint_ne(a, b);
	ck_assert_uint_gt(row(b)->version, row(a)->version);
	ck_assert_uint_eq(cache_store_find(store, digest[0]), b);
	ck_assert_uint_eq(cache_store_find_version(store, digest[0], row(a)->version), a);
	cache_store_tick(store, NOW);
	ck_assert_uint_eq(state(a), TG_MEDIA_READY);
	cache_store_unpin(store, a);
	cache_store_tick(store, NOW);
	ck_assert_uint_eq(state(a), TG_MEDIA_FREE);
	ck_assert_uint_eq(state(b), TG_MEDIA_READY);
	end_test();
}
END_TEST

START_TEST(not_to_be_kept)
{
	static const uint8_t none[CACHE_DIGEST_BYTES];
	uint32_t item;
	struct cache_store_ask ask = {.digest = digest[0], .keep = false, .frames = 1, .now_ns = NOW};
	begin_test();
	ck_assert_int_eq(cache_store_begin(store, &ask, &item), 0);
	cache_store_append(store, item, payload, 1);
	cache_store_ready(store, item, &(struct cache_origin){0});
	ck_assert_uint_eq(cache_store_find(store, digest[0]), TG_NONE);
	ck_assert_uint_eq(cache_store_find_version(store, digest[0], row(item)->version), item);
	ck_assert(!memcmp(row(item)->digest, none, sizeof(none)));
	cache_store_tick(store, NOW);
	ck_assert_uint_eq(state(item), TG_MEDIA_READY);
	cache_store_unpin(store, item);
	cache_store_tick(store, NOW);
	ck_assert_uint_eq(state(item), TG_MEDIA_FREE);
	end_test();
}
END_TEST

START_TEST(broken_items_go)
{
	uint32_t item;
	begin_test();
	ck_assert_int_eq(begin(0, 8 * BLOCK, &item), 0);
	cache_store_append(store, item, payload, 1);
	play(0, item);
	cache_store_break(store, item);
	cache_store_unpin(store, item);
	cache_store_tick(store, NOW);
	ck_assert_uint_eq(state(item), TG_MEDIA_BROKEN);
	play(0, TG_NONE);
	cache_store_tick(store, NOW);
	ck_assert_uint_eq(state(item), TG_MEDIA_FREE);
	ck_assert_int_eq(begin(0, 8 * BLOCK, &item), 0);
	end_test();
}
END_TEST

START_TEST(a_successor_finds_everything)
{
	uint32_t filling;
	begin_test();
	uint32_t a = make(0, 2 * BLOCK), b = make(1, BLOCK);
	cache_store_pin(store, a);
	ck_assert_int_eq(begin(2, BLOCK, &filling), 0);
	cache_store_append(store, filling, payload, 3);
	play(3, filling);
	uint64_t offset = row(a)->offset;
	cache_store_close(store);
	open_store();
	ck_assert_uint_eq(cache_store_find(store, digest[0]), a);
	ck_assert_uint_eq(cache_store_find(store, digest[1]), b);
	ck_assert_uint_eq(row(a)->pins, 0);
	ck_assert_uint_eq(row(a)->offset, offset);
	ck_assert_uint_eq(tg_region_arena(region)[offset], 1);
	ck_assert_ptr_null(cache_store_origin(store, a).etag);
	ck_assert_uint_eq(cache_store_origin(store, a).fresh_ns, NOW + 1000);
	ck_assert_uint_eq(state(filling), TG_MEDIA_BROKEN);
	/* What is found is not given out again. */
	uint32_t c = make(3, 4 * BLOCK);
	ck_assert_uint_ge(row(c)->offset, 4 * 4096);
	play(3, TG_NONE);
	cache_store_tick(store, NOW);
	ck_assert_uint_eq(state(filling), TG_MEDIA_FREE);
	end_test();
}
END_TEST

START_TEST(a_damaged_table_is_not_believed)
{
	begin_test();
	for (int i = 0; i < 6; i++)
		make(i, BLOCK);
	row(1)->offset = row(0)->offset;
	row(2)->offset = 1ull << 40;
	row(3)->bytes = UINT64_MAX & ~4095ull;
	row(4)->frame_bytes = 0;
	atomic_store(&row(5)->frames_ready, UINT32_MAX);
	cache_store_close(store);
	open_store();
	ck_assert_uint_eq(cache_store_find(store, digest[0]), 0);
	for (int i = 1; i < 6; i++) {
		ck_assert_uint_eq(cache_store_find(store, digest[i]), TG_NONE);
		ck_assert_uint_eq(state((uint32_t)i), TG_MEDIA_FREE);
	}
	ck_assert_uint_eq(cache_store_figures(store).bytes_used, 4096);
	make(7, 7 * BLOCK);
	end_test();
}
END_TEST

/* Numbers that would be believed for ever: a version that the next ones wrap around after, a freshness
 * without end. */
START_TEST(numbers_out_of_reach_are_not_believed)
{
	begin_test();
	for (int i = 0; i < 3; i++)
		make(i, BLOCK);
	uint32_t last = row(2)->version;
	row(0)->version = UINT32_MAX;
	atomic_store(&row(1)->fresh_ns, UINT64_MAX);
	row(5)->version = UINT32_MAX; /* of a slot that was never used */
	cache_store_close(store);
	open_store();
	ck_assert_uint_eq(cache_store_find(store, digest[0]), TG_NONE);
	ck_assert_uint_eq(cache_store_find(store, digest[1]), TG_NONE);
	ck_assert_uint_eq(cache_store_find(store, digest[2]), 2);
	for (int i = 0; i < 12; i++) {
		uint32_t version = row(make(i % 2, BLOCK))->version;
		ck_assert_uint_gt(version, last);
		ck_assert_uint_lt(version, last + 100);
	}
	end_test();
}
END_TEST

/* Whose memory it is, by the table: within the arena, nobody's twice, and as much as the books say. */
static void check_memory(void)
{
	bool taken[SMALL_BLOCKS] = {false};
	uint64_t sum = 0;
	for (uint32_t i = 0; i < SMALL_ITEMS; i++) {
		ck_assert_uint_le(state(i), TG_MEDIA_RETIRED);
		if (state(i) == TG_MEDIA_FREE)
			continue;
		ck_assert_uint_eq(row(i)->bytes % 4096, 0);
		for (uint64_t at = row(i)->offset / 4096, n = row(i)->bytes / 4096; n; n--, at++) {
			ck_assert_uint_lt(at, SMALL_BLOCKS);
			ck_assert(!taken[at]);
			taken[at] = true;
		}
		sum += row(i)->bytes;
		if (state(i) != TG_MEDIA_READY)
			continue;
		ck_assert_uint_le(
			(uint64_t)atomic_load(&row(i)->frames_ready) * CACHE_FRAME_BYTES, row(i)->bytes);
		ck_assert_uint_eq(row(i)->frame_bytes, CACHE_FRAME_BYTES);
		ck_assert(atomic_load(&row(i)->generation) && row(i)->version);
	}
	ck_assert_uint_eq(cache_store_figures(store).bytes_used, sum);
}

static void spoil_row(uint32_t item, unsigned *seed)
{
	uint8_t *bytes = (uint8_t *)row(item);
	switch (rand_r(seed) % 4) {
	case 0: /* all of it */
		for (size_t i = 0; i < sizeof(struct tg_media_item); i++)
			bytes[i] = (uint8_t)rand_r(seed);
		break;
	case 1: /* a byte */
		bytes[rand_r(seed) % sizeof(struct tg_media_item)] = (uint8_t)rand_r(seed);
		break;
	case 2: /* plausible, but another's */
		row(item)->offset = (uint64_t)(rand_r(seed) % 10) * 4096;
		row(item)->bytes = (uint64_t)(rand_r(seed) % 10) * 4096;
		atomic_store(&row(item)->state, (uint32_t)rand_r(seed) % 6);
		break;
	default: /* nothing */
		break;
	}
}

START_TEST(noise_in_the_table_is_never_believed)
{
	unsigned seed = 11;
	uint32_t item;
	begin_test();
	for (int round = 0; round < 3000; round++) {
		for (int i = 0; i < 4; i++)
			if (!begin(i, (1 + (uint32_t)rand_r(&seed) % 2) * BLOCK, &item)) {
				cache_store_ready(store, item, &(struct cache_origin){0});
				cache_store_unpin(store, item);
			}
		for (uint32_t i = 0; i < SMALL_ITEMS; i++)
			spoil_row(i, &seed);
		if (rand_r(&seed) % 2)
			play(0, (uint32_t)rand_r(&seed) % SMALL_ITEMS);
		cache_store_close(store);
		open_store();
		check_memory();
		for (int i = 0; i < 4; i++) {
			item = cache_store_find(store, digest[i]);
			ck_assert(item == TG_NONE || state(item) == TG_MEDIA_READY);
		}
		if (!begin(20, BLOCK, &item)) {
			ck_assert_uint_ne(row(item)->version, 0);
			check_memory();
			cache_store_break(store, item);
			cache_store_unpin(store, item);
		}
		/* And all of the memory can be had again. */
		play(0, TG_NONE);
		make(21, SMALL_BLOCKS * BLOCK);
		check_memory();
	}
	end_test();
}
END_TEST

/* Many sizes, plays and workers that move on at random: nobody's frames are ever overwritten. */
START_TEST(random_life)
{
	unsigned seed = 7;
	uint32_t playing = TG_NONE;
	uint8_t mark = 0;
	begin_test();
	for (int step = 0; step < 20000; step++) {
		int d = rand_r(&seed) % 30;
		uint32_t item = cache_store_find(store, digest[d]), frames = 1 + rand_r(&seed) % (4 * BLOCK);
		all_loop(rand_r(&seed) % 3);
		cache_store_tick(store, NOW);
		if (playing != TG_NONE) {
			ck_assert_uint_eq(tg_region_arena(region)[row(playing)->offset], mark);
			if (rand_r(&seed) % 4 == 0) {
				play(0, TG_NONE);
				playing = TG_NONE;
			}
		}
		if (item == TG_NONE && !begin(d, frames, &item)) {
			memset(payload, d + 1, frames * CACHE_FRAME_BYTES);
			cache_store_append(store, item, payload, frames);
			cache_store_ready(store, item, &(struct cache_origin){0});
			cache_store_unpin(store, item);
		} else if (item != TG_NONE && playing == TG_NONE) {
			cache_store_touch(store, item);
			play(0, item);
			playing = item;
			mark = (uint8_t)(d + 1);
			ck_assert_uint_eq(tg_region_arena(region)[row(item)->offset], mark);
		}
	}
	ck_assert_uint_gt(cache_store_figures(store).evictions, 100);
	end_test();
}
END_TEST

int main(void)
{
	return run_suite(
		"store", (const TTest *const[]){fill_and_find, evicts_the_least_recently_used,
				 the_table_can_be_full_too, what_is_held_stays, memory_waits_for_every_worker,
				 a_leg_that_took_it_last_keeps_it, a_dead_worker_holds_nothing,
				 a_new_version_supersedes, not_to_be_kept, broken_items_go,
				 a_successor_finds_everything, a_damaged_table_is_not_believed,
				 numbers_out_of_reach_are_not_believed, noise_in_the_table_is_never_believed,
				 random_life, NULL});
}
