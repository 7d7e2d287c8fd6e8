#include "contract/ring.h"

#include <errno.h>
#include <string.h>

#include <rte_ring.h>

#include "tests/unit/contract/suite.h"

#define COUNT 8
struct record {
	uint64_t a, b;
};

static struct tg_ring ring;
static void *memory;

static void make(void)
{
	free(memory);
	memory = aligned_alloc(64, 4096);
	ck_assert_int_eq(tg_ring_init(memory, COUNT, sizeof(struct record)), 0);
	ck_assert_int_eq(tg_ring_attach(&ring, memory, COUNT, sizeof(struct record)), 0);
}

static int push(uint64_t v)
{
	struct record r = {v, ~v};
	return tg_ring_push(&ring, &r);
}

static uint64_t pop(void)
{
	struct record r;
	ck_assert_uint_eq(tg_ring_pop(&ring, &r, 1), 1);
	ck_assert_uint_eq(r.b, ~r.a);
	return r.a;
}

START_TEST(records_come_out_whole_and_in_order)
{
	make();
	for (uint64_t round = 0; round < 100; round++) {
		for (uint64_t i = 0; i < 5; i++)
			ck_assert_int_eq(push(round * 5 + i), 0);
		for (uint64_t i = 0; i < 5; i++)
			ck_assert_uint_eq(pop(), round * 5 + i);
	}
}
END_TEST

START_TEST(a_full_ring_takes_nothing_and_loses_nothing)
{
	make();
	for (uint64_t i = 0; i < COUNT - 1; i++)
		ck_assert_int_eq(push(i), 0);
	ck_assert_int_eq(push(99), -ENOBUFS);
	ck_assert_uint_eq(tg_ring_waiting(&ring), COUNT - 1);
	for (uint64_t i = 0; i < COUNT - 1; i++)
		ck_assert_uint_eq(pop(), i);
	ck_assert_uint_eq(tg_ring_waiting(&ring), 0);
}
END_TEST

START_TEST(a_bulk_goes_in_whole_or_not_at_all)
{
	struct record three[3] = {{1, ~1ull}, {2, ~2ull}, {3, ~3ull}};
	make();
	for (uint64_t i = 0; i < COUNT - 3; i++)
		push(i);
	ck_assert_int_eq(tg_ring_push_bulk(&ring, three, 3), -ENOBUFS);
	ck_assert_uint_eq(tg_ring_waiting(&ring), COUNT - 3);
	pop();
	ck_assert_int_eq(tg_ring_push_bulk(&ring, three, 3), 0);
}
END_TEST

START_TEST(what_was_peeked_stays_until_it_is_taken)
{
	struct record seen[4];
	make();
	/* Across the end of the ring's memory too. */
	for (uint64_t round = 0; round < 20; round++) {
		for (uint64_t i = 0; i < 4; i++)
			push(round * 10 + i);
		ck_assert_uint_eq(tg_ring_peek(&ring, seen, 4), 4);
		ck_assert_uint_eq(seen[3].a, round * 10 + 3);
		tg_ring_take(&ring, 0);
		ck_assert_uint_eq(tg_ring_peek(&ring, seen, 3), 3);
		tg_ring_take(&ring, 2);
		ck_assert_uint_eq(pop(), round * 10 + 2);
		ck_assert_uint_eq(pop(), round * 10 + 3);
	}
}
END_TEST

START_TEST(a_producer_that_died_inside_publishes_nothing)
{
	make();
	push(1);
	/* Reserved, never finished: the head is ahead of the tail. */
	((struct rte_ring *)memory)->prod.head += 2;
	tg_ring_repair_producer(&ring);
	ck_assert_int_eq(push(2), 0);
	ck_assert_uint_eq(pop(), 1);
	ck_assert_uint_eq(pop(), 2);
	ck_assert_uint_eq(tg_ring_waiting(&ring), 0);
}
END_TEST

START_TEST(the_last_record_is_there_also_when_it_was_taken)
{
	struct record last = {1, 1};
	make();
	tg_ring_last(&ring, &last);
	ck_assert_uint_eq(last.a, 0);
	ck_assert_uint_eq(last.b, 0);
	/* Over the end of the ring's memory. */
	for (uint64_t i = 0; i < 3 * COUNT; i++) {
		ck_assert_int_eq(push(i), 0);
		tg_ring_last(&ring, &last);
		ck_assert_uint_eq(last.a, i);
		ck_assert_uint_eq(pop(), i);
		tg_ring_last(&ring, &last);
		ck_assert_uint_eq(last.a, i);
	}
}
END_TEST

START_TEST(the_last_record_is_one_that_was_finished)
{
	struct record last;
	make();
	for (uint64_t i = 0; i < COUNT - 1; i++)
		push(i);
	pop();
	/* The slot that is being written when the producer dies is not the last record's. */
	uint32_t at = ((struct rte_ring *)memory)->prod.head++ & (COUNT - 1);
	memset((char *)memory + sizeof(struct rte_ring) + at * sizeof(last), 0x5a, sizeof(last));
	tg_ring_repair_producer(&ring);
	tg_ring_last(&ring, &last);
	ck_assert_uint_eq(last.a, COUNT - 2);
	ck_assert_uint_eq(last.b, ~(uint64_t)(COUNT - 2));
}
END_TEST

START_TEST(a_consumer_that_died_inside_loses_nothing)
{
	struct record seen[2];
	make();
	for (uint64_t i = 0; i < 4; i++)
		push(i);
	ck_assert_uint_eq(tg_ring_peek(&ring, seen, 2), 2); /* and dies */
	tg_ring_repair_consumer(&ring);
	for (uint64_t i = 0; i < 4; i++)
		ck_assert_uint_eq(pop(), i);
}
END_TEST

START_TEST(what_is_no_ring_of_this_shape_is_refused)
{
	struct tg_ring other;
	make();
	ck_assert_int_eq(tg_ring_attach(&other, memory, COUNT * 2, sizeof(struct record)), -EUCLEAN);
	memset(memory, 0x5a, 4096);
	ck_assert_int_eq(tg_ring_attach(&other, memory, COUNT, sizeof(struct record)), -EUCLEAN);
	ck_assert_int_eq(tg_ring_init(memory, 7, sizeof(struct record)), -EINVAL);
	ck_assert_int_lt(tg_ring_size(COUNT, 6), 0);
}
END_TEST

TESTS("ring", records_come_out_whole_and_in_order, a_full_ring_takes_nothing_and_loses_nothing,
	a_bulk_goes_in_whole_or_not_at_all, what_was_peeked_stays_until_it_is_taken,
	a_producer_that_died_inside_publishes_nothing, the_last_record_is_there_also_when_it_was_taken,
	the_last_record_is_one_that_was_finished, a_consumer_that_died_inside_loses_nothing,
	what_is_no_ring_of_this_shape_is_refused)
