/* contract/ring.c: one rte_ring with one producer and one consumer, store by store.
 *
 * Both sides are killed between any two stores and begin again with the repair of their end. Shown: what is
 * taken is what was pushed, in order, each once; a bulk is visible whole or not at all; after the repair
 * nothing is stuck. Numbers are pushed in bulks {1} {2 3} {4} {5 6}. */
#define SIZE  4
#define CAP   3
#define N     6
#define KILLS 2

byte slot[SIZE];
byte prod_head, prod_tail, cons_head, cons_tail; /* absolute */
byte pushed, taken;                              /* numbers: what the two sides hold for done */
byte kills_p, kills_c;

#define DIE_P if :: kills_p < KILLS -> kills_p++; goto start :: true fi
#define DIE_C if :: kills_c < KILLS -> kills_c++; goto start :: true fi

#ifdef MUTATION_room_by_head
#define ROOM (CAP + cons_head - prod_head)
#else
#define ROOM (CAP + cons_tail - prod_head)
#endif
#define BULK ((pushed == 1 || pushed == 4) -> 2 : 1)

active proctype producer()
{
	byte head, n, i;
start:
#ifndef MUTATION_no_producer_repair
	prod_head = prod_tail;
#endif
	do
	:: pushed == N -> break
	:: pushed < N && ROOM >= BULK ->
		atomic { n = BULK; head = prod_head; i = 0 };
		prod_head = head + n;
		DIE_P;
#ifdef MUTATION_tail_before_records
		prod_tail = head + n;
		DIE_P;
#endif
		do
		:: i < n ->
			slot[(head + i) % SIZE] = pushed + 1 + i;
			i++;
#ifdef MUTATION_bulk_one_by_one
			prod_tail = head + i;
#endif
			DIE_P
		:: else -> break
		od;
		skip;
		d_step { prod_tail = head + n; pushed = pushed + n };
		DIE_P
	od
}

active proctype consumer()
{
	byte head, n, i, k;
start:
#ifndef MUTATION_no_consumer_repair
	cons_head = cons_tail;
#endif
	do
	:: taken == N -> break
	:: taken < N && prod_tail > cons_head ->
		atomic {
			head = cons_head;
			n = prod_tail - head;
			assert(prod_tail != 2 && prod_tail != 5);
			if :: n > 1 -> n = 1 :: true fi; /* whoever asks sets the most that it wants */
			i = 0
		};
		cons_head = head + n;
		DIE_C;
		do
		:: i < n ->
			assert(slot[(head + i) % SIZE] == taken + 1 + i);
			i++;
			DIE_C
		:: else -> break
		od;
		if
		:: k = n /* tg_ring_pop, or all that was peeked */
		:: k = 0 /* tg_ring_take of less */
		fi;
		/* rte_ring's dequeue_finish: the head first, then the tail. */
		cons_head = cons_tail + k;
		DIE_C;
		d_step { cons_tail = cons_tail + k; taken = taken + k };
		DIE_C
	od
}
