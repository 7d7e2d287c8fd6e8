#include "contract/ring.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include <rte_ring.h>
#include <rte_ring_peek_zc.h>

int64_t tg_ring_size(uint32_t count, uint32_t record_bytes)
{
	ssize_t n = rte_ring_get_memsize_elem(record_bytes, count);
	return n < 0 ? -EINVAL : (int64_t)n;
}

static char *slot(void *ring, uint32_t index, uint32_t record_bytes)
{
	return (char *)ring + sizeof(struct rte_ring) + (size_t)index * record_bytes;
}

int tg_ring_init(void *mem, uint32_t count, uint32_t record_bytes)
{
	if (tg_ring_size(count, record_bytes) < 0)
		return -EINVAL;
	int e = rte_ring_init(mem, "tollgate", count, RING_F_SP_ENQ | RING_F_SC_DEQ);
	if (!e)
		memset(slot(mem, count - 1, record_bytes), 0, record_bytes); /* for tg_ring_last() */
	return e;
}

/* No more records than it has room for. The other side may be moving: read at different moments its ends may
 * be further apart than they ever were. */
static bool holds_its_size(const struct rte_ring *r)
{
	for (int tries = 0; tries < 100; tries++) {
		uint32_t tail = __atomic_load_n(&r->cons.tail, __ATOMIC_ACQUIRE);
		if (__atomic_load_n(&r->prod.tail, __ATOMIC_ACQUIRE) - tail <= r->capacity)
			return true;
	}
	return false;
}

int tg_ring_attach(struct tg_ring *view, void *mem, uint32_t count, uint32_t record_bytes)
{
	const struct rte_ring *r = mem;
	if (r->size != count || r->mask != count - 1 || r->capacity != count - 1 ||
		r->prod.sync_type != RTE_RING_SYNC_ST || r->cons.sync_type != RTE_RING_SYNC_ST ||
		!holds_its_size(r))
		return -EUCLEAN;
	view->ring = mem;
	view->record_bytes = record_bytes;
	return 0;
}

int tg_ring_push(const struct tg_ring *ring, const void *record)
{
	return tg_ring_push_bulk(ring, record, 1);
}

int tg_ring_push_bulk(const struct tg_ring *ring, const void *records, uint32_t n)
{
	return rte_ring_sp_enqueue_bulk_elem(ring->ring, records, ring->record_bytes, n, NULL) == n
		       ? 0
		       : -ENOBUFS;
}

void tg_ring_repair_producer(const struct tg_ring *ring)
{
	struct rte_ring *r = ring->ring;
	r->prod.head = r->prod.tail;
}

void tg_ring_last(const struct tg_ring *ring, void *record)
{
	const struct rte_ring *r = ring->ring;
	memcpy(record, slot(ring->ring, (r->prod.tail - 1) & r->mask, ring->record_bytes),
		ring->record_bytes);
}

uint32_t tg_ring_pop(const struct tg_ring *ring, void *records, uint32_t n)
{
	return rte_ring_sc_dequeue_burst_elem(ring->ring, records, ring->record_bytes, n, NULL);
}

uint32_t tg_ring_peek(const struct tg_ring *ring, void *records, uint32_t n)
{
	struct rte_ring_zc_data zc;
	n = rte_ring_dequeue_zc_burst_elem_start(ring->ring, ring->record_bytes, n, &zc, NULL);
	if (!n)
		return 0;
	memcpy(records, zc.ptr1, (size_t)zc.n1 * ring->record_bytes);
	if (n > zc.n1)
		memcpy((char *)records + (size_t)zc.n1 * ring->record_bytes, zc.ptr2,
			(size_t)(n - zc.n1) * ring->record_bytes);
	return n;
}

void tg_ring_take(const struct tg_ring *ring, uint32_t n)
{
	rte_ring_dequeue_zc_elem_finish(ring->ring, n);
}

void tg_ring_repair_consumer(const struct tg_ring *ring)
{
	struct rte_ring *r = ring->ring;
	r->cons.head = r->cons.tail;
}

uint32_t tg_ring_waiting(const struct tg_ring *ring)
{
	const struct rte_ring *r = ring->ring;
	uint32_t head = __atomic_load_n(&r->prod.tail, __ATOMIC_ACQUIRE);
	uint32_t tail = __atomic_load_n(&r->cons.tail, __ATOMIC_ACQUIRE);
	return (head - tail) & r->mask;
}
