/* Rings in the region: rte_ring element rings, initialised in place, one producer and one consumer, records
 * by value.
 *
 * A side that was killed in the middle leaves its head ahead of its tail. Whoever takes over that side calls
 * the matching repair before anything else: what was not finished did not happen. */
#ifndef TG_CONTRACT_RING_H
#define TG_CONTRACT_RING_H

#include <stddef.h>
#include <stdint.h>

struct tg_ring; /* a view: pointers of this process onto a ring of the region */

struct tg_ring {
	void *ring; /* struct rte_ring in the region */
	uint32_t record_bytes;
};

/* Bytes that a ring takes in the region. count: a power of two; it holds count - 1 records. record_bytes: a
 * multiple of 4. Returns -EINVAL for anything else. */
int64_t tg_ring_size(uint32_t count, uint32_t record_bytes);
/* Makes an empty ring at mem (cache-line aligned, tg_ring_size() bytes). Returns 0 or -errno. */
int tg_ring_init(void *mem, uint32_t count, uint32_t record_bytes);
/* A view of a ring that is there already. Returns 0, or -EUCLEAN when it isn't a ring of this shape. */
int tg_ring_attach(struct tg_ring *view, void *mem, uint32_t count, uint32_t record_bytes);

/* Producer. push: 0 or -ENOBUFS. push_bulk: all n, visible at once, or none. */
int tg_ring_push(const struct tg_ring *ring, const void *record);
int tg_ring_push_bulk(const struct tg_ring *ring, const void *records, uint32_t n);
void tg_ring_repair_producer(const struct tg_ring *ring);
/* Copies the record that was pushed last, whether it was taken or not; all zeros when there never was one. */
void tg_ring_last(const struct tg_ring *ring, void *record);

/* Consumer. pop: takes at most n, returns how many. */
uint32_t tg_ring_pop(const struct tg_ring *ring, void *records, uint32_t n);
/* Two steps: peek copies at most n records and leaves them; take removes the first n of those that were
 * peeked. A consumer that dies between finds them again. One peek, then one take; take 0 to leave all. */
uint32_t tg_ring_peek(const struct tg_ring *ring, void *records, uint32_t n);
void tg_ring_take(const struct tg_ring *ring, uint32_t n);
void tg_ring_repair_consumer(const struct tg_ring *ring);

/* Either side, or a reader that only looks: records that wait now. */
uint32_t tg_ring_waiting(const struct tg_ring *ring);

#endif
